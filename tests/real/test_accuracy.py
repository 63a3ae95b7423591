"""Preset `paper` on real and path-traced pictures with truth; skipped where the evaluation data is absent.

Objects, scenes and starts are the first of each set, to keep the time short: the whole sets are run by
`python -m benchmarks.accuracy`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from benchmarks.shared_data import Case, cases, evaluation_points, load_mesh
from diffdope.bop.metrics import add, add_s
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner

pytestmark = pytest.mark.usefixtures("shared_data")


def errors_mm(found: Iterator[Case]) -> tuple[list[float], list[float]]:
    """ADD and ADD-S of every refined case."""
    both = []
    for case in found:
        pose = Refiner(load_mesh(case.mesh_path)).refine(case.observation, case.start).pose
        points = evaluation_points(case.mesh_path)
        both.append((1e3 * add(pose, case.truth, points), 1e3 * add_s(pose, case.truth, points)))
    return [a for a, _ in both], [s for _, s in both]


def test_hope_textured_objects_from_ten_degrees(shared_data: Path) -> None:
    found = cases("hope", "val", "000002", "010_trans_004", images=(0,), textured_only=True)
    distances, symmetric = errors_mm(found)
    assert len(distances) >= 8
    assert np.mean(np.array(symmetric) < 5) >= 0.9
    assert np.median(distances) < 2


def test_simulated_objects_from_ten_degrees(shared_data: Path) -> None:
    distances, _ = errors_mm(cases("sim", "dev", "000001", "010_trans_004", images=(0, 3)))
    assert len(distances) == 12
    assert np.mean(np.array(distances) < 5) >= 0.9


def test_the_released_example_started_twenty_millimetres_too_near(shared_data: Path) -> None:
    case = next(islice(cases("hope", "val", "000002", "001_trans_001", images=(0,)), 1))
    start = Pose(case.truth.R_m2c, case.truth.t_m2c - np.array([0.0, 0.0, 0.02]))
    pose = Refiner(load_mesh(case.mesh_path)).refine(case.observation, start).pose
    assert 1e3 * add(pose, case.truth, evaluation_points(case.mesh_path)) < 3
