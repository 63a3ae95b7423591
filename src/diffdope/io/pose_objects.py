"""The poses of a value that JSON or YAML holds, whichever tool wrote it; files: `io/pose_texts.py`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.error_kinds import unknown_keys
from diffdope.errors import check_finite, expected
from diffdope.geometry.pose import Pose
from diffdope.io.bop_poses import pose_of
from diffdope.io.numbers import DIGITS, is_whole
from diffdope.io.pose_names import named_numbers, numbers_of, position_in, rotation_in

F64 = NDArray[np.float64]
MATRIX_KEYS = (
    "t_m2c_metres", "t_m2c", "t_cam_obj", "t_camera_object", "ob_in_cam", "matrix", "pose", "transform",
    "transformation", "t",
)  # fmt: skip
"""Names of 4 x 4 matrices, in lower case."""
_LISTS = ("objects", "detections", "poses", "transforms")  # of DOPE, vision_msgs, PoseArray, TFMessage
_INNER = ("pose", "transform", "transformation")  # of PoseStamped, PoseWithCovariance, easy_handeye
POSE_OF_A_CAMERA = "a 4 x 4 matrix, position and orientation, or TWO"
_POSE_OF_AN_OBJECT = f"the key cam_R_m2c, and cam_t_m2c, or {POSE_OF_A_CAMERA}"
NAMES_ARE_LISTED = "docs/files.md lists the names that are known"
_NAMES = ("label", "class", "class_id", "id")  # of an object, in the order of what says most


@dataclass(frozen=True)
class StatedPose:
    """A pose as a file states it.

    Attributes:
        R: (3, 3) as it stands, perhaps no rotation.
        t: (3,) in the unit of the file.
        unit: "mm" or "m" where the format says so; None where the distance has to.
        obj_id: which model, where the file says.
        image_id: which image, where the file says.
        score: of the method that found it, where the file says.
        exact: the pose to the last bit, where the file holds it in metres too.
        label: the object's name, where the file says one without a number.
        frame: that the pose is given in, where the file says.
        longer: the unit of a distance that is too long for metres.
    """

    R: F64
    t: F64
    unit: str | None
    obj_id: int | None = None
    image_id: int | None = None
    score: float | None = None
    exact: Pose | None = None
    label: str = ""
    frame: str = ""
    longer: str = "mm"


def entries_of(data: Any, where: str) -> list[StatedPose]:
    """All poses of a value that JSON or YAML holds; see `read_entries`."""
    numbers = numbers_of(data)
    if numbers is not None:
        return of_matrices(numbers, where)
    if isinstance(data, list):
        return [entry for k, one in enumerate(data) for entry in entries_of(one, f"{where}, entry {k}")]
    if not isinstance(data, dict):
        raise expected(where, "a pose", type(data).__name__)
    if data and all(is_whole(str(key)) for key in data):
        return [
            replace(one, image_id=int(key))
            for key, those in data.items() for one in entries_of(those, f"{where}, key {key}")
        ]  # fmt: skip
    for key in _LISTS:
        if isinstance(data.get(key), list):
            return _listed(data, key, where)
    if "cam_R_m2c" in data or "cam_t_m2c" in data:
        exact: Pose | None = pose_of(data, where)
        assert exact is not None
        R, t = exact.R_m2c, 1e3 * exact.t_m2c
        unit: str | None = "mm"
    elif (found := _several_vectors(data, where)) is not None:
        return found
    else:
        exact = None
        R, t, unit = _pose_in(data, where)
    obj_id, label = _whole(data.get("obj_id")), ""
    image_id = _whole(data.get("im_id", data.get("image_id")))
    if obj_id is None:
        obj_id, label = _object_of(data)
    return [StatedPose(R, t, unit, obj_id, image_id, exact=exact, label=label, frame=_frame_of(data))]


def _listed(data: Mapping[str, Any], key: str, where: str) -> list[StatedPose]:
    """The poses of a message, or of a file of DOPE, whose lengths are centimetres unless that is too near."""
    found = []
    for k, one in enumerate(data[key]):
        at = f"{where}, {key}[{k}]"
        own = _of_detection(one, at) if key == "detections" and isinstance(one, Mapping) else entries_of(one, at)
        found += [replace(entry, frame=entry.frame or _frame_of(data)) for entry in own]
    if not found:
        raise expected(where, f"a pose in {key}", "none: nothing was found there")
    return [replace(entry, longer="cm") for entry in found] if key == "objects" else found


def _of_detection(data: Mapping[str, Any], where: str) -> list[StatedPose]:
    """The poses of vision_msgs' Detection3D: of its hypotheses; without any, of its box."""
    found = []
    for one in data.get("results") or []:
        said = one.get("hypothesis", one) if isinstance(one, Mapping) else None
        if not isinstance(said, Mapping):
            raise expected(where, "results of vision_msgs/Detection3D", type(one).__name__)
        R, t, unit = _pose_in(one, where)
        obj_id, label = _object_of(said)
        found.append(StatedPose(R, t, unit, obj_id, label=label, frame=_frame_of(data)))
    box = data.get("bbox")
    if not found and isinstance(box, Mapping) and isinstance(box.get("center"), Mapping):
        R, t, unit = _pose_in(box["center"], f"{where}, bbox, center")
        return [StatedPose(R, t, unit, frame=_frame_of(data))]
    return found or entries_of(dict(data), where)


