"""The content of a pose file as entries, whichever tool wrote it; units and frames: `io/poses.py`.

| tool | content | unit |
|---|---|---|
| BOP | cam_R_m2c, cam_t_m2c in JSON; scene_gt.json; results CSV | millimetres |
| FoundationPose, many others | 4 x 4 (or 3 x 4) in .txt, .npy, .npz, .json; several of them | told by the distance |
| MegaPose | object_data.json: TWO (and TWC): quaternion x, y, z, w and position | metres |
| ROS | Pose, Transform, PoseArray, TFMessage, Detection3DArray in .json or .yaml; several of them | metres |
| TUM, EuRoC | lines of time tx ty tz qx qy qz qw, or as a heading names them | metres; told by the distance |
| DOPE, NDDS | objects: location, quaternion_xyzw; or pose, 4 x 4 | centimetres, unless too near |
| OpenCV, tables, others | see `io/pose_names.py`; CSV with a heading | told by the distance |
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.error_kinds import UnknownKeysError
from diffdope.errors import DiffDopeError, as_floats, expected, refused
from diffdope.geometry.pose import Pose
from diffdope.io.array_files import read_arrays
from diffdope.io.json_files import parse_json, read_text
from diffdope.io.numbers import check_decimal_points, is_number
from diffdope.io.pose_columns import ORDER, begins_with_w, columns_of, words_of
from diffdope.io.pose_objects import MATRIX_KEYS, StatedPose, entries_of, of_matrices
from diffdope.io.tables import rows_of
from diffdope.io.yaml_files import parse_yaml

_OF_TUM = 8  # numbers in a line
_BLOCK_OF_OPEN3D = [3, 4, 4, 4, 4]  # numbers in the lines of a camera in a .log: three counters, a matrix
_HEADING_WITHOUT_END = re.compile(r"^(#.*<qw>)(?=[-\d])", re.MULTILINE)  # Open3D's: the first pose stands behind it


def read_entries(path: Path, name: str = "init") -> list[StatedPose]:
    """All poses of a file but a BOP results CSV.

    Args:
        path: .json, .yaml, .txt, .csv with a heading, .npy or .npz.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it cannot be read, or holds no pose.
    """
    where = f"{name} file {path}"
    ending = path.suffix.lower()
    if ending in (".npy", ".npz"):
        return _of_arrays(path, name)
    text = read_text(path, name)
    if ending == ".json" or text.lstrip()[:1] == "{":
        return _entries(parse_json(text, name, f"JSON in {path}"), where)
    if ending in (".yaml", ".yml"):
        documents = parse_yaml(text, path, name)
        return _entries(documents[0] if len(documents) == 1 else documents or None, where)
    rows = _rows_of(text, where) if ending == ".csv" else []
    return _entries(rows, where) if rows else _of_text(text, where)


def is_table_of_poses(text: str) -> bool:
    """Whether a CSV holds numbers alone, or a heading with other names than BOP's results have."""
    first = [word.strip() for word in text.lstrip().split("\n", 1)[0].split(",")]
    numbers = [is_number(word) for word in first]
    if len(first) < 2 or "scene_id" in first or {"R", "t"} <= set(first):
        return False
    return all(numbers) or not any(numbers)


def _entries(data: Any, where: str) -> list[StatedPose]:
    if isinstance(data, dict) and str(data.get("class_name")).startswith("PinholeCamera"):
        raise _of_cameras(where)
    try:
        return entries_of(data, where)
    except RecursionError as error:
        raise expected(where, "a pose", "lists in lists without end") from error


def _of_cameras(where: str) -> DiffDopeError:
    """An error of an Open3D trajectory, which holds where a camera stood, not where an object is."""
    cure = (
        "if the mesh was reconstructed with it, the pose is the extrinsic matrix of one picture: "
        'numpy.savetxt("pose.txt", trajectory.parameters[k].extrinsic)'
    )
    return expected(where, "a pose", "a trajectory of Open3D, which is where its camera stood", cure)


