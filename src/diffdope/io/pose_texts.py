"""The content of a pose file as entries, whichever tool wrote it; units and frames: `io/pose_files.py`.

| tool | content | unit |
|---|---|---|
| BOP | cam_R_m2c, cam_t_m2c in JSON; scene_gt.json; results CSV | millimetres |
| FoundationPose, many others | 4 x 4 (or 3 x 4) in .txt, .npy, .npz, .json; several of them | told by the distance |
| MegaPose | object_data.json: TWO (and TWC): quaternion x, y, z, w and position | metres |
| ROS | Pose, PoseStamped, Transform in .json or .yaml: position, orientation x, y, z, w by name | metres |
| TUM | lines of time tx ty tz qx qy qz qw | metres |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import as_floats, expected
from diffdope.geometry.pose import Pose
from diffdope.io.array_files import read_arrays
from diffdope.io.bop_poses import pose_of
from diffdope.io.json_files import parse_json, read_text

F64 = NDArray[np.float64]
_MATRIX_KEYS = ("t_m2c_metres", "t_m2c", "t_cam_obj", "ob_in_cam", "matrix", "pose", "transform", "transformation", "t")
_ROTATION_KEYS, _TRANSLATION_KEYS = ("r", "rotation", "rot"), ("t", "translation", "trans", "tvec", "position")


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
    """

    R: F64
    t: F64
    unit: str | None
    obj_id: int | None = None
    image_id: int | None = None
    score: float | None = None
    exact: Pose | None = None


def read_entries(path: Path, name: str = "init") -> list[StatedPose]:
    """All poses of a file but a BOP results CSV.

    Args:
        path: .json, .yaml, .txt, .npy or .npz.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it cannot be read, or holds no pose.
    """
    where = f"{name} file {path}"
    if path.suffix.lower() in (".npy", ".npz"):
        return _of_matrices(_stored(path, name), where)
    text = read_text(path, name)
    if path.suffix.lower() == ".json" or text.lstrip()[:1] == "{":
        return entries_of(parse_json(text, name, f"JSON in {path}"), where)
    if path.suffix.lower() in (".yaml", ".yml"):
        return entries_of(_yaml(text, path, name), where)
    return _of_text(text, where)


def entries_of(data: Any, where: str) -> list[StatedPose]:
    """All poses of a value that JSON or YAML holds; see `read_entries`."""
    numbers = _numbers(data)
    if numbers is not None:
        return _of_matrices(numbers, where)
    if isinstance(data, list):
        return [entry for k, one in enumerate(data) for entry in entries_of(one, f"{where}, entry {k}")]
    if not isinstance(data, dict):
        raise expected(where, "a pose", type(data).__name__)
    if data and all(str(key).isdecimal() for key in data):
        return [
            replace(one, image_id=int(key))
            for key, those in data.items() for one in entries_of(those, f"{where}, key {key}")
        ]  # fmt: skip
    if "cam_R_m2c" in data or "cam_t_m2c" in data:
        exact: Pose | None = pose_of(data, where)
        assert exact is not None
        R, t = exact.R_m2c, 1e3 * exact.t_m2c
        unit: str | None = "mm"
    else:
        exact = None
        R, t, unit = _pose_in(data, where)
    obj_id, image_id = _whole(data.get("obj_id")), _whole(data.get("im_id", data.get("image_id")))
    if obj_id is None and isinstance(data.get("label"), str) and (digits := re.search(r"(\d+)$", data["label"])):
        obj_id = int(digits[1])
    return [StatedPose(R, t, unit, obj_id, image_id, exact=exact)]


