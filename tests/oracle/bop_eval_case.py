"""Estimates for the small data set, off by shifts whose errors can be told by hand, and records of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import Estimate, write_results
from diffdope.jobs.journal import Journal
from tests.oracle.bop_tree import Tree


def shifted(pose: Pose, x_mm: float) -> Pose:
    """Moved sideways: every model point, so ADD, MSSD and the translation error, by exactly this."""
    return Pose(pose.R_m2c, pose.t_m2c + np.array([1e-3 * x_mm, 0.0, 0.0]))


def estimate(tree: Tree, image: tuple[int, int], gt_id: int, x_mm: float, *, score: float = 1.0) -> Estimate:
    """Of one instance, shifted."""
    obj_id, pose = tree.truth[image][gt_id]
    return Estimate(*image, obj_id, score, shifted(pose, x_mm), 0.5)


def write_run(
    path: Path, tree: Tree, estimates: Sequence[tuple[int, Estimate]], failed: Sequence[tuple[int, int, int]] = ()
) -> None:
    """Results CSV with the records of the run that made it.

    Args:
        path: of the CSV.
        tree: the data set.
        estimates: each with the instance that it started from, which is also its number in its image.
        failed: (scene, image, instance) of starts that ended in an error.
    """
    records: dict[str, dict[str, Any]] = {}
    for gt_id, e in estimates:
        R, t = e.pose.to_bop()
        records[_key(e.scene_id, e.im_id, gt_id, records)] = {
            "scene_id": e.scene_id, "im_id": e.im_id, "obj_id": e.obj_id, "gt_id": gt_id, "start": gt_id,
            "match": {"instance_by": "index", "mask": None}, "status": "converged", "cam_R_m2c": R, "cam_t_m2c": t,
            "seconds": 0.25, "errors": {"start_add_mm": 40.0, "add_mm": 1.0, "add_s_mm": 1.0},
        }  # fmt: skip
    for scene_id, im_id, gt_id in failed:
        records[_key(scene_id, im_id, gt_id, records)] = {"error": "DiffDopeError: <broken> image"}
    ordered = dict(sorted(records.items()))
    with Journal.open(path.with_suffix(".jsonl"), {"command": "bop refine", "seed": 3}, fresh=True) as journal:
        journal.finish_with(ordered)
    by_key = {_key(e.scene_id, e.im_id, gt_id, {}): e for gt_id, e in estimates}
    write_results(path, [by_key[key] for key in ordered if key in by_key])


def _key(scene_id: int, im_id: int, start: int, taken: dict[str, Any]) -> str:
    key = f"{scene_id:06d}/{im_id:06d}/{start:06d}"
    assert key not in taken
    return key
