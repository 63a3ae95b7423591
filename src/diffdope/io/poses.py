"""Poses in files: BOP's keys (millimetres) in JSON, a row of a BOP results CSV, and the matrix in metres."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import Estimate, read_results
from diffdope.io.json_files import field_of, read_json

_NEAREST_MM, _FARTHEST_MM = 10.0, 1e5  # a start pose beyond these is in another unit
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
        raise DiffDopeError(f"{where}: {error}") from error
    off = float(np.abs(exact.matrix - pose.matrix).max())
    if off > _SAME_M * max(1.0, float(np.abs(pose.t_m2c).max())):
        cure = "leave out T_m2c_metres"
        raise expected(f"{where}, T_m2c_metres", "the pose of cam_R_m2c and cam_t_m2c", f"one {off:.3g} off", cure)
    return exact


def read_start_pose(
    path: str | Path, *, obj_id: int | None = None, image_id: int | None = None, name: str = "init"
) -> Pose:
    """Reads the pose to start from.

    Args:
        path: JSON with cam_R_m2c (9 numbers, row-major) and cam_t_m2c (3, millimetres), or BOP results CSV.
        obj_id: selects rows of a CSV.
        image_id: selects rows of a CSV.
        name: the argument to blame.

    Raises:
        DiffDopeError: if the file cannot be read, does not hold exactly one such pose, or its numbers make none, or
            make one that can only be in another unit.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        pose = _selected(read_results(path, name=name), path, obj_id, image_id, name).pose
    else:
        pose = pose_of(_one_object(read_json(path, name), path, name), f"{name} file {path}")
    _check_distance(pose, f"{name} file {path}: cam_t_m2c")
    return pose


def _one_object(entry: Any, path: Path, name: str) -> Mapping[str, Any]:
    if isinstance(entry, list) and len(entry) == 1:
        entry = entry[0]
    if not isinstance(entry, dict):
        raise expected(f"{name} file {path}", "one JSON object with cam_R_m2c and cam_t_m2c", type(entry).__name__)
    return entry


def _selected(rows: list[Estimate], path: Path, obj_id: int | None, image_id: int | None, name: str) -> Estimate:
    chosen = [row for row in rows if obj_id in (None, row.obj_id) and image_id in (None, row.im_id)]
    if len(chosen) == 1:
        return chosen[0]
    names = sorted({(row.im_id, row.obj_id) for row in rows})
    listed = "; ".join(f"image {image} object {obj}" for image, obj in names[:10]) + ("; ..." if names[10:] else "")
    cure = f"choose with --image-id and --obj-id among: {listed}" if rows else ""
    raise expected(f"{name} file {path}", "exactly one row", f"{len(chosen)} of {len(rows)}", cure)


def _check_distance(pose: Pose, name: str) -> None:
    distance_mm = 1e3 * float(np.linalg.norm(pose.t_m2c))
    if distance_mm < _NEAREST_MM:
        cure = "it is probably in metres: multiply by 1000" if distance_mm > 0 else "it is missing"
        raise expected(name, f"millimetres from the camera, at least {_NEAREST_MM:g}", f"{distance_mm:.4g} mm", cure)
    if distance_mm > _FARTHEST_MM:
        raise expected(name, f"millimetres from the camera, at most {_FARTHEST_MM:g}", f"{distance_mm:.4g} mm")
