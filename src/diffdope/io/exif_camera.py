"""The camera of a photograph that was not calibrated, as its EXIF tells it: a focal length, and the axis in the middle.

What EXIF states is the focal length of the lens at infinity, and what it would be on film of 36 x 24 mm, in whole
millimetres; so f in pixels is known to some percent. The angle of view that is equal is that of the diagonal (CIPA
DCG-001).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError, expected
from diffdope.io.camera_sizes import ROUNDED
from diffdope.io.heic import ENDINGS as HEIC
from diffdope.io.heic import prepare_heic
from diffdope.io.images import ORIENTATION

PHOTOGRAPHS = (".jpg", ".jpeg", ".jpe", ".mpo", ".tif", ".tiff", ".png", ".webp", *HEIC)
"""Endings of files that are photographs, and no camera files."""

_EXIF = 0x8769  # the tag below which EXIF's other tags are
_FOCAL_MM, _FILM_MM = 0x920A, 0xA405  # FocalLength, FocalLengthIn35mmFilm
_PER_UNIT, _UNIT = 0xA20E, 0xA210  # FocalPlaneXResolution, FocalPlaneResolutionUnit
_WIDTH, _HEIGHT = 0xA002, 0xA003  # PixelXDimension, PixelYDimension: of the picture as it was taken
# Of FocalPlaneResolutionUnit: inches, centimetres, millimetres and micrometres.
_UNITS_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_DIAGONAL_MM = math.hypot(36.0, 24.0)  # of 35 mm film, for which equivalent focal lengths are stated
_DEVIATION = 0.03
"""Of such a focal length, as a share: whole millimetres of 26 are 1 % (a deviation), and what focusing near, and
correcting a lens or a shaking hand, do to it, is as much or twice as much."""
_LONGEST = 50.0  # sides of a picture: a lens of 1800 mm on film
_TURNED = (5, 6, 7, 8)  # values of Orientation that exchange rows and columns
_CURE = 'calibrate the camera, or write {"fx": .., "fy": .., "cx": .., "cy": .., "focal_deviation": 0.05}'


def entry_of_photograph(path: Path, name: str = "camera") -> dict[str, Any]:
    """A camera's names and values from a photograph's EXIF, for the picture turned as it is to be shown.

    Args:
        path: of the photograph.
        name: the argument to blame.

    Raises:
        DiffDopeError: if the file cannot be read, its EXIF has no focal length, or it was cropped.
    """
    from PIL import Image

    try:
        prepare_heic(name, path)
        with Image.open(path) as image:
            size, exif, heic = image.size, image.getexif(), image.format == "HEIF"
            stated = dict(exif.get_ifd(_EXIF))
    except DiffDopeError:
        raise
    except Exception as error:  # of a damaged file Pillow raises whatever its fields lead to
        raise expected(f"{name} file {path}", "a camera file, or a photograph with EXIF", str(error)) from error
    taken = _number(stated, _WIDTH), _number(stated, _HEIGHT)
    factor = 1.0  # by which it was resized
    if heic and (size[0] > size[1]) != (taken[0] > taken[1]):  # its reader has turned it, and says so no longer
        taken = taken[::-1]
    if all(taken):
        factor, down = size[0] / taken[0], size[1] / taken[1]
        if abs(factor / down - 1.0) > ROUNDED:
            got = f"{size[0]} x {size[1]}, taken at {taken[0]:g} x {taken[1]:g}"
            raise expected(f"{name} file {path}", "a photograph that was not cropped, for its EXIF", got, _CURE)
    focal_px = _focal_px(stated, size, factor)
    if focal_px is None or focal_px > _LONGEST * max(size):
        raise _no_focal_length(path, name)
    width, height = size[::-1] if exif.get(ORIENTATION, 1) in _TURNED else size
    return {
        "fx": focal_px, "fy": focal_px, "cx": 0.5 * (width - 1), "cy": 0.5 * (height - 1), "width": width,
        "height": height, "focal_deviation": _DEVIATION,
    }  # fmt: skip


def _focal_px(stated: dict[int, Any], size: tuple[int, int], factor: float) -> float | None:
    """Pixels of the picture; None where nothing tells it."""
    film_mm = _number(stated, _FILM_MM)
    if film_mm:
        return film_mm / _DIAGONAL_MM * math.hypot(*size)
    unit_mm = _UNITS_MM.get(int(_number(stated, _UNIT) or 2), 0.0)
    focal_mm, per_unit = _number(stated, _FOCAL_MM), _number(stated, _PER_UNIT)
    if not (focal_mm and per_unit and unit_mm):
        return None
    return focal_mm * per_unit / unit_mm * factor


def _number(stated: dict[int, Any], tag: int) -> float:
    """A positive number; 0 where there is none, or one that cannot be."""
    try:
        number = float(stated.get(tag, 0.0))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return 0.0
    return number if math.isfinite(number) and number > 0.0 else 0.0


def _no_focal_length(path: Path, name: str) -> DiffDopeError:
    wanted = "a camera file, or a photograph whose EXIF has FocalLengthIn35mmFilm"
    return expected(f"{name} file {path}", wanted, "a photograph without it", _CURE)
