"""Poses of a robot's flange, one a picture, and other poses of a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.errors import DiffDopeError, expected, refused, told_more
from diffdope.geometry.pose import Pose
from diffdope.io.json_files import read_json
from diffdope.io.names import counted
from diffdope.io.pose_objects import StatedPose, entries_of
from diffdope.io.pose_texts import read_entries
from diffdope.io.robot_poses import CONVENTIONS, read_robot_poses
from diffdope.io.yaml_files import read_yaml

_FARTHEST_M = 20.0  # of a flange from its base: no arm reaches so far; in millimetres, it would be 2 cm


def read_flange_poses(
    path: Path, pictures: Sequence[str], *, convention: str | None = None, unit: str | None = None
) -> list[Pose]:
    """T_base_flange of each picture, metres: p_base = T_base_flange p_flange.

    JSON or YAML: `{"000000": [[4 x 4]], ...}` by the pictures' names, or a list in the order of the pictures; in place
    of a matrix, what start poses may be (position and orientation, R and t, a named quaternion). Other files of poses
    (TUM, CSV, .npy): in the order of the pictures. Metres, unless the file says otherwise.

    Args:
        path: the file.
        pictures: names without endings.
        convention: of a robot's maker, for numbers as its controller shows them: see `read_robot_poses`.
        unit: m or mm, of those.

    Raises:
        DiffDopeError: if it holds something else, a picture has no pose, one is no rigid transform, or farther from the
            base than robots reach.
    """
    if convention is not None:
        data: Any = read_robot_poses(path, convention, unit)
    elif unit is not None:
        raise expected("flange unit", "none without a convention", unit, "name the convention of the numbers")
    elif path.suffix.lower() not in (".json", ".yaml", ".yml"):
        data = _in_order(path)
    elif path.suffix.lower() == ".json":
        data = read_json(path, "flange poses")
    else:
        data = read_yaml(path, "flange poses")
    if isinstance(data, list) and len(data) == len(pictures):
        data = dict(zip(counted(pictures), data, strict=True))
    if not isinstance(data, dict):
        got = f"{len(data)} entries" if isinstance(data, list) else type(data).__name__
        raise expected("flange poses", f"4 x 4 matrices of {len(pictures)} pictures in {path}", got)
    missing = [name for name in pictures if name not in data]
    if missing:
        raise expected("flange poses", f"a matrix for each of {len(pictures)} pictures", f"none for {missing[0]}")
    return [_flange(data[name], f"flange pose of {name}", path) for name in pictures]


def _in_order(path: Path) -> Any:
    """Poses of a file that has no names of pictures."""
    try:
        return read_entries(path, "flange poses")
    except DiffDopeError as error:
        if path.suffix.lower() not in (".csv", ".txt"):
            raise
        makers = ", ".join(CONVENTIONS)
        raise told_more(error, f"; numbers as a controller shows them need a flange convention: {makers}") from error


def _flange(value: Any, argument: str, path: Path) -> Pose:
    """A pose of whatever form, metres."""
    if isinstance(value, Pose):
        return _near(value, argument, path)
    if isinstance(value, list):
        return _near(_pose(value, argument, path), argument, path)
    stated = [value] if isinstance(value, StatedPose) else entries_of(value, f"{argument} ({path})")
    if len(stated) != 1:
        raise expected(argument, f"one pose in {path}", len(stated))
    try:
        pose = Pose(stated[0].R, stated[0].t * (1e-3 if stated[0].unit == "mm" else 1.0))
    except DiffDopeError as error:
        raise refused(argument, f"{error} ({path})") from error
    return _near(pose, argument, path)


def _near(pose: Pose, argument: str, path: Path) -> Pose:
    """The pose, unless it is millimetres."""
    far = float(np.linalg.norm(pose.t_m2c))
    if far > _FARTHEST_M:
        raise expected(argument, f"metres, at most {_FARTHEST_M:g}", f"{far:g} in {path}", "are they millimetres?")
    return pose


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
