"""A mask as a value in JSON: run lengths, a picture in base64, rows of 0 and 1, or polygons."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected, placed
from diffdope.io.images import read_with
from diffdope.io.mask_levels import Levels, levels_of, levels_of_image
from diffdope.io.memory_file import MemoryFile
from diffdope.io.regions import mask_of_polygons
from diffdope.io.rle import decode_rle

Bool = NDArray[np.bool_]
Size = tuple[int, int]

MOST_PIXELS = 10**9  # of run lengths: a damaged file may promise any number
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,", re.ASCII)


def known_size(size: Size | None, where: str) -> Size:
    """The size (height, width) of a mask whose file does not state it.

    Raises:
        DiffDopeError: if nobody knows it, or it is none of a picture.
    """
    if size is None:
        raise expected(where, "a picture beside it that tells the size of the mask", "none", "give --rgb")
    if min(size) < 1 or size[0] * size[1] > MOST_PIXELS:
        raise expected(where, f"the size of a picture, at most {MOST_PIXELS} pixels", f"{size[1]} x {size[0]}")
    return size


def unpacked(value: Any, size: Size | None, where: str) -> Bool:
    """The mask (H, W).

    Args:
        value: {"size": [H, W], "counts": ...}; a PNG in base64, with or without "data:image/png;base64," before it;
            rows of numbers; a polygon x, y, x, y, ... or [[x, y], ...], or several.
        size: (height, width) of the picture, for polygons.
        where: for errors.

    Raises:
        DiffDopeError: if it is none of these.
    """
    if isinstance(value, Mapping):
        return decode_rle(value, where)
    if isinstance(value, str):
        return picture_of_base64(value, where)
    rows = rows_of_pixels(value, size)
    if rows is not None:
        return _decided(levels_of(rows), where)
    if not isinstance(value, list) or not value:
        wanted = "run lengths, a picture in base64, rows of 0 and 1, or polygons"
        raise expected(where, wanted, repr(value)[:60])
    height, width = size = known_size(size, where)
    polygons = _polygons(value)
    if _are_shares(polygons):
        scale = np.array([width, height], np.float64)
        polygons = [np.reshape(np.asarray(one, np.float64), (-1, 2)) * scale for one in polygons]
    return mask_of_polygons(polygons, size, where)


def picture_of_base64(text: str, where: str) -> Bool:
    """The mask (H, W) that an image in base64 shows.

    Raises:
        DiffDopeError: if it is none.
    """
    wanted = "an image in base64"
    try:
        data = base64.b64decode("".join(_DATA_URL.sub("", text, count=1).split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise expected(where, wanted, repr(text)[:60]) from error
    return picture_of_bytes(data, where)


def picture_of_bytes(data: bytes, where: str) -> Bool:
    """The mask (H, W) that an image file's bytes show.

    Raises:
        DiffDopeError: if it is none.
    """
    stored = read_with(where, MemoryFile(f"{where} (an image in base64)", data), levels_of_image, levels_of)
    return _decided(stored, where)


def rows_of_pixels(value: Any, size: Size | None = None) -> NDArray[Any] | None:
    """Rows of a mask's pixels, (H, W) or (N, H, W); None for what is no such array, as polygons are none.

    Numbers other than 0 and 1 are pixels only if there are as many as the picture has.

    Args:
        value: lists of lists.
        size: (height, width) of the picture, where that is known.
    """
    depth, inner = 0, value
    while isinstance(inner, list) and inner and depth < 4:
        depth, inner = depth + 1, inner[0]
    if not 2 <= depth <= 3 or not isinstance(inner, bool | int | float):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # lists of several lengths
        return None
    if array.dtype.kind not in "biuf" or array.ndim != depth:
        return None
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    binary = array.dtype == bool or bool(((array == 0) | (array == 1)).all())
    fits = size is not None and array.shape[-2:] == tuple(size) and min(size) > 2
    large = min(array.shape[-2:]) > 2  # three corners or more, each of two numbers, are a polygon
    if not (fits or (binary and large)):
        return None
    return array.astype(np.uint8) if binary else array


def _decided(stored: Levels | NDArray[Any], where: str) -> Bool:
    if not isinstance(stored, Levels):
        raise expected(where, "a mask (H, W) of 0 and 1, or of probabilities", f"shape {np.shape(stored)}")
    try:
        return stored.object_pixels(None)
    except DiffDopeError as error:
        raise placed(f"{where}: ", error) from error


def _polygons(value: list[Any]) -> list[Any]:
    """Of one polygon or several, all."""
    if not isinstance(value[0], list):
        return [value]
    if all(isinstance(one, list) and len(one) == 2 and not isinstance(one[0], list) for one in value):
        return [value]  # [[x, y], ...]: no polygon has a single corner
    return value


def _are_shares(polygons: list[Any]) -> bool:
    try:
        corners = [np.asarray(one, np.float64) for one in polygons]
    except (TypeError, ValueError, OverflowError):
        return False
    return all(one.size >= 6 and one.size % 2 == 0 and one.min() >= 0 and one.max() <= 1 for one in corners)
