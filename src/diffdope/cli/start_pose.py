"""Start poses from files: JSON with BOP's keys, or a BOP results CSV."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.pose import Pose

CSV_COLUMNS = ("scene_id", "im_id", "obj_id", "score", "R", "t", "time")


def read_start(path: Path, *, obj_id: int | None = None, image_id: int | None = None) -> Pose:
    """Reads the pose to start from.

    Args:
        path: JSON with cam_R_m2c (9 numbers, row-major) and cam_t_m2c (3, millimetres), or BOP results CSV.
        obj_id: selects rows of a CSV.
        image_id: selects rows of a CSV.

    Raises:
        DiffDopeError: if the file cannot be read, does not hold exactly one such pose, or its numbers make none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise DiffDopeError(f"init: cannot read {path}: {reason}") from error
    try:
        if path.suffix.lower() == ".csv":
            return _from_csv(text, path, obj_id, image_id)
        return _from_json(text, path)
    except DiffDopeError as error:
        raise DiffDopeError(f"init file {path}: {error}") from error


def _from_json(text: str, path: Path) -> Pose:
    try:
        entry = json.loads(text)
    except ValueError as error:
        raise expected("init", "JSON with cam_R_m2c and cam_t_m2c", f"unreadable JSON ({error})") from error
    if isinstance(entry, list) and len(entry) == 1:
        entry = entry[0]
    if not isinstance(entry, dict):
        raise expected("init", "one JSON object with cam_R_m2c and cam_t_m2c", type(entry).__name__)
    for key, meaning in (("cam_R_m2c", "9 numbers, row-major"), ("cam_t_m2c", "3 numbers, millimetres")):
        if key not in entry:
            raise expected("init", f"the key {key} ({meaning})", f"keys {', '.join(map(str, entry)) or 'none'}")
    return _pose(entry["cam_R_m2c"], entry["cam_t_m2c"])


def _from_csv(text: str, path: Path, obj_id: int | None, image_id: int | None) -> Pose:
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or any(column not in rows[0] for column in CSV_COLUMNS[:6]):
        raise expected("init", f"a header {','.join(CSV_COLUMNS)} and rows", (text.splitlines() or ["nothing"])[0])
    chosen = [
        row
        for row in rows
        if (obj_id is None or row["obj_id"].strip() == str(obj_id))
        and (image_id is None or row["im_id"].strip() == str(image_id))
    ]
    if len(chosen) != 1:
        names = sorted({f"image {row['im_id'].strip()} object {row['obj_id'].strip()}" for row in rows})
        listed = "; ".join(names[:10]) + ("; ..." if len(names) > 10 else "")
        raise expected(
            "init",
            "exactly one row",
            f"{len(chosen)} of {len(rows)}",
            f"choose with --image-id and --obj-id among: {listed}",
        )
    try:
        R, t = ([float(number) for number in chosen[0][column].split()] for column in ("R", "t"))
    except (ValueError, AttributeError) as error:
        raise expected("init", "numbers separated by spaces in the columns R and t", str(error)) from error
    return _pose(R, t)


def _pose(R: Any, t: Any) -> Pose:
    pose = Pose.from_bop(R, t)
    distance_mm = 1e3 * float(np.linalg.norm(pose.t_m2c))
    if distance_mm < 10.0:
        cure = "it is probably in metres: multiply by 1000" if distance_mm > 0 else "it is missing"
        raise expected("cam_t_m2c", "millimetres from the camera, at least 10", f"{distance_mm:.4g} mm", cure)
    if not math.isfinite(distance_mm) or distance_mm > 1e5:
        raise expected("cam_t_m2c", "millimetres from the camera, at most 100000", f"{distance_mm:.4g} mm")
    return pose
