"""Poses of a flange as robots' controllers show them: a position, and angles or a quaternion in the maker's convention.

| convention | columns | rotation |
|---|---|---|
| `ur` | x y z [m], rx ry rz [rad] | a rotation vector: axis times angle |
| `kuka` | X Y Z [mm], A B C [deg] | Rz(A) Ry(B) Rx(C) |
| `abb` | x y z [mm], q1 q2 q3 q4 | a quaternion, w first |
| `fanuc` | X Y Z [mm], W P R [deg] | Rz(R) Ry(P) Rx(W) |
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import as_floats, check_choice, check_finite, expected
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.array_files import read_arrays
from diffdope.io.json_files import read_json, read_text
from diffdope.io.numbers import check_decimal_points, is_number

F64 = NDArray[np.float64]
CONVENTIONS: dict[str, str] = {
    "ur": "x y z rx ry rz", "kuka": "X Y Z A B C", "abb": "x y z q1 q2 q3 q4", "fanuc": "X Y Z W P R",
}  # fmt: skip

_BRACKETS = re.compile(r"\bp\[|[\[\](){}]")  # a program of UR's writes p[...]
_UNIT = {"ur": "m"}  # of positions; the others' controllers have millimetres
_TURN_RAD = 2.0 * np.pi + 0.01  # no rotation vector is longer
_TURN_DEG = 360.0  # controllers show no angle beyond it
_FEW = 3  # poses that tell that angles are no degrees: a hand that is calibrated with turns by 20 of them
_NORM = 0.01  # by which a quaternion's may be off: it is shown in four to six digits


def read_robot_poses(path: Path, convention: str, unit: str | None = None) -> list[Pose] | dict[str, Pose]:
    """T_base_flange [m] of each picture: in their order, or by their names.

    Text, CSV or .npy: a row of 6 or 7 numbers for each picture, perhaps with its name before them, and a heading, which
    is passed over. JSON: a list of such rows, or an object of them by the pictures' names.

    Args:
        path: the file.
        convention: of its numbers: ur, kuka, abb or fanuc.
        unit: m or mm, of positions; None for the controller's own.

    Raises:
        DiffDopeError: if it holds something else, or numbers that cannot be of that convention.
    """
    check_choice("flange convention", convention, tuple(CONVENTIONS))
    if unit is not None:
        check_choice("flange unit", unit, ("m", "mm"))
    names, rows = _rows(path, convention)
    check_finite("flange poses", rows)
    scale = 1e-3 if (unit or _UNIT.get(convention, "mm")) == "mm" else 1.0
    R = _rotations(rows[:, 3:], convention, path)
    poses = [Pose(turn, scale * row[:3]) for turn, row in zip(R, rows, strict=True)]
    return poses if names is None else dict(zip(names, poses, strict=True))


def _rows(path: Path, convention: str) -> tuple[list[str] | None, F64]:
    """Names, where the file has them, and numbers (N, 6 or 7)."""
    count = len(CONVENTIONS[convention].split())
    ending, names = path.suffix.lower(), None
    data: Any
    if ending == ".json":
        data = read_json(path, "flange poses")
        if isinstance(data, dict):
            names, data = [str(key) for key in data], list(data.values())
    elif ending == ".npy":
        data = read_arrays("flange poses", path, "an array (pictures, numbers)")
    else:
        names, data = _of_text(read_text(path, "flange poses"), count)
    wanted = f"rows of {count} numbers ({CONVENTIONS[convention]}) in {path}"
    if isinstance(data, list) and {len(row) if isinstance(row, list) else 1 for row in data} != {count}:
        raise expected("flange poses", wanted, "others" if data else "none")
    values = as_floats("flange poses", data)
    if values.ndim != 2 or values.shape[1] != count:
        raise expected("flange poses", wanted, f"shape {values.shape}")
    if names is not None and len(set(names)) != len(names):
        raise expected("flange poses", f"each picture once in {path}", ", ".join(names)[:60])
    return names, values


def _of_text(text: str, count: int) -> tuple[list[str] | None, list[Any]]:
    """Names, where each row begins with one, and the rows, of numbers where they are such."""
    lines = [_BRACKETS.sub(" ", line.split("#", 1)[0]).strip(",; \t") for line in text.splitlines()]
    check_decimal_points("flange poses", lines)
    rows = [re.split(r"[,;\s]+", line) for line in lines if line]
    if rows and not all(map(is_number, rows[0][-count:])):
        rows = rows[1:]  # a heading
    names = None
    if rows and {len(row) for row in rows} == {count + 1}:
        names = [row[0] if is_number(row[0]) else Path(row[0]).stem for row in rows]
        rows = [row[1:] for row in rows]
    return names, [list(map(float, row)) if all(map(is_number, row)) else row for row in rows]


def _rotations(values: F64, convention: str, path: Path) -> F64:
    """(N, 3, 3).

    Raises:
        DiffDopeError: if the numbers are of another unit, or no quaternions.
    """
    if convention == "ur":
        longest = float(np.linalg.norm(values, axis=1).max())
        if longest > _TURN_RAD:
            cure = "degrees? roll, pitch and yaw? UR's own are radians, axis times angle"
            raise expected("flange poses", f"rotation vectors of at most 2 pi in {path}", f"{longest:.3g}", cure)
        return so3.exp(values)
    if convention == "abb":
        off = float(np.abs(np.linalg.norm(values, axis=1) - 1.0).max())
        if off > _NORM:
            raise expected("flange poses", f"unit quaternions q1 q2 q3 q4 in {path}", f"one that is off by {off:.2g}")
        return so3.matrix_from_wxyz(values)
    if len(values) >= _FEW and np.abs(values).max() < _TURN_RAD:
        cure = "as the controller shows them: are these radians?"
        raise expected("flange poses", f"angles in degrees in {path}", f"none above {np.abs(values).max():.3g}", cure)
    largest = float(np.abs(values).max())
    if largest > _TURN_DEG:
        raise expected("flange poses", f"angles of at most {_TURN_DEG:g} degrees in {path}", f"{largest:.4g}")
    about_z, about_y, about_x = np.radians(values if convention == "kuka" else values[:, ::-1]).T
    axes = np.eye(3)
    turns = [so3.exp(angle[:, None] * axes[k]) for k, angle in ((2, about_z), (1, about_y), (0, about_x))]
    return np.asarray(turns[0] @ turns[1] @ turns[2])
