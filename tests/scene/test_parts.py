from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.scene.parts import GREY, REPEAT, Part, Way, Wrap, join, tile

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
TRIANGLE = np.eye(3)
FACE = np.array([[0, 1, 2]])


def textured(uv: object, texture: U8) -> Part:
    return Part(TRIANGLE, FACE, np.array(uv, float), texture)


def random_texture(rng: np.random.Generator, height: int, width: int) -> U8:
    return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


def texel_at(part: Part, vertex: int) -> list[int]:
    """The texel in which a vertex lies."""
    assert part.uv is not None and part.texture is not None
    height, width = part.texture.shape[:2]
    column, row = np.floor(part.uv[vertex] * [width, height] + 1e-9).astype(int)
    return [int(c) for c in part.texture[row, column]]


def test_tiles_are_where_they_were(rng: np.random.Generator) -> None:
    texture = random_texture(rng, 4, 8)
    uv = [[-0.9, 0.1], [1.6, 2.3], [0.2, 0.7]]
    tiled = tile(textured(uv, texture))
    assert tiled.texture is not None and tiled.uv is not None
    assert tiled.texture.shape == (12, 24, 3)
    assert tiled.uv.min() >= 0 and tiled.uv.max() <= 1
    for vertex, (u, v) in enumerate(uv):
        wanted = texture[int(v % 1 * 4), int(u % 1 * 8)]
        assert texel_at(tiled, vertex) == wanted.tolist()


@pytest.mark.parametrize("uv", [[[0, 0], [1, 0], [1, 1]], [[-1e-5, 0], [1 + 1e-5, 0.5], [1, 1]]])
def test_the_unit_square_needs_no_tiles(uv: list[list[float]], rng: np.random.Generator) -> None:
    texture = random_texture(rng, 4, 4)
    tiled = tile(textured(uv, texture))
    assert tiled.texture is texture
    assert tiled.uv is not None
    np.testing.assert_allclose(tiled.uv, np.clip(uv, 0, 1), atol=1e-12)


def test_a_shifted_square_is_shifted_back(rng: np.random.Generator) -> None:
    texture = random_texture(rng, 4, 4)
    tiled = tile(textured([[-2.9, 5.1], [-2.2, 5.5], [-2.1, 5.9]], texture))
    assert tiled.texture is texture and tiled.uv is not None
    np.testing.assert_allclose(tiled.uv, [[0.1, 0.1], [0.8, 0.5], [0.9, 0.9]])


def test_too_many_tiles(rng: np.random.Generator) -> None:
    tile(textured([[0, 0], [8, 0], [0, 8]], random_texture(rng, 4, 4)))
    with pytest.raises(DiffDopeError, match=r"at most 8 tiles an axis, got \[0.0, 0.0\] to \[9.0, 1.0\]; bake"):
        tile(textured([[0, 0], [9, 0], [0, 1]], random_texture(rng, 4, 4)))
    with pytest.raises(DiffDopeError, match="at most 8 tiles"):
        tile(textured([[0, 0], [8, 0], [0, 8]], np.zeros((2048, 2048, 3), np.uint8)))


def test_several_textures_share_an_atlas(rng: np.random.Generator) -> None:
    first, second = random_texture(rng, 4, 8), random_texture(rng, 6, 5)
    uv = [[0.05, 0.05], [0.95, 0.3], [0.5, 0.9]]
    joined, warnings = join([textured(uv, first), textured(uv, second), textured(uv, first)])
    assert not warnings and joined.texture is not None
    assert joined.faces.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert joined.texture.shape[1] == 8 and joined.texture.shape[0] < 60  # the first texture is there once
    for vertex, (u, v) in enumerate(uv):
        assert texel_at(joined, vertex) == first[int(4 * v), int(8 * u)].tolist()
        assert texel_at(joined, vertex + 3) == second[int(6 * v), int(5 * u)].tolist()
        assert texel_at(joined, vertex + 6) == texel_at(joined, vertex)


