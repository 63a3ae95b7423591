"""The wider search where depth is given and no mask: what poses around a start explain, and where that leads."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import picture, random_pose
from diffdope.geometry import so3
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.problem.region import projected_box
from diffdope.scene.observation import Observation
from diffdope.search.levels import FAR
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.around_start import AroundStart, within_reach
from diffdope.search.proposals.box_proposals import BoxSettings

BOX = primitives()["box, label"].mesh
CUBE = primitives()["cube"].mesh


def scenes(count: int) -> list[tuple[Pose, Pose, Observation]]:
    """Truth, a start that is 40 degrees and a fifth of the diameter off, and a picture in which a cube hides a part."""
    made = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        truth = random_pose(rng)
        beside = Pose(random_rotation(rng), truth.t_m2c + np.array([0.05, 0.01, -0.06]))
        axis, shift = rng.normal(size=(2, 3))
        turned = so3.exp(np.radians(40.0) * axis / np.linalg.norm(axis)) @ truth.R_m2c
        start = Pose(turned, truth.t_m2c + 0.2 * BOX.diameter * shift / np.linalg.norm(shift))
        made.append((truth, start, picture([(BOX, truth), (CUBE, beside)], rng).without_mask()))
    return made


def test_poses_climb_towards_the_truth() -> None:
    levels, nearer = MeshLevels(BOX, (500,), threads=1), []
    for truth, start, seen in scenes(6):
        around = AroundStart(levels, seen, start, FAR, BoxSettings())
        found = around.climbed(np.random.default_rng(0))
        assert len(found.t) <= FAR.levels[1].hypotheses and (np.diff(found.score) <= 0.0).all()
        angles = [Pose(R, t).angle_to(truth) for R, t in zip(found.R, found.t, strict=True)]
        off = np.linalg.norm(found.t - truth.t_m2c, axis=1)
        nearer.append(bool(((np.array(angles) < np.radians(20.0)) & (off < 0.1 * levels.length_m)).any()))
    assert np.mean(nearer) > 0.8, nearer


def test_an_object_that_is_half_hidden_is_found_without_a_mask() -> None:
    refiner, found = Refiner(BOX, threads=1), []
    for truth, start, seen in scenes(6):
        result = refiner.refine(seen, start)
        found.append(result.pose.distance_to(truth) < 0.05 * BOX.diameter)
    assert np.mean(found) > 0.8, found


def test_what_is_within_reach_holds_the_start_and_a_distance_around_it_but_not_more_than_the_picture() -> None:
    levels = MeshLevels(BOX, (500,), threads=1)
    _, start, seen = scenes(1)[0]
    start = Pose(start.R_m2c, np.array([0.0, 0.0, start.t_m2c[2]]))
    camera, own = seen.camera, projected_box(levels.corners_m, start, seen.camera)
    assert isinstance(own, tuple)
    box = within_reach(levels, seen, start, 0.01)
    reach = 0.01 / start.t_m2c[2] * np.array([-camera.fx, -camera.fy, camera.fx, camera.fy])
    assert np.allclose(np.array(box), np.array(own) + reach)
    everything = (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
    assert within_reach(levels, seen, start, 10.0) == pytest.approx(everything)
    assert within_reach(levels, seen, Pose(start.R_m2c, -start.t_m2c), 0.01) == pytest.approx(everything)
