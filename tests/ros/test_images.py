"""Images of messages, against arrays that are known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.ros.images import image_of, kind_of
from tests.ros.recordings import compressed, compressed_depth, image

RGB = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
DEPTH_MM = np.random.default_rng(1).integers(0, 4000, (7, 5), dtype=np.uint16)


def message(fields: dict[str, Any]) -> Any:
    return SimpleNamespace(**fields)


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize(
    ("encoding", "array"),
    [
        ("rgb8", RGB),
        ("bgr8", RGB[..., ::-1]),
        ("rgba8", np.dstack([RGB, np.full((7, 5), 9, np.uint8)])),
    ],
)
def test_colours_come_in_rgb_order(encoding: str, array: np.ndarray, padding: int) -> None:
    got = image_of(message(image(array, encoding, padding=padding)))
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, RGB)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 2])
def test_integer_depth_of_either_byte_order(big: bool, padding: int) -> None:
    got = image_of(message(image(DEPTH_MM, "16UC1", big=big, padding=padding)))
    assert got.dtype == np.uint16
    np.testing.assert_array_equal(got, DEPTH_MM)


def test_float_depth_keeps_what_is_missing() -> None:
    metres = (DEPTH_MM * 1e-3).astype(np.float32)
    metres[0, 0] = np.nan
    np.testing.assert_array_equal(image_of(message(image(metres, "32FC1", padding=8))), metres)


def test_grey() -> None:
    np.testing.assert_array_equal(image_of(message(image(RGB[..., 0], "mono8", padding=1))), RGB[..., 0])


def test_a_last_row_without_padding() -> None:
    fields = image(RGB, "rgb8", padding=4)
    fields["data"] = fields["data"][:-4]
    np.testing.assert_array_equal(image_of(message(fields)), RGB)


@pytest.mark.parametrize("kind", [bytes, bytearray, lambda data: memoryview(data.tobytes())])
def test_data_of_other_types(kind: Any) -> None:
    """rclpy has array.array, rospy bytes."""
    fields = image(RGB, "rgb8")
    fields["data"] = kind(fields["data"])
    np.testing.assert_array_equal(image_of(message(fields)), RGB)


def test_compressed_png_is_lossless_and_jpeg_close() -> None:
    np.testing.assert_array_equal(image_of(message(compressed(RGB, "png", "bgr8; png compressed bgr8"))), RGB)
    depth = image_of(message(compressed(DEPTH_MM, "png", "16UC1; png compressed ")))  # by the plain transport
    assert depth.dtype == np.uint16 and np.array_equal(depth, DEPTH_MM)
    flat = np.full((16, 16, 3), (200, 60, 10), np.uint8)
    jpeg = image_of(message(compressed(flat, "jpeg", "jpeg")))
    assert np.abs(jpeg.astype(int) - flat).max() <= 4


@pytest.mark.parametrize("before", [b"", b"\0" * 12])
def test_compressed_depth_of_integers(before: bytes) -> None:
    fields = compressed(DEPTH_MM, "png", "16UC1; compressedDepth png", before=before)
    got = image_of(message(fields))
    assert got.dtype == np.uint16
    np.testing.assert_array_equal(got, DEPTH_MM)


def test_compressed_depth_of_floats_is_right_to_its_quantisation() -> None:
    metres = np.linspace(0.3, 9.0, 35, dtype=np.float32).reshape(7, 5)
    metres[0, 0] = np.nan
    got = image_of(message(compressed_depth(metres)))
    assert np.isnan(got[0, 0])
    there = np.isfinite(metres)
    # Truncated to whole numbers, 1 / depth is up to 1 / a too small: the depth up to z^2 / a too large.
    error = got[there] - metres[there]
    bound = metres[there].astype(float) ** 2 / (100.0 * 101.0)
    assert (error >= -1e-5).all()
    assert (error <= 1.3 * bound + 1e-5).all()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (image(RGB[..., 0], "mono8") | {"encoding": "nv21"}, "compressed topic"),
        (image(RGB[:1, :, 0], "bayer_rggb8"), "two rows and columns"),
        (image(RGB[..., :2].reshape(7, -1), "mono8") | {"encoding": "yuyv", "width": 5}, "an even number of columns"),
        (image(RGB, "8UC3"), "order of colours"),
        (image(RGB, "rgb8") | {"height": 8}, "8 rows of 15 bytes"),
        (image(RGB, "rgb8") | {"step": 3}, "rows of 3"),
        (image(RGB, "rgb8") | {"data": np.zeros(0, np.uint8)}, "0 bytes"),
        (compressed(RGB, "png", "png") | {"data": np.zeros(9, np.uint8)}, "9 unreadable bytes"),
        (compressed(DEPTH_MM, "png", "32FC1; compressedDepth png"), "a header of 12 bytes"),
        (compressed(DEPTH_MM, "png", "16UC1; compressedDepth rvl"), "format png"),
        (compressed(DEPTH_MM, "png", "16UC1; compressedDepth png") | {"data": np.zeros(3, np.uint8)}, "a header"),
    ],
)
def test_what_is_refused_says_why(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(DiffDopeError, match=words) as caught:
        image_of(message(fields), "/camera/image")
    assert str(caught.value).startswith("/camera/image: expected")


def test_kinds() -> None:
    assert kind_of(message(image(RGB, "bgr8"))) == "rgb"
    assert kind_of(message(image(RGB[..., 0], "mono8"))) == "grey"
    assert kind_of(message(image(DEPTH_MM, "16UC1"))) == "depth"
    assert kind_of(message(image(RGB[..., 0], "bayer_rggb8"))) == "rgb"
    assert kind_of(message(image(RGB[..., 0], "mono8") | {"encoding": "yuv422_yuy2"})) == "rgb"
    assert kind_of(message(image(RGB[..., 0], "mono8") | {"encoding": "nv21"})) == "other"
    assert kind_of(message(compressed(RGB, "jpeg", "rgb8; jpeg compressed bgr8"))) == "rgb"
    assert kind_of(message(compressed(DEPTH_MM, "png", "16UC1; compressedDepth"))) == "depth"
    assert kind_of(message(compressed(DEPTH_MM, "png", "16UC1; png compressed 16UC1"))) == "depth"


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_bayer_gives_a_plane_of_colours_back(pattern: str, bits: int) -> None:
    """Bilinear interpolation is exact inside of a picture whose colours change linearly."""
    v, u = np.mgrid[0:12, 0:10].astype(float)
    colours = np.stack([40 + 4 * u, 90 + 2 * u + 4 * v, 200 - 6 * v], axis=-1)
    kind = np.uint8 if bits == 8 else np.uint16
    letters = np.array(list(pattern)).reshape(2, 2)[(v % 2).astype(int), (u % 2).astype(int)]
    raw = np.select([letters == letter for letter in "rgb"], [colours[..., k] for k in range(3)]).astype(kind)
    fields = image(raw, "mono8" if bits == 8 else "mono16") | {"encoding": f"bayer_{pattern}{bits}"}
    got = image_of(message(fields))
    assert got.dtype == kind
    np.testing.assert_allclose(got[1:-1, 1:-1], colours[1:-1, 1:-1], atol=0.5)
    np.testing.assert_allclose(got, colours, atol=7)  # at the border, neighbours are mirrored


@pytest.mark.parametrize(("encoding", "order"), [("yuv422", "UYVY"), ("yuv422_yuy2", "YUYV"), ("uyvy", "UYVY")])
def test_yuv_is_that_of_pillow(encoding: str, order: str) -> None:
    """Pillow's YCbCr is BT.601 of the full range; scaled to 16 to 235 (240), it is that of cameras."""
    from PIL import Image

    rgb = np.repeat(RGB[:, :4], 2, axis=1)  # two pixels share a colour
    y, cb, cr = np.moveaxis(np.asarray(Image.fromarray(rgb).convert("YCbCr"), float), -1, 0)
    y, cb, cr = 16 + y * 219 / 255, 128 + (cb - 128) * 224 / 255, 128 + (cr - 128) * 224 / 255
    parts = {"Y": iter((y[:, 0::2], y[:, 1::2])), "U": iter((cb[:, 0::2],)), "V": iter((cr[:, 0::2],))}
    stored = np.stack([next(parts[letter]) for letter in order], axis=-1).round().astype(np.uint8).reshape(7, -1)
    fields = image(stored, "mono8") | {"encoding": encoding, "width": 8}
    np.testing.assert_allclose(image_of(message(fields)).astype(int), rgb, atol=4)
