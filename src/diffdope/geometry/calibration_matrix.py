"""Calibration matrices: what is in them, and which of them cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_finite, check_positive, check_shape, expected

if TYPE_CHECKING:
    from diffdope.geometry.camera import Camera

F64 = NDArray[np.float64]
_SHORTEST = 1e-4  # focal length over the longer side: a view of 179.98 degrees, which no pinhole has


def intrinsics_of(K: F64) -> tuple[float, float, float, float]:
    """(fx, fy, cx, cy) of a calibration matrix (3, 3), or of its 9 numbers.

    Raises:
        DiffDopeError: if it has skew, is transposed or not finite, or has another shape.
    """
    K = K.reshape(3, 3) if K.shape == (9,) else K
    check_shape("K", K, (3, 3))
    check_finite("K", K)
    tiny = 1e-6 * max(abs(K[0, 0]), 1.0)
    if np.abs(K[2, :2]).max() > tiny and np.abs(K[:2, 2]).max() <= tiny:
        cure = "K is transposed: give K.T"
        raise expected("K", "cx and cy in its last column", "them in its last row", cure)
    if np.abs(K[2] - [0.0, 0.0, 1.0]).max() > 1e-6:
        scaled = K[2, 2] > 0.0 and np.abs(K[2, :2]).max() <= 1e-6 * K[2, 2]
        cure = "K was scaled: give K / K[2, 2]" if scaled else ""
        raise expected("K", "last row (0, 0, 1)", K[2].tolist(), cure)
    if abs(K[0, 1]) > tiny or abs(K[1, 0]) > tiny:
        cure = "skewed pixels are not supported: undistort and rectify the image first"
        raise expected("K", "zero skew K[0, 1] and K[1, 0]", [float(K[0, 1]), float(K[1, 0])], cure)
    return float(K[0, 0]), float(K[1, 1]), float(K[0, 2]), float(K[1, 2])


def check_focal_length(name: str, focal_px: float, side_px: int) -> None:
    """Refuses a focal length that is none, or so short that it must be in another unit.

    Args:
        name: fx or fy.
        focal_px: pixels.
        side_px: the longer side of the picture.

    Raises:
        DiffDopeError: if so.
    """
    check_positive(name, focal_px)
    if focal_px < _SHORTEST * side_px:
        cure = "in metres or millimetres, divide it by the size of a pixel; a share of the width, multiply it by that"
        raise expected(name, f"a focal length in pixels of a picture of {side_px}", f"{focal_px:g}", cure)


def check_principal_point(camera: Camera) -> None:
    """Refuses a principal point that is not in the picture, as K of another size has it, or of swapped sides.

    Raises:
        DiffDopeError: if so.
    """
    off, swapped = _off_centre(camera, camera.width, camera.height), _off_centre(camera, camera.height, camera.width)
    size = f"{camera.width} x {camera.height} (width x height)"
    point = f"({camera.cx:g}, {camera.cy:g})"
    crop = "(a true off-centre crop: build Camera(fx, fy, cx, cy, width, height))"
    if min(camera.cx, camera.cy) >= 0.0 and max(camera.cx, camera.cy) <= 1.0 < min(camera.width, camera.height) / 2:
        cure = "K holds shares of the picture's size: multiply its first row by the width, its second by the height"
        raise expected("K", f"a principal point in pixels of the {size} image", point, cure)
    # Real ones are within a few per cent of the centre, so one that fits the swapped size is telling.
    if off > 0.12 and swapped < 0.06:
        cure = f"width and height look swapped {crop}"
        raise expected("K", f"a principal point near the centre of the {size} image", point, cure)
    if off > 0.5:
        cure = f"K belongs to another image size {crop}"
        raise expected("K", f"a principal point inside the {size} image", point, cure)


def _off_centre(camera: Camera, width: int, height: int) -> float:
    return max(abs((camera.cx + 0.5) / width - 0.5), abs((camera.cy + 0.5) / height - 0.5))
