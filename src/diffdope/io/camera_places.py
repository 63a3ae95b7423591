"""Which way a transform between a camera and the world goes, as names and messages of tools tell it.

T_a_b takes points from frame b to frame a; a2b, a_to_b and b_from_a those from a to b. ROS's transforms are of a child
frame in its parent: T_parent_child. `diffdope calibrate` writes all of these (`io/transforms.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.pose_names import numbers_of
from diffdope.io.pose_objects import entries_of

_CAMERA = r"(?:c|(?:cam(?:era)?\d*_?)?(?:(?:color|rgb|depth|left|right)_?)?(?:cam(?:era)?\d*|optical(?:_frame)?))"
_WORLD = r"(?:w|b|world|base(?:_?link)?|robot(?:_?base)?|map|rig|ref(?:erence)?|table)"
_TO_CAMERA = re.compile(
    rf"(?:[tr]_?cw|(?:t|tf|r)_{_CAMERA}_{_WORLD}|(?:[tr]_)?(?:{_WORLD}(?:2|_to_){_CAMERA}|{_CAMERA}_from_{_WORLD}))"
)
_TO_WORLD = re.compile(
    rf"(?:[tr]_?wc|(?:t|tf|r)_{_WORLD}_{_CAMERA}|(?:[tr]_)?(?:{_CAMERA}(?:2|_to_){_WORLD}|{_WORLD}_from_{_CAMERA}))"
)
_SAYS_SOMETHING = re.compile(
    r"(?:t|tf|r)_[a-z]+\d*_\w+|(?=.*(?:cam|world|base|robot))[a-z_]+\d*(?:2|_to_|_from_)[a-z]\w*"
)
_BODY = ("_link", "_frame", "_body")  # as ROS's frames of a camera's body end, whose x points forward (REP 103)
_CURE = "name it T_w2c (T_camera_world, T_camera_base) or T_c2w (T_world_camera, T_base_camera)"


def stated_place(entry: Mapping[str, Any], where: str) -> tuple[Pose, bool] | None:
    """What a file's object holds of one camera's place, and whether that is camera to world; None if nothing says so.

    Args:
        entry: names and values: 4 x 4 matrices or R_ and t_ under names that tell the direction, or a message of ROS
            or easy_handeye; metres.
        where: for the error.

    Raises:
        DiffDopeError: if it holds no rigid transform, or one of another direction, frame or camera than a scene's.
    """
    found, unknown = None, ""
    for name, value in entry.items():
        pose = _named_pose(entry, str(name), value)
        if pose is None:
            continue
        to_world = _to_world(str(name))
        if to_world is not None:
            found = found or (pose, to_world)
        elif _SAYS_SOMETHING.fullmatch(str(name).lower()):
            unknown = unknown or str(name)
    if found is None and unknown:
        raise expected(f"{where}, key {unknown}", "a transform between a camera and the world", repr(unknown), _CURE)
    return found or _of_easy_handeye(entry, where) or _of_ros(entry, where)


def _to_world(name: str) -> bool | None:
    word = name.lower()
    if _TO_CAMERA.fullmatch(word):
        return False
    return True if _TO_WORLD.fullmatch(word) else None


def _named_pose(entry: Mapping[str, Any], name: str, value: Any) -> Pose | None:
    """The pose under a name: a matrix, or a rotation R_... whose t_... stands beside it."""
    numbers = numbers_of(value)
    if numbers is not None and numbers.size == 16:
        return Pose.from_matrix(numbers.reshape(4, 4))
    beside = numbers_of(entry.get(f"t{name[1:]}")) if name.startswith("R_") else None
    if numbers is None or numbers.size != 9 or beside is None or beside.size != 3:
        return None
    return Pose(numbers.reshape(3, 3), beside.ravel())


def _of_easy_handeye(entry: Mapping[str, Any], where: str) -> tuple[Pose, bool] | None:
    about = entry.get("parameters")
    if not isinstance(about, Mapping) or not ("transformation" in entry or "transform" in entry):
        return None
    if about.get("eye_on_hand") is True or "in_hand" in str(about.get("calibration_type")):
        raise expected(where, "the place of a camera that stands still", "that of one on a robot's hand")
    (stated,) = entries_of(dict(entry), where)
    return Pose(np.asarray(stated.R), stated.t), True


def _of_ros(entry: Mapping[str, Any], where: str) -> tuple[Pose, bool] | None:
    """The one transform of a TFMessage or TransformStamped that has an optical frame on one side."""
    listed = entry.get("transforms", [entry])
    stamped = [(one, frames) for one in (listed if isinstance(listed, list) else []) if (frames := _frames(one))]
    optical = [(one, frames) for one, frames in stamped if len({"optical" in frame for frame in frames}) == 2]
    if len(optical) == 1:
        ((message, (_, child)),) = optical
        (stated,) = entries_of(dict(message), where)
        return Pose(np.asarray(stated.R), stated.t), "optical" in child
    for _, (parent, child) in stamped:
        if "cam" in child and child.endswith(_BODY):
            cure = "give the transform of its optical frame (x right, y down, z forward); ROS's body has x forward"
            raise expected(where, "the place of a camera's optical frame", f"{child} in {parent}", cure)
    return None


def _frames(message: Any) -> tuple[str, str] | None:
    """(parent, child) of a TransformStamped, in lower case; None if it is none."""
    if not isinstance(message, Mapping) or not isinstance(message.get("header"), Mapping):
        return None
    parent, child = message["header"].get("frame_id"), message.get("child_frame_id")
    return (parent.lower(), child.lower()) if isinstance(parent, str) and isinstance(child, str) else None