def _pose_in(data: Mapping[str, Any], where: str) -> tuple[F64, F64, str | None]:
    keys = {str(key).lower(): value for key, value in data.items()}
    if "two" in keys:
        return _megapose(keys, where)
    for pair in (("position", "orientation"), ("translation", "rotation")):
        if all(isinstance(keys.get(key), Mapping) for key in pair):
            t = _named(keys[pair[0]], "xyz", where)
            return Pose.from_wxyz_xyz([*_named(keys[pair[1]], "wxyz", where), *t]).R_m2c, np.array(t), "m"
    for inner in ("pose", "transform"):  # of PoseStamped, PoseWithCovariance
        if isinstance(keys.get(inner), Mapping):
            return _pose_in(keys[inner], f"{where}, {inner}")
    for key in _MATRIX_KEYS:
        numbers = _numbers(keys.get(key))
        if numbers is not None and numbers.size in (12, 16):
            (entry,) = _of_matrices(numbers, f"{where}, {key}")
            return entry.R, entry.t, "m" if key == "t_m2c_metres" else None
    R = next((value for key in _ROTATION_KEYS if (value := _numbers(keys.get(key))) is not None), None)
    t_ = next((value for key in _TRANSLATION_KEYS if (value := _numbers(keys.get(key))) is not None), None)
    if R is None or t_ is None or R.size != 9:
        wanted = "the key cam_R_m2c, and cam_t_m2c, or a 4 x 4 matrix, position and orientation, or TWO"
        raise expected(where, wanted, f"keys {', '.join(map(str, data)) or 'none'}")
    return R.reshape(3, 3), _array(t_.tolist(), 3, where), None


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


def _of_matrices(numbers: F64, where: str) -> list[StatedPose]:
    """Entries of one or several 4 x 4 or 3 x 4 matrices."""
    flat = numbers.ravel()
    width = 16 if flat.size and flat.size % 16 == 0 and numbers.shape[-2:] != (3, 4) else 12
    if not flat.size or flat.size % width:
        cure = ""
        if flat.size == 7:
            cure = (
                "7 numbers do not tell their order: name them in YAML, position: {x, y, z}, orientation: {x, y, z, w}"
            )
        raise expected(where, "4 x 4 numbers", f"{flat.size} numbers", cure)
    matrices = flat.reshape(-1, width // 4, 4)
    if width == 16 and np.abs(matrices[:, 3] - [0, 0, 0, 1]).max() > 1e-6:
        last = matrices[np.abs(matrices[:, 3] - [0, 0, 0, 1]).max(axis=1).argmax()]
        transposed = np.abs(last[:, 3] - [0, 0, 0, 1]).max() < 1e-6
        cure = "it is transposed: give its transpose" if transposed else ""
        raise expected(where, "last row (0, 0, 0, 1)", last[3].tolist(), cure)
    return [StatedPose(matrix[:3, :3], matrix[:3, 3], None) for matrix in matrices]


def _of_text(text: str, where: str) -> list[StatedPose]:
    lines = [line.split("#", 1)[0] for line in text.splitlines()]
    rows = [re.sub(r"[\[\],;]", " ", line).split() for line in lines if line.strip()]
    try:
        values = [[float(word) for word in row] for row in rows]
    except ValueError as error:
        raise expected(where, "4 x 4 numbers", str(error)) from error
    if values and all(len(row) == 8 for row in values):  # TUM: time, position, quaternion x, y, z, w
        poses = [Pose.from_wxyz_xyz([row[7], *row[4:7], *row[1:4]]) for row in values]
        return [StatedPose(pose.R_m2c, pose.t_m2c, "m") for pose in poses]
    return _of_matrices(np.array([value for row in values for value in row], np.float64), where)


def _yaml(text: str, path: Path, name: str) -> Any:
    import yaml

    try:
        documents = [data for data in yaml.safe_load_all(text) if data is not None]
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise expected(name, f"YAML in {path}", " ".join(str(error).split())[:200]) from error
    return documents[0] if documents else None


def _stored(path: Path, name: str) -> F64:
    stored = read_arrays(name, path, "an array of numbers")
    array = stored if isinstance(stored, np.ndarray) else next(iter(stored.values()), np.empty(0))
    return as_floats(f"{name} file {path}", array)


def _numbers(value: Any) -> F64 | None:
    """A list of numbers, or of lists of them; None for something else."""
    if not isinstance(value, list) or not value:
        return None
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None


def _array(value: Any, size: int, where: str) -> F64:
    numbers = _numbers(value)
    if numbers is None or numbers.size != size:
        raise expected(where, f"{size} numbers", repr(value)[:60])
    return numbers.reshape(3, 3) if size == 9 else numbers.ravel()


def _named(value: Any, names: str, where: str) -> list[float]:
    missing = [name for name in names if not isinstance(value.get(name), int | float)]
    if missing:
        raise expected(where, f"numbers {', '.join(names)}", f"no {', '.join(missing)}")
    return [float(value[name]) for name in names]


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
