"""The published start poses, scored as if they were results, against figures that came with the data."""

from __future__ import annotations

from pathlib import Path

import pytest

from diffdope.bop.dataset import DataSet
from diffdope.bop.evaluation import evaluate
from diffdope.bop.starts import Selection, level_path, starts_of_json
from diffdope.bop.summary import summarise
from diffdope.bop.targets import compete, wanted_instances
from diffdope.io.bop_results import Estimate


@pytest.mark.parametrize(
    ("name", "split", "level", "figures"),
    [
        ("hope", "val", "010_trans_004", (355, 6.9, 10.9, 3.4, 92.4, 62.1)),
        ("sim", "dev", "020_trans_030", (56, 32.1, 37.3, 14.5, 66.9, 0.0)),
    ],
)
def test_start_poses(shared_data: Path, name: str, split: str, level: str, figures: tuple[float, ...]) -> None:
    root = shared_data / name
    dataset, everything = DataSet.open(root, split, models=("models_eval", "models")), Selection()
    starts = starts_of_json(dataset, everything, lambda scene_id: level_path(root / "init_poses", level, scene_id))
    estimates = [Estimate(s.scene_id, s.im_id, s.obj_id, 1.0, s.pose) for s in starts]
    groups = compete(wanted_instances(dataset, everything, dataset.targets()), estimates)
    total = summarise(evaluate(dataset, estimates, groups, how="bop", vsd=False).rows, other_max_m=0.02)
    found = (total.instances, total.add_median, total.add_p90, total.adds_median, 100 * total.add_auc)
    assert (*found, 100 * total.add_auc_other) == pytest.approx(figures, abs=0.16)  # theirs are of 2000 points
