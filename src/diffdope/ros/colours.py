"""Colours of raw camera pixels: Bayer patterns, and YUV with half as many colours across."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected

YUV = {"yuv422": "UYVY", "uyvy": "UYVY", "yuv422_yuy2": "YUYV", "yuyv": "YUYV"}
"""Encodings of two bytes a pixel, and the order of their bytes."""
# Bilinear: a green pixel has four neighbours in a cross, a red or blue one four in a line or at the corners.
_CROSS = np.array([[0.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 0.0]]) / 4.0
_SQUARE = np.array([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 4.0
_BLACK, _RED, _GREEN_V, _GREEN_U, _BLUE, _GAIN = 16.0, 1.596, 0.813, 0.391, 2.018, 1.164  # ITU-R BT.601, 16 to 235


def of_bayer(raw: NDArray[Any], pattern: str, topic: str) -> NDArray[Any]:
    """RGB (H, W, 3) of a Bayer image, by bilinear interpolation, in its own number type.

    Args:
        raw: (H, W).
        pattern: of the first two rows: "rggb", "bggr", "gbrg" or "grbg".
        topic: to blame.

    Raises:
        DiffDopeError: if the image has fewer than two rows or columns.
    """
    from scipy.ndimage import convolve

    if min(raw.shape) < 2:
        raise expected(topic, "two rows and columns at least", f"{raw.shape[1]} x {raw.shape[0]}")
    colours = np.empty((*raw.shape, 3))
    letters = np.array(list(pattern)).reshape(2, 2)
    rows, columns = np.indices(raw.shape) % 2
    for k, letter in enumerate("rgb"):
        known = np.where(letters[rows, columns] == letter, raw, 0).astype(np.float64)
        # Mirrored at the border without repeating it, so that the pattern goes on.
        colours[..., k] = convolve(known, _CROSS if letter == "g" else _SQUARE, mode="mirror")
    return np.asarray(np.clip(np.round(colours), 0, np.iinfo(raw.dtype).max).astype(raw.dtype))


def of_yuv(pairs: NDArray[np.uint8], order: str) -> NDArray[np.uint8]:
    """RGB (H, W, 3) of YUV 4:2:2 by ITU-R BT.601, in which two pixels share a colour.

    Args:
        pairs: (H, W, 2); W is even.
        order: of the bytes of two pixels: "UYVY" or "YUYV".
    """
    height, width, _ = pairs.shape
    four = pairs.reshape(height, width // 2, 4).astype(np.float64)
    first = order.index("Y")
    luma = _GAIN * (four[..., [first, first + 2]].reshape(height, width) - _BLACK)
    u, v = (np.repeat(four[..., order.index(letter)] - 128.0, 2, axis=1) for letter in "UV")
    colours = np.stack([luma + _RED * v, luma - _GREEN_V * v - _GREEN_U * u, luma + _BLUE * u], axis=-1)
    return np.clip(np.round(colours), 0, 255).astype(np.uint8)
