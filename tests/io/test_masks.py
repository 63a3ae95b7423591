"""Masks as people have them: the object is the same whatever they were saved as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.masks import object_pixels, read_mask

U8 = NDArray[np.uint8]


def blob(height: int = 120, width: int = 160, radius: float = 30.0) -> NDArray[np.bool_]:
    y, x = np.mgrid[:height, :width]
    disc: NDArray[np.bool_] = (y - 60) ** 2 + (x - 70) ** 2 < radius**2
    return disc | ((abs(y - 60) < 8) & (abs(x - 110) < 20))


OBJECT = blob()
WHITE = OBJECT.astype(np.uint8) * 255


def wrong(mask: NDArray[np.generic]) -> int:
    """Pixels that are not as in the exact mask, at the border and elsewhere."""
    return int(np.count_nonzero(np.asarray(mask > 0) != OBJECT))


def border() -> int:
    inside = OBJECT[1:-1, 1:-1] & OBJECT[:-2, 1:-1] & OBJECT[2:, 1:-1] & OBJECT[1:-1, :-2] & OBJECT[1:-1, 2:]
    return int(OBJECT.sum() - inside.sum())


def photograph() -> U8:
    return np.random.default_rng(1).integers(1, 256, (*OBJECT.shape, 3)).astype(np.uint8)


def shadow() -> U8:
    """Half transparent, beside the object."""
    image = np.zeros(OBJECT.shape, np.uint8)
    image[80:110, 30:120] = 77
    return image


def palette(colours: list[int]) -> Image.Image:
    image = Image.frombytes("P", (160, 120), OBJECT.astype(np.uint8).tobytes())
    image.putpalette(colours)
    return image


EXACT: dict[str, tuple[str, Callable[[], Image.Image]]] = {
    "0 and 255": ("png", lambda: Image.fromarray(WHITE)),
    "0 and 1": ("png", lambda: Image.fromarray(OBJECT.astype(np.uint8))),
    "0 and 100": ("png", lambda: Image.fromarray(OBJECT.astype(np.uint8) * 100)),
    "16 bits, 0 and 1": ("png", lambda: Image.fromarray(OBJECT.astype(np.uint16))),
    "16 bits, 0 and 255": ("png", lambda: Image.fromarray(OBJECT.astype(np.uint16) * 255)),
    "16 bits": ("png", lambda: Image.fromarray(OBJECT.astype(np.uint16) * 65535)),
    "one bit": ("png", lambda: Image.fromarray(OBJECT)),
    "grey on grey": ("png", lambda: Image.fromarray(np.where(OBJECT, 250, 5).astype(np.uint8))),
    "grey on a lighter grey's rest": ("png", lambda: Image.fromarray(np.where(OBJECT, 90, 60).astype(np.uint8))),
    "three grey channels": ("bmp", lambda: Image.fromarray(np.repeat(WHITE[..., None], 3, 2))),
    "dark red": ("png", lambda: Image.fromarray(OBJECT[..., None] * np.array([100, 0, 0], np.uint8))),
    "opaque alpha": ("png", lambda: Image.fromarray(np.dstack([WHITE, WHITE, WHITE, 0 * WHITE + 255]))),
    "cut-out": ("png", lambda: Image.fromarray(np.dstack([photograph(), WHITE]))),
    "grey cut-out": ("png", lambda: Image.fromarray(np.dstack([photograph()[..., 0], WHITE]))),
    "nearly opaque": ("png", lambda: Image.fromarray(np.dstack([WHITE, WHITE, WHITE, np.maximum(WHITE, 200)]))),
    "cut-out with a shadow": ("png", lambda: Image.fromarray(np.dstack([photograph(), np.maximum(WHITE, shadow())]))),
    "black silhouette": ("png", lambda: Image.fromarray(np.dstack([0 * photograph(), WHITE]))),
    "palette": ("png", lambda: palette([0, 0, 0, 128, 0, 0])),
    "palette on white": ("png", lambda: palette([255, 255, 255, 128, 0, 0])),
    "grey palette": ("png", lambda: palette([0, 0, 0, 255, 255, 255])),
    "probability": ("png", lambda: Image.fromarray(np.where(OBJECT, noise(140, 256), noise(0, 120)).astype(np.uint8))),
    "float": ("tiff", lambda: Image.fromarray(np.where(OBJECT, noise(0.55, 1.0), noise(0.0, 0.45)).astype(np.float32))),
}  # fmt: skip


def noise(low: float, high: float) -> NDArray[np.float64]:
    return np.random.default_rng(0).uniform(low, high, OBJECT.shape)


@pytest.mark.parametrize("kind", EXACT)
def test_the_object_is_found_exactly(kind: str, tmp_path: Path) -> None:
    ending, make = EXACT[kind]
    make().save(tmp_path / f"mask.{ending}")
    mask = read_mask(tmp_path / f"mask.{ending}")
    assert mask.dtype == bool and wrong(mask) == 0


@pytest.mark.parametrize("quality", [10, 30, 75, 95, 100])
@pytest.mark.parametrize("colour", ["L", "RGB"])
@pytest.mark.parametrize("ending", ["jpg", "webp", "png of jpg"])
def test_compression_with_loss_moves_the_border_by_a_fraction_of_a_pixel(
    quality: int, colour: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"mask.{ending[-3:].replace('ebp', 'webp')}"
    Image.fromarray(WHITE).convert(colour).save(path, quality=quality)
    if ending.startswith("png"):
        Image.open(path).save(tmp_path / "again.png")
        path = tmp_path / "again.png"
    allowed = border() / (1 if quality < 30 else 4)
    assert wrong(read_mask(path)) <= allowed


@pytest.mark.parametrize("down", [Image.Resampling.BOX, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("up", [Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
@pytest.mark.parametrize("factor", [2, 4])
def test_resizing_keeps_the_border_within_half_a_small_pixel(
    down: Image.Resampling, up: Image.Resampling, factor: int, tmp_path: Path
) -> None:
    small = Image.fromarray(WHITE).resize((160 // factor, 120 // factor), down)
    small.resize((160, 120), up).save(tmp_path / "mask.png")
    assert wrong(read_mask(tmp_path / "mask.png")) <= border() * factor / 2


@pytest.mark.parametrize("white", [255, 100, 30])
def test_a_blurred_mask_ends_where_it_falls_below_half(white: int, tmp_path: Path) -> None:
    from PIL import ImageFilter

    Image.fromarray(OBJECT.astype(np.uint8) * np.uint8(white)).filter(ImageFilter.GaussianBlur(2)).save(
        tmp_path / "mask.png"
    )
    assert wrong(read_mask(tmp_path / "mask.png")) <= border() / 4


def test_probabilities_that_never_reach_half_show_no_object(tmp_path: Path) -> None:
    Image.fromarray(noise(0, 60).astype(np.uint8)).save(tmp_path / "mask.png")
    assert not read_mask(tmp_path / "mask.png").any()
    np.save(tmp_path / "mask.npy", noise(0, 0.4))
    assert not read_mask(tmp_path / "mask.npy").any()


def test_one_grey_level_is_all_or_nothing() -> None:
    assert object_pixels(np.full((5, 6), 100, np.uint8)).all()
    assert not object_pixels(np.zeros((5, 6), np.uint8)).any()


# ---------------- labels of several objects


def labels() -> U8:
    image = OBJECT.astype(np.uint8)
    image[10:24, 10:30] = 2
    image[90:118, 120:150] = 7
    return image


@pytest.mark.parametrize("factor", [1, 30])
def test_labels_have_to_be_chosen(factor: int, tmp_path: Path) -> None:
    Image.fromarray(labels() * factor).save(tmp_path / "mask.png")
    names = ", ".join(str(factor * k) for k in (1, 2, 7))
    with pytest.raises(DiffDopeError, match=rf"mask: .* one object, got the labels {names}; .*--mask-id.*mask.png"):
        read_mask(tmp_path / "mask.png")
    assert wrong(read_mask(tmp_path / "mask.png", label=factor)) == 0
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png", label=7 * factor), labels() == 7)
    assert not read_mask(tmp_path / "mask.png", label=9).any()


def test_labels_with_a_rim_that_is_to_be_ignored_are_labels() -> None:
    image = labels()
    image[9, 10:30] = image[24, 10:30] = 255
    with pytest.raises(DiffDopeError, match="the labels 1, 2, 7;"):
        object_pixels(image)


def test_the_label_of_a_palette_is_its_index(tmp_path: Path) -> None:
    image = Image.frombytes("P", (160, 120), labels().tobytes())
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128, 128, 0, 128, 0, 128, 128, 128, 128, 128])
    image.save(tmp_path / "mask.png")
    with pytest.raises(DiffDopeError, match="the labels 1, 2, 7"):
        read_mask(tmp_path / "mask.png")
    assert wrong(read_mask(tmp_path / "mask.png", label=1)) == 0


def test_the_label_of_a_colour_is_that_of_panoptic_images(tmp_path: Path) -> None:
    colours = np.zeros((*OBJECT.shape, 3), np.uint8)
    colours[OBJECT] = 7, 1, 0
    colours[90:118, 120:150] = 200, 30, 9
    Image.fromarray(colours).save(tmp_path / "mask.png")
    with pytest.raises(DiffDopeError, match=f"the labels 263, {200 + 256 * 30 + 65536 * 9}"):
        read_mask(tmp_path / "mask.png")
    assert wrong(read_mask(tmp_path / "mask.png", label=263)) == 0


def test_many_16_bit_labels() -> None:
    image = np.zeros((90, 90), np.uint16)
    for k in range(9):
        image[k * 10 : k * 10 + 8, 5:60] = 26000 + k
    with pytest.raises(DiffDopeError, match=r"the labels 26000, 26001, .*, 26007, \.\.\. \(9\);"):
        object_pixels(image)


def test_a_few_flat_pixels_near_black_are_no_label() -> None:
    image = WHITE.copy()
    image[:8, :8] = 3
    image[60:64, 60:64] = 252
    assert wrong(object_pixels(image)) == 0


def test_what_is_no_mask_is_left_to_the_observation() -> None:
    for array in (np.full((4, 4), 3.0), np.full((4, 4), np.nan), np.zeros((2, 4, 4, 3)), np.zeros(4)):
        assert object_pixels(array) is array or np.array_equal(object_pixels(array), array, equal_nan=True)


def test_depth_images_and_photographs_are_no_masks(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:120, :160]
    depth = (800 + 2 * rows + columns).astype(np.uint16)
    depth[:20] = 0
    Image.fromarray(depth).save(tmp_path / "depth.png")
    with pytest.raises(DiffDopeError, match="shades up to .* it looks like a depth image"):
        read_mask(tmp_path / "depth.png")
    Image.fromarray((30 * depth).astype(np.uint16)).save(tmp_path / "far.png")
    with pytest.raises(DiffDopeError, match="it looks like a depth image"):
        read_mask(tmp_path / "far.png")
    photograph = np.stack([80 + rows % 90, 100 + columns % 80, 60 + (rows + columns) % 120], axis=2).astype(np.uint8)
    Image.fromarray(photograph).save(tmp_path / "rgb.jpg")
    with pytest.raises(DiffDopeError, match="it looks like a photograph"):
        read_mask(tmp_path / "rgb.jpg")
    photograph[:50], photograph[50:70] = photograph[:50] // 16, 255 - photograph[50:70] // 16  # much black and white
    Image.fromarray(photograph).save(tmp_path / "dark.png")
    with pytest.raises(DiffDopeError, match="it looks like a photograph"):
        read_mask(tmp_path / "dark.png")
    coloured = np.zeros((120, 160, 3), np.uint8)
    coloured[20:110, 20:150] = (200, 40, 90)
    Image.fromarray(coloured).save(tmp_path / "coloured.jpg")
    assert read_mask(tmp_path / "coloured.jpg").sum() == pytest.approx(90 * 130, rel=0.02)
    soft = np.zeros((120, 160))
    soft[30:90, 40:120] = 1.0
    for _ in range(5):  # a border of some pixels
        soft = (soft + np.roll(soft, 1, 0) + np.roll(soft, -1, 0) + np.roll(soft, 1, 1) + np.roll(soft, -1, 1)) / 5
    Image.fromarray(np.round(65535 * soft).astype(np.uint16)).save(tmp_path / "soft.png")
    assert read_mask(tmp_path / "soft.png").sum() == pytest.approx(60 * 80, rel=0.02)