def _of_text(text: str, where: str) -> list[StatedPose]:
    text = _HEADING_WITHOUT_END.sub(r"\1\n", text)
    lines = [line.split("#", 1)[0] for line in text.splitlines()]
    check_decimal_points(where, lines)
    rows = [re.sub(r"[\[\],;]", " ", line).split() for line in lines if line.strip()]
    try:
        values = [[float(word) for word in row] for row in rows]
    except ValueError as error:
        raise expected(where, "4 x 4 numbers", str(error)) from error
    if values and [len(row) for row in values] == _BLOCK_OF_OPEN3D * (len(values) // len(_BLOCK_OF_OPEN3D)):
        raise _of_cameras(where)
    order = _order_of(text, {len(row) for row in values})
    if order:
        try:
            poses = [Pose.from_wxyz_xyz([row[column] for column in order]) for row in values]
        except DiffDopeError as error:
            raise refused(where, str(error)) from error
        unit = "m" if len(values[0]) == _OF_TUM else None
        return [StatedPose(pose.R_m2c, pose.t_m2c, unit) for pose in poses]
    return of_matrices(np.array([value for row in values for value in row], np.float64), where)


def _order_of(text: str, lengths: set[int]) -> list[int]:
    """The columns of w, x, y, z and of the position in lines of numbers; none if they are no trajectory.

    A comment tells by the names of all columns, or of the quaternion's parts; else lines of 8 numbers are TUM's.
    """
    if len(lengths) != 1:
        return []
    (count,) = lengths
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    for line in reversed(comments):
        names = words_of(line)
        found = columns_of(names) if len(names) == count else {}
        if found:
            return [found[name] for name in ORDER]
    if count != _OF_TUM:
        return []
    return [4, 5, 6, 7, 1, 2, 3] if begins_with_w(comments) else [7, 4, 5, 6, 1, 2, 3]


def _rows_of(text: str, where: str) -> list[dict[str, Any]]:
    """The rows of a CSV as objects; `pose.position.x`, as recordings have it, is x of position of pose.

    Without a heading there are none: it is a text of numbers.
    """
    rows = rows_of(text, where)
    if not rows or is_number(rows[0][0]):
        return []
    columns = columns_of(rows[0])
    found = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise expected(f"{where}, line {number}", f"{len(rows[0])} values, as in the heading", len(row))
        entry: dict[str, Any] = {}
        for name, cell in zip(rows[0], row, strict=True):
            words = [word for word in re.split(r"[./]", name) if word and word not in ("field", "%time")]
            inner = entry
            for word in words[:-1]:
                inner = inner.setdefault(word, {})
                if not isinstance(inner, dict):
                    raise expected(f"{where}, heading", "names that are not parts of others", name)
            if words:
                inner[words[-1]] = float(cell) if is_number(cell) else cell
        entry |= {name: float(row[column]) for name, column in columns.items() if is_number(row[column])}
        found.append(entry)
    if not found:
        raise expected(where, "rows below the heading", "none")
    return found


def _of_arrays(path: Path, name: str) -> list[StatedPose]:
    """The poses of a .npy, or of a .npz: of the array that it has, or of those whose names say what they are."""
    where, stored = f"{name} file {path}", read_arrays(name, path, "an array of numbers")
    if not isinstance(stored, np.ndarray) and len(stored) > 1:
        keys = {key.lower(): key for key in stored}
        several = next((keys[key] for key in MATRIX_KEYS if key in keys and stored[keys[key]].ndim > 1), None)
        if several is None:
            try:
                return entries_of({key: array.tolist() for key, array in stored.items()}, where)
            except UnknownKeysError as error:
                wanted = f"one array, or one of the names {', '.join(MATRIX_KEYS)}, or R and t, or rvec and tvec"
                raise expected(where, wanted, f"the arrays {', '.join(stored)}") from error
        array = stored[several]
    else:
        array = stored if isinstance(stored, np.ndarray) else next(iter(stored.values()), np.empty(0))
    return of_matrices(as_floats(where, array), where)
