"""Poses of a robot's flange, one a picture, and other poses of a calibration as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError, expected, refused
from diffdope.geometry.pose import Pose
from diffdope.io.json_files import read_json
from diffdope.io.names import counted


def read_flange_poses(path: Path, pictures: Sequence[str]) -> list[Pose]:
    """T_base_flange of each picture, metres: p_base = T_base_flange p_flange.

    JSON: `{"000000": [[4 x 4]], ...}` by the pictures' names, or a list in the order of the pictures.

    Args:
        path: the file.
        pictures: names without endings.

    Raises:
        DiffDopeError: if it holds something else, a picture has no pose, or one is no rigid transform.
    """
    data = read_json(path, "flange poses")
    if isinstance(data, list) and len(data) == len(pictures):
        data = dict(zip(counted(pictures), data, strict=True))
    if not isinstance(data, dict):
        got = f"{len(data)} entries" if isinstance(data, list) else type(data).__name__
        raise expected("flange poses", f"4 x 4 matrices of {len(pictures)} pictures in {path}", got)
    missing = [name for name in pictures if name not in data]
    if missing:
        raise expected("flange poses", f"a matrix for each of {len(pictures)} pictures", f"none for {missing[0]}")
    return [_pose(data[name], f"flange pose of {name}", path) for name in pictures]


def read_named_pose(path: Path, name: str, argument: str) -> Pose:
    """A pose of a JSON file: a 4 x 4 matrix, or an object with the pose's name or that of its inverse.

    Args:
        path: the file.
        name: T_a_b, as in `result.json`.
        argument: what messages call it.

    Raises:
        DiffDopeError: if the file holds neither, or no rigid transform.
    """
    data = read_json(path, argument)
    _, a, b = name.split("_")
    other = f"T_{b}_{a}"
    if isinstance(data, list):
        return _pose(data, argument, path)
    if isinstance(data, dict) and name in data:
        return _pose(data[name], argument, path)
    if isinstance(data, dict) and other in data:
        return _pose(data[other], argument, path).inverse()
    got = f"keys {', '.join(map(str, data))}" if isinstance(data, dict) else type(data).__name__
    raise expected(argument, f"a 4 x 4 matrix, {name} or {other} in {path}", got)


def _pose(value: Any, argument: str, path: Path) -> Pose:
    try:
        return Pose.from_matrix(value)
    except DiffDopeError as error:
        raise refused(argument, f"{error} ({path})") from error
