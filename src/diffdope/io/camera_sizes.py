"""Which size of pictures a K is for: what the file says, what the user says, what the principal point says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from diffdope.errors import DiffDopeError, check_count, expected
from diffdope.io.camera_entries import camera_of

ROUNDED = 0.01  # by which the factors of width and height differ, where sizes were rounded to whole pixels
_SAME_SHAPE = 0.06  # real principal points are within a few per cent of the centre
_RESIZED = 1.25  # pictures are resized by more than that, and no principal point is so far off
# By which pictures are reduced or enlarged as a rule.
_FACTORS = (1 / 4, 1 / 3, 3 / 8, 1 / 2, 2 / 3, 3 / 4, 4 / 3, 3 / 2, 2.0, 8 / 3, 3.0, 4.0)


def size_of_K(
    stated: tuple[int, int] | None, picture: tuple[int, int], camera_size: tuple[int, int] | None
) -> tuple[int, int] | None:
    """The size of the pictures that K is for; None where nobody says.

    Raises:
        DiffDopeError: if it is not that of the picture, and nobody said that K is to be converted.
    """
    if camera_size is not None:
        size = _checked_camera_size(camera_size)
        if stated is not None and size not in (stated, picture):
            wanted = f"{stated[0]}x{stated[1]} as in the camera file"
            cure = (
                f"the pictures are {picture[0]}x{picture[1]}, {_factor(stated, picture)} as large: give --camera-size "
                f"{stated[0]}x{stated[1]} (camera_size=), which converts K, or correct the file"
            )
            if stated == picture:
                cure = "the pictures have that size: leave --camera-size (camera_size=) out, or correct the file"
            raise expected("camera_size", wanted, f"{size[0]}x{size[1]}", cure)
        return stated or size
    if stated is None or stated == picture:
        return stated
    raise _other_size(stated, picture)


def _factor(own: tuple[int, int], picture: tuple[int, int]) -> str:
    """How many times as large a picture is, across and down where that differs."""
    sx, sy = picture[0] / own[0], picture[1] / own[1]
    return f"{sx:.4g} times" if abs(sx / sy - 1.0) <= ROUNDED else f"{sx:.4g} times across and {sy:.4g} down"


def check_same_shape(own: tuple[int, int], picture: tuple[int, int]) -> None:
    """Refuses a K that would have to be converted by one factor across and by another down.

    Raises:
        DiffDopeError: if so, naming both factors.
    """
    sx, sy = picture[0] / own[0], picture[1] / own[1]
    rounded = any(abs(n * s - m) <= 1.0 for n, s, m in zip(own, (sy, sx), picture, strict=True))  # to whole pixels
    if abs(sx / sy - 1.0) > ROUNDED and not rounded:
        cure = (
            f"they differ by {sx:.4g} across and by {sy:.4g} down: give the size of the pictures that K is for, before "
            "they were resized; of a crop, subtract its top-left pixel from cx and cy"
        )
        wanted = f"the shape of the {picture[0]}x{picture[1]} picture"
        raise expected("camera_size", wanted, f"{own[0]}x{own[1]}", cure)


def _checked_camera_size(size: Any) -> tuple[int, int]:
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise expected("camera_size", "(width, height)", repr(size))
    width, height = (check_count("camera_size", part, expectation="two positive whole numbers") for part in size)
    return width, height


def _other_size(stated: tuple[int, int], picture: tuple[int, int]) -> DiffDopeError:
    """The error that names the factor, or what else may have happened to the pictures."""
    sx, sy = picture[0] / stated[0], picture[1] / stated[1]
    name, k = ("width", 0) if picture[0] != stated[0] else ("height", 1)
    if abs(sx / sy - 1.0) <= ROUNDED:
        cure = (
            f"the pictures were resized by {sx:.4g}: give --camera-size {stated[0]}x{stated[1]} (camera_size=), which "
            "converts K, or pictures of that size"
        )
    elif picture == stated[::-1]:
        cure = "the camera file is for another image size, or width and height are swapped"
    else:
        dx, dy = (stated[0] - picture[0]) / 2, (stated[1] - picture[1]) / 2
        cure = (
            f"no single factor ({sx:.4g} across, {sy:.4g} down): the pictures were cropped or squeezed; of a crop "
            f"whose top-left pixel was (x0, y0), subtract it from cx and cy: ({dx:g}, {dy:g}) if the middle was kept"
        )
    return expected(name, f"{stated[k]} as in the camera file", picture[k], cure)


def check_scale(entry: Mapping[str, Any], width: int, height: int) -> None:
    """Refuses a K whose principal point is in the middle of a picture of the same shape, but of another size.

    Raises:
        DiffDopeError: naming the factor.
    """
    camera = camera_of(entry, width=width, height=height, check=False)
    sx, sy = (2 * camera.cx + 1) / width, (2 * camera.cy + 1) / height
    if not (sx > 0 and sy > 0) or abs(sx / sy - 1.0) > _SAME_SHAPE or 1 / _RESIZED < np.sqrt(sx * sy) < _RESIZED:
        return
    factor = min(_FACTORS, key=lambda one: abs(np.log(one / np.sqrt(sx * sy))))
    if abs(np.log(factor / np.sqrt(sx * sy))) > _SAME_SHAPE:
        factor = float(np.sqrt(sx * sy))
    own = f"{round(width * factor)}x{round(height * factor)}"
    cure = (
        f"give --camera-size {own} (camera_size=), which converts K, or --camera-size {width}x{height} if it is right"
    )
    point = f"({camera.cx:g}, {camera.cy:g}), as of pictures {factor:.3g} times as large"
    raise expected("K", f"a principal point near the centre of the {width} x {height} picture", point, cure)
