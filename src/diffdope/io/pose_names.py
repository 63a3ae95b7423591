"""A rotation and a position under the names that tools give them.

| tool | rotation | position |
|---|---|---|
| ROS | orientation, rotation: w, x, y, z by name | position, translation: x, y, z by name |
| easy_handeye, tables | qw qx qy qz | x y z, tx ty tz |
| DOPE, many others | quaternion_xyzw, quaternion_wxyz, xyzw, wxyz | location, translation, xyz |
| OpenCV | rvec: axis times angle, radians | tvec |
| many | R, rotation, rotation_matrix: 9 numbers row by row | t, translation |

What does not tell its order, four bare numbers or three angles, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

_ROTATIONS = ("r", "rotation", "rot", "rotation_matrix", "rotationmatrix", "rmat", "r_m2c")
_QUATERNIONS = ("quaternion", "orientation", "rotation", "quat", "q", "rot")
_VECTORS = ("rvec", "rvecs", "rotvec", "rotation_vector", "rodrigues")
_POSITIONS = (
    "t", "translation", "trans", "tvec", "tvecs", "position", "pos", "location", "xyz", "translation_vector",
)  # fmt: skip
_QUATERNION_PARTS = ("q", "q_", "quat_", "quaternion_", "orientation_", "rotation_")
_POSITION_PARTS = ("", "t", "t_", "p", "pos_", "position_", "translation_", "location_")
_ANGLES = ("roll", "pitch", "yaw", "rpy", "euler", "euler_angles", "rx")
_IN_ORDER = "name the four numbers quaternion_wxyz or quaternion_xyzw, or each of them: qw, qx, qy, qz"


def rotation_in(keys: Mapping[str, Any], where: str) -> F64 | None:
    """The rotation (3, 3) of an object, as it stands; None if it has none.

    Args:
        keys: its values by their names, which are in lower case.
        where: for the error.

    Raises:
        DiffDopeError: if the order of its numbers is not told, or they make no rotation.
    """
    for key in _ROTATIONS:
        numbers = numbers_of(keys.get(key))
        if numbers is not None and numbers.size == 9:
            return numbers.reshape(3, 3)
    quaternion = _quaternion_in(keys, where)
    if quaternion is not None:
        return Pose.from_wxyz_xyz([*quaternion, 0.0, 0.0, 0.0]).R_m2c
    for key in _VECTORS:
        numbers = numbers_of(keys.get(key))
        if numbers is not None and numbers.size == 3:
            return _of_vector(numbers.ravel(), f"{where}, {key}")
    _refuse_unordered(keys, where)
    return None


def position_in(keys: Mapping[str, Any], where: str) -> F64 | None:
    """The position (3,) of an object, in its unit; None if it has none; see `rotation_in`."""
    for key in _POSITIONS:
        value = keys.get(key)
        if isinstance(value, Mapping) and {"x", "y", "z"} <= value.keys():
            return np.array(named_numbers(value, ("x", "y", "z"), where))
        numbers = numbers_of(value)
        if numbers is not None and numbers.size == 3:
            return numbers.ravel()
    for prefix in _POSITION_PARTS:
        names = tuple(f"{prefix}{axis}" for axis in "xyz")
        if all(name in keys for name in names):
            return np.array(named_numbers(keys, names, where))
    return None


def numbers_of(value: Any) -> F64 | None:
    """A list of numbers, or of lists of them, or OpenCV's matrix; None for something else."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype.kind in "iuf" else None
    if isinstance(value, Mapping) and isinstance(value.get("data"), list) and {"rows", "cols"} <= value.keys():
        data = numbers_of(value["data"])
        shape = value["rows"], value["cols"]
        whole = all(isinstance(side, int) and side >= 0 for side in shape)
        return data.reshape(shape) if data is not None and whole and data.size == math.prod(shape) else None
    if not isinstance(value, list) or not value:
        return None
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None


def named_numbers(value: Mapping[str, Any], names: tuple[str, ...], where: str) -> list[float]:
    """Numbers of an object by their names.

    Raises:
        DiffDopeError: if one is missing, or is no number.
    """
    missing = [name for name in names if not isinstance(value.get(name), int | float)]
    if missing:
        raise expected(where, f"numbers {', '.join(names)}", f"no {', '.join(missing)}")
    return [float(value[name]) for name in names]


def _quaternion_in(keys: Mapping[str, Any], where: str) -> list[float] | None:
    """(w, x, y, z), where the names tell the order."""
    for key in _QUATERNIONS:
        value = keys.get(key)
        for prefix in ("", "q"):
            names = tuple(f"{prefix}{part}" for part in "wxyz")
            if isinstance(value, Mapping) and all(name in value for name in names):
                return named_numbers(value, names, f"{where}, {key}")
    for prefix in _QUATERNION_PARTS:
        names = tuple(f"{prefix}{part}" for part in "wxyz")
        if all(name in keys for name in names):
            return named_numbers(keys, names, where)
    for key, value in keys.items():
        order = "".join(letter for letter in key if letter.isalnum())[-4:]
        numbers = numbers_of(value)
        if order in ("wxyz", "xyzw") and numbers is not None and numbers.size == 4:
            ordered = numbers.ravel().tolist()
            return ordered if order == "wxyz" else [ordered[3], *ordered[:3]]
    return None


def _of_vector(numbers: F64, where: str) -> F64:
    angle = float(np.linalg.norm(numbers))
    if not angle <= 2.0 * math.pi + 1e-6:
        cure = "is it in degrees, or are these Euler angles?"
        raise expected(where, "a rotation vector: axis times angle, at most 2 pi radians long", f"{angle:.4g}", cure)
    return so3.exp(numbers)


def _refuse_unordered(keys: Mapping[str, Any], where: str) -> None:
    """Raises the error of a rotation that is there and could be several."""
    for key in _QUATERNIONS:
        numbers = numbers_of(keys.get(key))
        if numbers is not None and numbers.size == 4:
            raise expected(f"{where}, {key}", "a quaternion whose order is told", "four bare numbers", _IN_ORDER)
        if numbers is not None and numbers.size == 3:
            cure = "name it rvec if it is axis times angle in radians; of Euler angles make a quaternion or a matrix"
            raise expected(f"{where}, {key}", "a rotation whose meaning is told", "three bare numbers", cure)
    angles = [key for key in keys if key in _ANGLES or key.startswith("euler")]
    if angles:
        cure = "conventions of angles differ: make a quaternion (qw, qx, qy, qz) or a matrix of them"
        raise expected(where, "a rotation whose meaning is told", f"angles: {', '.join(angles)}", cure)
