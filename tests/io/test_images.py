from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.images import as_rgb_texture, notes_on_rgb, read_depth, read_image, read_rgb
from diffdope.io.masks import read_mask


def test_16_bit_depth_is_lossless(tmp_path: Path, rng: np.random.Generator) -> None:
    depth = rng.integers(0, 65536, (5, 7)).astype(np.uint16)
    Image.fromarray(depth).save(tmp_path / "d.png")
    read = read_image("depth", tmp_path / "d.png")
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, depth)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("largest", [1, 21, 200, 255, 2047, 4095, 10000, 65535])
def test_the_numbers_of_a_pgm_are_those_of_the_file(text: bool, largest: int, tmp_path: Path) -> None:
    values = np.linspace(0, largest, 600).round().astype(np.uint16).reshape(20, 30)
    written = values.astype(">u2" if largest > 255 else "u1").tobytes()
    numbers = " ".join(map(str, values.ravel())).encode()
    header = f"{'P2' if text else 'P5'}\n30 20\n{largest}\n".encode()
    (tmp_path / "d.pgm").write_bytes(header + (numbers if text else written))
    np.testing.assert_array_equal(read_depth(tmp_path / "d.pgm"), values)
    label = (largest + 1) // 2
    picked = read_mask(tmp_path / "d.pgm", label=label, inverted=False)
    np.testing.assert_array_equal(picked, values == label)
    assert read_image("rgb", tmp_path / "d.pgm").max() == (255 if largest < 256 else 65535)  # light, as far as it goes


@pytest.mark.parametrize("tag, quarters", [(1, 0), (3, 2), (6, -1), (8, 1)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_tiff_of_a_camera_that_was_held_upright(
    tmp_path: Path, rng: np.random.Generator, tag: int, quarters: int, kind: type, compression: str
) -> None:  # fmt: skip
    """Pillow cuts uncompressed ones of one channel into wrong rows, if it is given the path."""
    depth = rng.integers(1, 250, (5, 7)).astype(kind)
    Image.fromarray(depth).save(tmp_path / "d.tiff", tiffinfo={274: tag}, compression=compression)
    np.testing.assert_array_equal(read_image("depth", tmp_path / "d.tiff"), np.rot90(depth, quarters))
    if kind is np.uint8:
        stored = np.where(depth > 125, 255, 0).astype(kind)
        Image.fromarray(stored).save(tmp_path / "m.tiff", tiffinfo={274: tag}, compression=compression)
        np.testing.assert_array_equal(read_mask(tmp_path / "m.tiff"), np.rot90(stored > 0, quarters))


@pytest.mark.parametrize("mode", ["P", "PA", "CMYK", "YCbCr", "LAB"])
def test_tiff_in_other_colours_than_rgb(tmp_path: Path, mode: str) -> None:
    photo = Image.new("RGB", (6, 4), (204, 51, 0))
    if mode == "LAB":
        from PIL import ImageCms

        spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        photo = ImageCms.profileToProfile(photo, *spaces, outputMode="LAB")  # type: ignore[assignment]
    (photo if mode == "LAB" else photo.convert(mode)).save(tmp_path / "p.tiff")
    assert np.abs(read_rgb(tmp_path / "p.tiff").astype(int) - [204, 51, 0]).max() < 12


def test_float_and_npy(tmp_path: Path, rng: np.random.Generator) -> None:
    depth = rng.uniform(size=(5, 7)).astype(np.float32)
    Image.fromarray(depth).save(tmp_path / "d.tiff")
    np.save(tmp_path / "d.npy", depth)
    for name in ("d.tiff", "d.npy"):
        np.testing.assert_array_equal(read_image("depth", tmp_path / name), depth)


def test_opaque_alpha_is_dropped(tmp_path: Path, rng: np.random.Generator) -> None:
    rgba = rng.integers(0, 256, (5, 7, 4)).astype(np.uint8)
    rgba[..., 3] = 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), rgba[..., :3])
    rgba[0, 0, 3] = 254
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert read_rgb(tmp_path / "a.png").shape == (5, 7, 4)
    Image.fromarray(rgba[..., 0]).convert("LA").save(tmp_path / "la.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "la.png"), rgba[..., 0])


def test_palettes_are_resolved(tmp_path: Path) -> None:
    indices = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), mode=None).convert("P")
    indices.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
    indices.putdata([0, 1, 2, 1])
    indices.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "p.png")[0], [[0, 0, 0], [255, 0, 0]])
    np.testing.assert_array_equal(read_mask(tmp_path / "p.png"), [[False, True], [True, True]])


