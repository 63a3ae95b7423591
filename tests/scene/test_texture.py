from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.scene.texture import MipPyramid, build_pyramid


def level(pyramid: MipPyramid, index: int) -> NDArray[np.int64]:
    width, height = int(pyramid.widths[index]), int(pyramid.heights[index])
    start = int(pyramid.offsets[index])
    texels = pyramid.texels[start : start + width * height].astype(np.int64)
    assert (texels >> 24 == 255).all()
    return np.stack([texels & 255, texels >> 8 & 255, texels >> 16 & 255], -1).reshape(height, width, 3)


def test_level_zero_is_the_texture(rng: np.random.Generator) -> None:
    texture = rng.integers(0, 256, (6, 9, 3)).astype(np.uint8)
    pyramid = build_pyramid(texture)
    np.testing.assert_array_equal(level(pyramid, 0), texture)
    assert [column.dtype for column in pyramid] == [np.uint32, np.int32, np.int32, np.int32]


def test_sizes_and_offsets() -> None:
    pyramid = build_pyramid(np.zeros((6, 9, 3), np.uint8))
    assert pyramid.widths.tolist() == [9, 5, 3, 2, 1]
    assert pyramid.heights.tolist() == [6, 3, 2, 1, 1]
    assert pyramid.offsets.tolist() == [0, 54, 69, 75, 77]
    assert len(pyramid.texels) == 78


def test_levels_are_box_averages(rng: np.random.Generator) -> None:
    texture = rng.integers(0, 256, (16, 32, 3)).astype(np.uint8)
    pyramid = build_pyramid(texture)
    for index in range(5):
        k = 2**index
        average = texture.astype(float).reshape(16 // k, k, 32 // k, k, 3).mean(axis=(1, 3))
        # To the bit, which fails if a level is averaged from a rounded one.
        np.testing.assert_array_equal(level(pyramid, index), np.rint(average))


def test_odd_sizes_repeat_the_edge() -> None:
    texture = np.array([[[10] * 3, [20] * 3, [70] * 3]], np.uint8)
    pyramid = build_pyramid(texture)
    np.testing.assert_array_equal(level(pyramid, 1)[0, :, 0], [15, 70])
    np.testing.assert_array_equal(level(pyramid, 2)[0, :, 0], [42])  # 42.5, to even


def test_channels_stay_apart() -> None:
    texture = np.zeros((4, 4, 3), np.uint8)
    texture[..., 0], texture[..., 1], texture[..., 2] = 200, 100, 50
    pyramid = build_pyramid(texture)
    assert pyramid.texels[-1] == 200 | 100 << 8 | 50 << 16 | 255 << 24


@pytest.mark.parametrize(
    "texture",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 4))],
)
def test_bad_textures(texture: NDArray[np.uint8]) -> None:
    with pytest.raises(DiffDopeError, match="texture: expected"):
        build_pyramid(texture)


def test_how_a_texture_lies_in_memory_does_not_matter(rng: np.random.Generator) -> None:
    texture = rng.integers(0, 256, (13, 6, 3)).astype(np.uint8)
    expected = build_pyramid(texture)
    read_only = texture.copy()
    read_only.flags.writeable = False
    for other in (read_only, np.asfortranarray(texture), np.repeat(texture, 2, axis=1)[:, ::2]):
        for mine, theirs in zip(build_pyramid(other), expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert texture.flags.writeable
