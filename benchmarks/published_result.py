"""The result that the paper's authors published for HOPE scene 1 frame 0, beside one of ours, instance by instance.

    diffdope bop refine --dataset hope --split val --scenes 1 --images 0 --depth off --init init_poses \\
        --level 010_trans_004 --out ours.csv
    python -m benchmarks.published_result --results ours.csv
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.shared_data import DATA
from diffdope.bop.dataset import DataSet
from diffdope.bop.metrics import add, add_s
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import read_results
from diffdope.io.poses import pose_of

PUBLISHED = DATA / "hope" / "val" / "000001" / "diffdope_published_result_frame0.json"


def report(name: str, poses: list[Pose]) -> None:
    """One line: errors in millimetres, over the vertices of models_eval."""
    dataset = DataSet.open(DATA / "hope", "val", models=("models_eval",))
    errors = []
    for pose, truth in zip(poses, dataset.scene(1).truth(0), strict=True):
        points_m = dataset.models.mesh(truth.obj_id).vertices_m
        errors.append([1e3 * add(pose, truth.pose, points_m), 1e3 * add_s(pose, truth.pose, points_m)])
    (a, s), (a90, s90) = np.median(errors, axis=0), np.percentile(errors, 90, axis=0)
    column = np.array(errors)[:, 0]
    print(
        f"{name}: ADD {a:.2f} / {a90:.1f} mm, {(column < 2.5).sum()} of {len(column)} < 2.5 mm, "
        f"{(column > 11).sum()} > 11 mm; ADD-S {s:.2f} / {s90:.1f} mm (median / p90)"
    )


def main() -> None:
    """Prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, help="results CSV with one row an instance, ordered as scene_gt")
    arguments = parser.parse_args()
    published = json.loads(PUBLISHED.read_text())["0"]
    report("published", [pose_of(entry, f"{PUBLISHED}, pose {k}") for k, entry in enumerate(published)])
    if arguments.results is not None:
        rows = [row for row in read_results(arguments.results) if (row.scene_id, row.im_id) == (1, 0)]
        report("ours", [row.pose for row in rows])


if __name__ == "__main__":
    main()