def test_masks_of_any_kind(tmp_path: Path) -> None:
    mask = np.array([[0, 255], [255, 0]], np.uint8)
    rgba = np.stack([mask, 0 * mask, 0 * mask, 0 * mask + 255], -1)
    for name, array in (("grey", mask), ("rgba", rgba), ("rgb", rgba[..., :3]), ("bool", mask > 0)):
        Image.fromarray(array).save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(read_mask(tmp_path / f"{name}.png") > 0, mask > 0)


def test_alpha_of_float_images(tmp_path: Path, rng: np.random.Generator) -> None:
    rgba = rng.uniform(size=(5, 7, 4))
    rgba[..., 3] = 1.0
    np.save(tmp_path / "a.npy", rgba)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.npy"), rgba[..., :3])


def test_one_channel_of_depth_is_an_image(tmp_path: Path, rng: np.random.Generator) -> None:
    depth = rng.uniform(size=(5, 7, 1))
    np.save(tmp_path / "d.npy", depth)
    np.testing.assert_array_equal(read_depth(tmp_path / "d.npy"), depth[..., 0])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00"])
def test_npy_files_that_hold_no_array(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DiffDopeError, match="depth: expected an image in .*x.npy"):
        read_depth(tmp_path / "x.npy")


def test_npy_files_of_something_else(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array(["a", "b"]))
    with pytest.raises(DiffDopeError, match="depth: expected an array of numbers in .*x.npy, got <U1"):
        read_depth(tmp_path / "x.npy")


def test_pictures_too_large_to_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (20, 20)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DiffDopeError, match="depth: expected an image in .*x.png"):
        read_depth(tmp_path / "x.png")


def test_missing_and_broken(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="rgb: expected an image file, but there is none at .*no.png"):
        read_rgb(tmp_path / "no.png")
    with pytest.raises(DiffDopeError, match="depth: expected an image file"):
        read_image("depth", tmp_path)
    for name in ("x.png", "x.npy"):
        (tmp_path / name).write_bytes(b"neither")
        with pytest.raises(DiffDopeError, match=f"mask: expected an image in .*{name}"):
            read_mask(tmp_path / name)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_textures_become_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((2, 3), 204 << 8, np.uint16))
    else:
        image = Image.new("RGB", (3, 2), (204, 204, 204)).convert(mode)  # in the palette that Pillow makes
    texture = as_rgb_texture(image)
    assert texture.shape == (2, 3, 3) and texture.dtype == np.uint8
    assert np.abs(texture.astype(int) - 204).max() <= 2


def test_a_depth_image_is_told_from_a_photograph() -> None:
    distances = np.full((4, 6), 700, np.uint16)
    assert "up to 700 of 65535" in notes_on_rgb(distances)[0]
    assert notes_on_rgb(distances.astype(">u2")) == notes_on_rgb(distances)
    bright = distances.copy()
    bright[0, 0] = 60_000  # a camera of one channel and 16 bits
    for photograph in (bright, distances.astype(np.uint8), np.zeros((4, 6, 3), np.uint16), None):
        assert notes_on_rgb(photograph) == ()


def test_pages_of_a_tiff_are_not_chosen_from(tmp_path: Path) -> None:
    """The first was taken without a word; thumbnails and levels beside a picture are no pages."""
    page, small = (Image.fromarray(np.full((height, 8, 3), 90, np.uint8)) for height in (6, 3))
    path = tmp_path / "scan.tiff"
    page.save(path, save_all=True, append_images=[page, page])
    with pytest.raises(DiffDopeError, match="3 pages of one size"):
        read_rgb(path)
    page.save(path, save_all=True, append_images=[small])
    assert read_rgb(path).shape == (6, 8, 3)


def test_a_cut_out_is_no_photograph(tmp_path: Path) -> None:
    cut = np.full((4, 6, 4), 255, np.uint8)
    cut[:, 3:, 3] = 0
    Image.fromarray(cut).save(tmp_path / "cut.png")
    with pytest.raises(
        DiffDopeError, match=r"rgb: expected a photograph in .*, got a cut-out: 50 % is transparent; giv"
    ):
        read_rgb(tmp_path / "cut.png")
