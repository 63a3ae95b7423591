"""An object of k alike windows or teeth: all its turns are weighed, though a search comes to some of them only."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from tests.scene.flanges import flange, gear

CAMERA = Camera(300.0, 300.0, 79.5, 59.5, 160, 120)


def seen(mesh: Mesh, pose: Pose, *, noise_m: float) -> Observation:
    images = Renderer(mesh, CAMERA).render(pose.R_m2c[None], pose.t_m2c[None])
    mask = images.coverage[0] > 0.5
    depth = images.depth[0] / np.maximum(images.coverage[0], 0.5)
    depth = depth + np.random.default_rng(1).normal(0.0, noise_m, depth.shape)
    return Observation(CAMERA, depth=np.where(mask, depth, 0.0).astype(np.float32), mask=mask)


def off_deg(pose: Pose, truth: Pose) -> float:
    return float(np.degrees(pose.angle_to(truth)))


def pose_of(seed: int) -> Pose:
    turn = so3.exp(np.array([0.0, 0.0, np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi)]))
    return Pose(so3.exp(np.array([0.6, 0.3, 0.0])) @ turn, np.array([0.01, 0.0, 0.5]))


@pytest.mark.parametrize("k", [5, 7])
def test_all_turns_of_a_disc_are_among_the_answers(k: int) -> None:
    mesh, truth = flange(k), pose_of(k)
    result = Refiner(mesh, preset="default", seed=0, threads=1).locate(seen(mesh, truth, noise_m=0.003))
    every = [pose for one in result.answers for pose in (one.pose, *one.alternatives)]
    for number in range(k):
        turned = Pose(truth.R_m2c @ so3.exp(np.array([0.0, 0.0, 2.0 * np.pi * number / k])), truth.t_m2c)
        assert min(off_deg(pose, turned) for pose in every) < 5.0


@pytest.mark.parametrize("k", [5, 7])
def test_a_notch_that_is_seen_tells_the_turn(k: int) -> None:
    mesh, truth = flange(k, notch=3), pose_of(k)
    result = Refiner(mesh, preset="default", seed=0, threads=1).locate(seen(mesh, truth, noise_m=0.0003))
    assert off_deg(result.pose, truth) < 3.0


@pytest.mark.parametrize("preset", ["default", "fast"])
@pytest.mark.parametrize("teeth", [12, 18])
def test_a_start_that_is_off_by_a_tooth_is_not_believed(teeth: int, preset: str) -> None:
    mesh, truth = gear(teeth), pose_of(teeth)
    whole = seen(mesh, truth, noise_m=0.001)
    images = {"depth": whole.depth} if preset == "default" else {"depth": whole.depth, "mask": whole.mask}
    refiner = Refiner(mesh, preset=preset, seed=0, threads=1)
    for share in (0.7, 1.0, 1.4):
        turn = so3.exp(np.array([0.0, 0.0, share * 2.0 * np.pi / teeth]))
        start = Pose(truth.R_m2c @ turn, truth.t_m2c + np.array([0.002, 0.001, -0.003]))
        result = refiner.refine(Observation(CAMERA, **images), start)
        assert off_deg(result.pose, truth) < 3.0 or (result.confidence or 0.0) < 0.5


def test_a_start_near_the_right_tooth_is_believed() -> None:
    mesh, truth = gear(12), pose_of(12)
    start = truth.retract([0.002, 0.001, -0.003, 0.02, -0.03, 0.05])
    result = Refiner(mesh, seed=0, threads=1).refine(seen(mesh, truth, noise_m=0.001), start)
    assert off_deg(result.pose, truth) < 3.0
    assert (result.confidence or 0.0) > 0.9
