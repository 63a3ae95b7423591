"""A pose under BOP's keys in JSON, in millimetres, and beside it the matrix in metres."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffdope.errors import DiffDopeError, expected, refused
from diffdope.geometry.pose import Pose
from diffdope.io.json_files import field_of

_SAME_M = 1e-6  # files may hold ten digits


def pose_entry(pose: Pose) -> dict[str, Any]:
    """A pose as JSON: BOP's keys (millimetres) for other tools, and the 4 x 4 matrix in metres, which loses nothing."""
    R, t_mm = pose.to_bop()
    return {"cam_R_m2c": R, "cam_t_m2c": t_mm, "T_m2c_metres": pose.matrix.tolist()}


def pose_of(entry: Any, where: str) -> Pose:
    """The pose of a JSON object with cam_R_m2c (9 numbers, row-major) and cam_t_m2c (3, millimetres).

    Args:
        entry: the object; the matrix that `pose_entry` writes is taken where it is there.
        where: file and key, for the error.

    Raises:
        DiffDopeError: if a key is missing, its numbers are no pose, or the matrix is another pose.
    """
    R, t = field_of(entry, "cam_R_m2c", where), field_of(entry, "cam_t_m2c", where)
    try:
        pose = Pose.from_bop(R, t)
        if "T_m2c_metres" not in entry:
            return pose
        exact = Pose.from_matrix(entry["T_m2c_metres"])
    except DiffDopeError as error:
        raise refused(where, str(error)) from error
    off = float(np.abs(exact.matrix - pose.matrix).max())
    if off > _SAME_M * max(1.0, float(np.abs(pose.t_m2c).max())):
        cure = "leave out T_m2c_metres"
        raise expected(f"{where}, T_m2c_metres", "the pose of cam_R_m2c and cam_t_m2c", f"one {off:.3g} off", cure)
    return exact


def world_of(entry: Any, where: str) -> Pose | None:
    """T_w2c of an entry of scene_camera.json, metres; None where it has neither cam_R_w2c nor cam_t_w2c.

    Args:
        entry: the object.
        where: file and key, for the error.

    Raises:
        DiffDopeError: if one of the two is missing, or their numbers are no pose.
    """
    if not isinstance(entry, dict) or not {"cam_R_w2c", "cam_t_w2c"} & entry.keys():
        return None
    R, t = field_of(entry, "cam_R_w2c", where), field_of(entry, "cam_t_w2c", where)
    try:
        return Pose.from_bop(R, t)
    except DiffDopeError as error:
        raise refused(f"{where}, cam_R_w2c and cam_t_w2c", str(error)) from error
