"""Where only the start tells the distance, a refinement does not leave a good one; elsewhere it changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.observation import Observation

TRUTH = Pose(so3.exp(np.array([0.6, 0.4, 0.3])), np.array([0.01, -0.01, 0.5]))
NEAR = TRUTH.retract([0.0004, -0.0004, 0.0006, 0.01, -0.008, 0.01])
MESH = painted("box", *grid_box(np.array([0.06, 0.09, 0.05]), 6), mottled)
SEEN = picture([(MESH, TRUTH)], np.random.default_rng(3), noise=SensorNoise())


def both(*names: str, preset: str = "default") -> tuple[RefinementResult, RefinementResult]:
    """With the start's weight, and without."""
    refiner = Refiner(MESH, preset=preset, threads=1)
    given = Observation(CAMERA, **{name: getattr(SEEN, name) for name in names})
    weighed, alone = (refiner.refine(given, NEAR, start_counts=counts) for counts in (True, False))
    return weighed, alone


def along_view(pose: Pose, other: Pose) -> float:
    return abs(float((pose.t_m2c - other.t_m2c) @ TRUTH.t_m2c / np.linalg.norm(TRUTH.t_m2c)))


def test_without_depth_and_mask_the_result_lies_nearer_to_a_good_start_and_is_surer_of_it() -> None:
    weighed, alone = both("rgb")
    assert along_view(weighed.pose, NEAR) < along_view(alone.pose, NEAR)
    assert along_view(weighed.pose, TRUTH) < 1e-3
    assert weighed.covariance is not None and alone.covariance is not None
    ray = TRUTH.t_m2c / np.linalg.norm(TRUTH.t_m2c)
    assert ray @ weighed.covariance[:3, :3] @ ray < ray @ alone.covariance[:3, :3] @ ray


@pytest.mark.parametrize(
    ("names", "preset"), [(("rgb", "depth", "mask"), "default"), (("rgb", "mask"), "default"), (("rgb",), "fast")]
)
def test_what_tells_the_distance_itself_or_has_no_covariance_is_left_alone(names: tuple[str, ...], preset: str) -> None:
    weighed, alone = both(*names, preset=preset)
    assert weighed.pose.distance_to(alone.pose) == 0.0 and weighed.pose.angle_to(alone.pose) == 0.0


def test_a_search_that_says_nothing_of_the_start_does_not_weigh_it() -> None:
    default = PRESETS["default"]
    near = replace(default.search.near, angle_deg=0.0, distance=0.0)
    refiner = Refiner(MESH, preset=replace(default, search=replace(default.search, near=near)), threads=1)
    given = Observation(CAMERA, rgb=SEEN.rgb)
    weighed, alone = (refiner.refine(given, NEAR, start_counts=counts) for counts in (True, False))
    assert weighed.pose.distance_to(alone.pose) == 0.0


@pytest.mark.parametrize("along", [-0.02, 0.015])
def test_a_start_that_is_off_along_the_view_alone_is_neither_kept_nor_believed(along: float) -> None:
    """As one that was put in place by hand: a share of the distance off, and a pixel across the view."""
    start = TRUTH.retract([*(along * TRUTH.t_m2c + np.array([6e-4, -5e-4, 0.0])), 0.02, -0.015, 0.02])
    result = Refiner(MESH, threads=1).refine(Observation(CAMERA, rgb=SEEN.rgb), start)
    assert result.confidence is not None and result.covariance is not None
    ray = TRUTH.t_m2c / np.linalg.norm(TRUTH.t_m2c)
    off_m, deviation_m = along_view(result.pose, TRUTH), float(np.sqrt(ray @ result.covariance[:3, :3] @ ray))
    assert off_m < 0.6 * along_view(start, TRUTH)
    assert off_m < 2.0 * deviation_m and result.confidence < 0.6