def _object_of(data: Mapping[str, Any]) -> tuple[int | None, str]:
    """The number of a model, if its name has one; else the name."""
    for key in _NAMES:
        value = data.get(key)
        if key == "class_id" and _whole(value) is not None:
            return value, ""
        if isinstance(value, str) and value:
            digits = re.search(rf"({DIGITS})$", value)
            return (int(digits[1]), "") if digits else (None, value)
    return None, ""


def _frame_of(data: Mapping[str, Any]) -> str:
    header = data.get("header")
    return str(header.get("frame_id") or "") if isinstance(header, Mapping) else ""


def _several_vectors(data: Mapping[str, Any], where: str) -> list[StatedPose] | None:
    """The poses of OpenCV's rvecs and tvecs, of which there are several; None if there are none."""
    vectors = [numbers_of(data.get(key)) for key in ("rvecs", "tvecs")]
    if any(one is None or one.size <= 3 or one.size % 3 for one in vectors):
        return None
    rvecs, tvecs = (one.reshape(-1, 3) for one in vectors if one is not None)
    if len(rvecs) != len(tvecs):
        raise expected(where, "as many rvecs as tvecs", f"{len(rvecs)} and {len(tvecs)}")
    found = []
    for k, (rvec, tvec) in enumerate(zip(rvecs, tvecs, strict=True)):
        R = rotation_in({"rvec": rvec}, f"{where}, {k}")
        assert R is not None
        found.append(StatedPose(R, tvec, None))
    return found


def _pose_in(data: Mapping[str, Any], where: str) -> tuple[F64, F64, str | None]:
    keys = {str(key).lower(): value for key, value in data.items()}
    if "two" in keys:
        return _megapose(keys, where)
    for pair in (("position", "orientation"), ("translation", "rotation")):
        if all(isinstance(keys.get(key), Mapping) for key in pair):
            t = named_numbers(keys[pair[0]], ("x", "y", "z"), where)
            wxyz = named_numbers(keys[pair[1]], ("w", "x", "y", "z"), where)
            return Pose.from_wxyz_xyz([*wxyz, *t]).R_m2c, np.array(t), "m"
    for inner in _INNER:
        if isinstance(keys.get(inner), Mapping) and numbers_of(keys[inner]) is None:
            return _pose_in(keys[inner], f"{where}, {inner}")
    for key in MATRIX_KEYS:
        numbers = numbers_of(keys.get(key))
        if numbers is not None and numbers.size in (12, 16):
            (entry,) = of_matrices(numbers, f"{where}, {key}")
            return entry.R, entry.t, "m" if key == "t_m2c_metres" else None
    R, t_ = rotation_in(keys, where), position_in(keys, where)
    if R is None and t_ is None:
        raise unknown_keys(where, _POSE_OF_AN_OBJECT, data, NAMES_ARE_LISTED)
    if R is None or t_ is None:
        missing, there = ("rotation", "position") if R is None else ("position", "rotation")
        raise expected(where, "a rotation and a position", f"no {missing} beside the {there}", NAMES_ARE_LISTED)
    return R, t_, None


def _megapose(keys: Mapping[str, Any], where: str) -> tuple[F64, F64, str]:
    """TWO: ((qx, qy, qz, qw), (x, y, z)) of the object in the world, TWC of the camera; without it, they are one."""

    def pose_of(key: str) -> Pose:
        value = keys[key]
        if not isinstance(value, list) or len(value) != 2:
            raise expected(f"{where}, {key.upper()}", "[[qx, qy, qz, qw], [x, y, z]]", repr(value)[:60])
        quaternion, position = _array(value[0], 4, where).ravel(), _array(value[1], 3, where)
        return Pose.from_wxyz_xyz([quaternion[3], *quaternion[:3], *position])

    pose = pose_of("two")
    if isinstance(keys.get("twc"), list):
        pose = pose_of("twc").inverse() @ pose
    return pose.R_m2c, pose.t_m2c, "m"


def of_matrices(numbers: F64, where: str) -> list[StatedPose]:
    """Entries of one or several 4 x 4 or 3 x 4 matrices."""
    flat = numbers.ravel()
    width = 16 if flat.size and flat.size % 16 == 0 and numbers.shape[-2:] != (3, 4) else 12
    if not flat.size or flat.size % width:
        cure = ""
        if flat.size == 7:
            cure = (
                "7 numbers do not tell their order: name them in YAML, position: {x, y, z}, orientation: {x, y, z, w}"
            )
        if flat.size == 6:
            cure = "6 numbers do not tell what they are: name them in YAML or JSON, rvec: [..] in radians, tvec: [..]"
        raise expected(where, "4 x 4 numbers", f"{flat.size} numbers", cure)
    check_finite(where, flat)  # of a last row, too, which is not kept
    matrices = flat.reshape(-1, width // 4, 4)
    if width == 16 and np.abs(matrices[:, 3] - [0, 0, 0, 1]).max() > 1e-6:
        last = matrices[np.abs(matrices[:, 3] - [0, 0, 0, 1]).max(axis=1).argmax()]
        transposed = np.abs(last[:, 3] - [0, 0, 0, 1]).max() < 1e-6
        cure = "it is transposed: give its transpose" if transposed else ""
        raise expected(where, "last row (0, 0, 0, 1)", last[3].tolist(), cure)
    return [StatedPose(matrix[:3, :3], matrix[:3, 3], None) for matrix in matrices]


def _array(value: Any, size: int, where: str) -> F64:
    numbers = numbers_of(value)
    if numbers is None or numbers.size != size:
        raise expected(where, f"{size} numbers", repr(value)[:60])
    return numbers.reshape(3, 3) if size == 9 else numbers.ravel()


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