def test_plain_pieces_get_a_swatch(rng: np.random.Generator) -> None:
    red = Part(TRIANGLE, FACE, colors=np.tile([1.0, 0, 0], (3, 1)))
    joined, warnings = join([textured(np.zeros((3, 2)), random_texture(rng, 4, 8)), red, Part(TRIANGLE, FACE)])
    assert texel_at(joined, 3) == [255, 0, 0]
    assert texel_at(joined, 6) == [128, 128, 128]
    assert joined.colors is None
    assert warnings == ("1 of 3 pieces of the mesh have no colour and are taken as grey",)


def test_colors_are_joined() -> None:
    colors = np.random.default_rng(0).uniform(size=(3, 3))
    joined, warnings = join([Part(TRIANGLE, FACE), Part(TRIANGLE + 1, FACE, colors=colors)])
    assert joined.colors is not None and joined.uv is None and joined.texture is None
    np.testing.assert_array_equal(joined.colors, np.concatenate([np.full((3, 3), GREY), colors]))
    np.testing.assert_array_equal(joined.vertices, np.concatenate([TRIANGLE, TRIANGLE + 1]))
    assert len(warnings) == 1


def test_nothing_is_coloured() -> None:
    joined, warnings = join([Part(TRIANGLE, FACE), Part(TRIANGLE, FACE)])
    assert not joined.has_color and not warnings and len(joined.faces) == 2


def test_texture_and_varying_colors_do_not_mix(rng: np.random.Generator) -> None:
    varying = Part(TRIANGLE, FACE, colors=np.eye(3))
    with pytest.raises(DiffDopeError, match="either textures or vertex colours, got both"):
        join([textured(np.zeros((3, 2)), random_texture(rng, 4, 4)), varying])


@pytest.mark.parametrize(
    ("wrap", "texel"),
    [
        ("repeat", lambda i, n: i % n),
        ("clamp", lambda i, n: min(max(i, 0), n - 1)),
        ("mirror", lambda i, n: i % (2 * n) if i % (2 * n) < n else 2 * n - 1 - i % (2 * n)),
    ],
)
def test_each_way_to_go_on(wrap: Way, texel: Callable[[int, int], int], rng: np.random.Generator) -> None:
    texture = random_texture(rng, 4, 8)
    uv = [[-1.3, 0.1], [1.6, 2.3], [0.2, -0.7]]
    tiled = tile(replace(textured(uv, texture), wrap=(wrap, "repeat")))
    assert tiled.wrap == REPEAT
    for vertex, (u, v) in enumerate(uv):
        wanted = texture[int(v % 1 * 4), texel(int(np.floor(u * 8)), 8)]
        assert texel_at(tiled, vertex) == wanted.tolist()


@pytest.mark.parametrize("wrap", [("repeat", "repeat"), ("mirror", "repeat")])
def test_charts_far_from_each_other_need_few_tiles(wrap: Wrap, rng: np.random.Generator) -> None:
    """Faces whose coordinates span no tile themselves, but lie 100 tiles apart: vertices are split for it."""
    texture = random_texture(rng, 4, 4)
    uv = [[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [100.6, -40.9]]
    faces = np.array([[0, 1, 2], [3, 3, 3], [3, 3, 3]])
    part = Part(np.eye(4, 3), faces, np.array(uv), texture, wrap=wrap)
    tiled = tile(part)
    assert tiled.texture is texture and tiled.uv is not None and len(tiled.vertices) == 4
    np.testing.assert_array_equal(tiled.vertices[tiled.faces], part.vertices[faces])
    assert texel_at(tiled, int(tiled.faces[1, 0])) == texture[int(-40.9 % 1 * 4), int(0.6 * 4)].tolist()


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_coordinates_that_are_all_at_an_edge_stay_there(edge: float, rng: np.random.Generator) -> None:
    tiled = tile(textured(np.full((3, 2), edge), random_texture(rng, 4, 4)))
    assert tiled.uv is not None and (tiled.uv == edge).all()
