"""What stands on a plate does not count as what hides it, where a turn of the part explains it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.locating.explaining_turns import ExplainedDepth, explaining
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.answers import Answer
from diffdope.search.proposals.box_masks import Guess

CAMERA = Camera(300.0, 300.0, 119.5, 89.5, 240, 180)
OUTLINE = np.array([(-0.03, 0.0), (0.03, 0.0), (0.03, 0.03), (0.024, 0.03), (0.024, 0.006), (-0.03, 0.006)])
TRUTH = Pose(so3.exp(np.array([np.pi + 0.35, 0.1, 0.2])), np.array([0.0, 0.0, 0.35]))
"""The plate is seen from above, with the wall on it towards the camera."""


def angle() -> Mesh:
    """A plate of 60 by 40 mm with a wall of 30 mm on one end."""
    n, across = len(OUTLINE), 0.02
    vertices = np.array([(x, y, z) for y in (-across, across) for x, z in OUTLINE])
    caps = [(0, 4, 5), (0, 1, 4), (1, 2, 4), (2, 3, 4)]
    sides = [(k, n + k, n + (k + 1) % n) for k in range(n)] + [(k, n + (k + 1) % n, (k + 1) % n) for k in range(n)]
    faces = [*caps, *[(n + a, n + c, n + b) for a, b, c in caps], *[(a, c, b) for a, b, c in sides]]
    vertices[:, 2] -= 0.015
    return Mesh(vertices, np.array(faces, np.int32))


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(angle(), seed=0, threads=1)


@pytest.fixture(scope="module")
def observation(refiner: Refiner) -> Observation:
    images = Renderer(refiner.mesh, CAMERA).render(TRUTH.R_m2c[None], TRUTH.t_m2c[None])
    depth = np.where(images.coverage[0] > 0.5, images.depth[0] / np.maximum(images.coverage[0], 0.5), 0.4)
    noise = np.random.default_rng(1).normal(0.0, 0.0003, depth.shape)
    return Observation(CAMERA, depth=(depth + noise).astype(np.float32))


def turned_over(refiner: Refiner, observation: Observation) -> Pose:
    """The plate where it is, and the wall behind it: half a turn about the plate's length, refined."""
    depth = ExplainedDepth(refiner.meshes, observation, np.zeros((CAMERA.height, CAMERA.width), np.bool_))
    start = refiner.frame.enter(TRUTH) @ Pose(np.diag([1.0, -1.0, -1.0]), np.zeros(3))
    return depth.along_the_view(start)


def sure(pose: Pose, refiner: Refiner, observation: Observation) -> Attempt:
    attempt = refiner._searcher(observation).attempt(refiner.preset, observation, pose)
    result: RefinementResult = replace(attempt.result, answers=(Answer(attempt.result.pose, 0.9),), none_of_these=0.1)
    return attempt._replace(result=replace(result, confidence=0.9))


def explained(start: Pose, refiner: Refiner, observation: Observation, again: float) -> RefinementResult:
    """From a start that was taken for sure; what is found anew is believed so far."""
    searcher, taken = refiner._searcher(observation), np.zeros((CAMERA.height, CAMERA.width), np.bool_)

    def anew(guess: Guess) -> Attempt:
        found = sure(guess.poses[0], refiner, observation)
        return found._replace(result=replace(found.result, confidence=again))

    found = sure(start, refiner, observation)
    assert found.result.ok
    return explaining(found, searcher, refiner.preset, observation, taken, anew=anew).result


def is_true(pose: Pose, refiner: Refiner) -> bool:
    truth = refiner.frame.enter(TRUTH)
    return pose.angle_to(truth) < np.radians(2.0) and pose.distance_to(truth) < 0.002


def test_what_one_pose_excuses_counts_for_that_which_explains_it(refiner: Refiner, observation: Observation) -> None:
    depth = ExplainedDepth(refiner.meshes, observation, np.zeros((CAMERA.height, CAMERA.width), np.bool_))
    truth, turned = refiner.frame.enter(TRUTH), turned_over(refiner, observation)
    assert depth.by(turned, 0.05).against(depth.by(truth, 0.05)).log_odds > 3.0
    assert depth.by(truth, 0.05).against(depth.by(turned, 0.05)).log_odds < -3.0
    assert depth.by(truth, 0.05).against(depth.by(truth, 0.05)).log_odds == 0.0


def test_a_part_that_is_turned_over_is_found_as_its_wall_stands(refiner: Refiner, observation: Observation) -> None:
    turned = turned_over(refiner, observation)
    assert not is_true(sure(turned, refiner, observation).result.pose, refiner)
    assert is_true(explained(turned, refiner, observation, 0.9).pose, refiner)


def test_what_is_not_found_again_is_unsure(refiner: Refiner, observation: Observation) -> None:
    result = explained(turned_over(refiner, observation), refiner, observation, 0.1)
    assert result.confidence is not None and result.confidence < 0.5
    assert any(is_true(one.pose, refiner) for one in result.answers)


def test_a_right_result_stays(refiner: Refiner, observation: Observation) -> None:
    result = explained(refiner.frame.enter(TRUTH), refiner, observation, 0.9)
    assert result.confidence == 0.9 and is_true(result.pose, refiner)
