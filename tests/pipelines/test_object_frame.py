"""The model file's origin is nobody's business: it may lie in the object, beside it or a metre away."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.object_frame import ObjectFrame
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

Array = NDArray[np.float64]
TRUTH = Pose(so3.exp(np.array([0.6, 0.4, 0.3])), np.array([0.01, -0.01, 0.5]))
AXIS = np.array([1.0, -0.5, 0.25]) / np.linalg.norm([1.0, -0.5, 0.25])
OFFSETS_M = (0.0, 0.15, 1.0)


@cache
def mesh(offset_m: float) -> Mesh:
    made = painted("box", *grid_box(np.array([0.06, 0.09, 0.05]), 6), mottled)
    return made.moved(offset_m * AXIS) if offset_m else made


def in_file_frame(pose: Pose, offset_m: float) -> Pose:
    """The same place of the object in space, said of the moved file."""
    return Pose(pose.R_m2c, pose.t_m2c - pose.R_m2c @ (offset_m * AXIS))


def in_own_frame(pose: Pose, offset_m: float) -> Pose:
    return Pose(pose.R_m2c, pose.t_m2c + pose.R_m2c @ (offset_m * AXIS))


def adjoint(pose: Pose, offset_m: float) -> Array:
    """(6, 6) from motions about the object's middle to those of the file's origin: rho - phi x (R c)."""
    lever = pose.R_m2c @ (offset_m * AXIS)
    out = np.eye(6)
    out[:3, 3:] = so3.hat(lever)
    return out


@cache
def seen(frame: int = 0) -> Observation:
    truth = TRUTH.retract([0.002 * frame, 0.001 * frame, 0.0, 0.01 * frame, 0.0, 0.01 * frame])
    return picture([(mesh(0.0), truth)], np.random.default_rng(3), noise=SensorNoise())


def pictured(*names: str) -> Observation:
    return Observation(CAMERA, **{name: getattr(seen(), name) for name in names})


START = TRUTH.retract([0.002, -0.003, 0.004, 0.06, -0.05, 0.08])


def same(one: Pose, other: Pose) -> None:
    assert one.distance_to(other) < 1e-7 and one.angle_to(other) < 1e-6  # 1e-4 mm


def refined(preset: str, offset_m: float, observation: Observation) -> RefinementResult:
    return Refiner(mesh(offset_m), preset=preset, threads=1).refine(observation, in_file_frame(START, offset_m))


def test_a_mesh_that_is_inside_out_is_turned_and_told() -> None:
    right = mesh(0.0)
    turned = replace(right, faces=right.faces[:, ::-1])
    want = Refiner(right, preset="fast").refine(pictured("depth", "mask"), START)
    found = Refiner(turned, preset="fast").refine(pictured("depth", "mask"), START)
    np.testing.assert_array_equal(found.pose.matrix, want.pose.matrix)
    assert any("inside out" in note for note in found.notes) and not any("inside out" in note for note in want.notes)


@pytest.mark.parametrize("offset_m", OFFSETS_M[1:])
@pytest.mark.parametrize("names", [("rgb", "depth", "mask"), ("rgb", "mask"), ("rgb", "depth")])
@pytest.mark.parametrize("preset", ["default", "fast", "paper"])
def test_the_result_is_the_same_wherever_the_origin_is(preset: str, names: tuple[str, ...], offset_m: float) -> None:
    middle, moved = (refined(preset, offset, pictured(*names)) for offset in (0.0, offset_m))
    same(in_own_frame(moved.pose, offset_m), middle.pose)
    assert moved.status is middle.status and moved.modalities == middle.modalities and moved.window == middle.window
    assert moved.cost == pytest.approx(middle.cost, rel=1e-4)
    assert moved.confidence == pytest.approx(middle.confidence, abs=1e-4)
    assert moved.winner == middle.winner and moved.winner_iteration == middle.winner_iteration
    k, b = moved.winner_iteration, moved.winner
    there = Pose(moved.history.R_m2c[k, b], moved.history.t_m2c[k, b])
    same(in_own_frame(there, offset_m), Pose(middle.history.R_m2c[k, b], middle.history.t_m2c[k, b]))
    if preset != "default":
        assert moved.covariance is None and middle.covariance is None
        return
    assert moved.covariance is not None and middle.covariance is not None
    motion = adjoint(middle.pose, offset_m)
    want = motion @ middle.covariance @ motion.T
    scale = np.sqrt(np.outer(np.diag(want), np.diag(want)))
    assert moved.covariance / scale == pytest.approx(want / scale, abs=1e-3)


def test_what_is_not_observed_is_said_of_the_files_origin() -> None:
    ball = Mesh(*ball_of(0.04))
    truth = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
    made = picture([(ball, truth)], np.random.default_rng(1), noise=SensorNoise())
    both = []
    for offset_m in (0.0, 0.3):
        moved = ball.moved(offset_m * AXIS) if offset_m else ball
        start = in_file_frame(truth.retract([0.001, 0.001, 0.002, 0.05, -0.02, 0.03]), offset_m)
        both.append(Refiner(moved, threads=1).refine(Observation(CAMERA, depth=made.depth, mask=made.mask), start))
    middle, moved_result = both
    assert middle.unobserved is not None and moved_result.unobserved is not None
    assert len(middle.unobserved) == len(moved_result.unobserved) == 3
    motion = adjoint(middle.pose, 0.3)
    spans = [np.linalg.qr(rows.T)[0] for rows in (middle.unobserved @ motion.T, moved_result.unobserved)]
    cosines = np.linalg.svd(spans[0].T @ spans[1])[1]
    assert cosines == pytest.approx(np.ones(3), abs=1e-3)


def ball_of(radius_m: float) -> tuple[Array, NDArray[np.int32]]:
    from tests.oracle.shapes import icosphere

    shape = icosphere(3, radius_m)
    return shape.vertices_m, shape.faces


@pytest.mark.parametrize("offset_m", OFFSETS_M[1:])
def test_a_video_is_followed_the_same_wherever_the_origin_is(offset_m: float) -> None:
    both = [Refiner(mesh(offset), preset="fast", threads=1) for offset in (0.0, offset_m)]
    for frame in range(4):
        observation = Observation(CAMERA, rgb=seen(frame).rgb, depth=seen(frame).depth)
        results = [
            refiner.track(observation, in_file_frame(TRUTH, offset) if frame == 0 else None)
            for refiner, offset in zip(both, (0.0, offset_m), strict=True)
        ]
        middle, moved = results
        assert middle.ok and moved.ok
        same(in_own_frame(moved.pose, offset_m), middle.pose)
        same(in_own_frame(moved.initial_pose, offset_m), middle.initial_pose)


def test_the_given_start_comes_back_as_it_was_given() -> None:
    start = in_file_frame(START, 1.0)
    for preset in ("default", "fast", "paper"):
        assert Refiner(mesh(1.0), preset=preset, threads=1).refine(seen(), start).initial_pose is start


@pytest.mark.parametrize("offset_m", OFFSETS_M)
def test_a_hopeless_start_comes_back_unchanged(offset_m: float) -> None:
    behind = in_file_frame(Pose(TRUTH.R_m2c, TRUTH.t_m2c - [0.0, 0.0, 2.0]), offset_m)
    result = Refiner(mesh(offset_m), threads=1).refine(seen(), behind)
    assert not result.ok and result.initial_pose is behind
    assert result.pose.distance_to(behind) < 1e-12 and result.pose.angle_to(behind) < 1e-7
    assert result.history.t_m2c[0, 0] == pytest.approx(behind.t_m2c, abs=1e-12)


def test_entering_and_leaving_undo_each_other() -> None:
    frame = ObjectFrame.of(mesh(1.0))
    assert frame.offset_m == pytest.approx(AXIS, abs=1e-9)
    assert np.abs(frame.mesh.center_m).max() < 1e-12
    same(frame.leave(frame.enter(TRUTH)), TRUTH)
    same(frame.enter(TRUTH), in_own_frame(TRUTH, 1.0))
    x_own = frame.mesh.vertices_m
    assert frame.enter(TRUTH).apply(x_own) == pytest.approx(TRUTH.apply(mesh(1.0).vertices_m), abs=1e-9)
    idle = ObjectFrame.of(frame.mesh)
    assert idle.mesh is frame.mesh or np.abs(idle.offset_m).max() < 1e-12


def test_a_motion_of_the_middle_becomes_that_of_the_origin() -> None:
    frame, h = ObjectFrame.of(mesh(1.0)), 1e-6
    own = frame.enter(TRUTH)
    for k, xi in enumerate(np.eye(6)):
        moved = frame.leave(own.retract(h * xi))
        rho, phi = moved.t_m2c - TRUTH.t_m2c, so3.log(moved.R_m2c @ TRUTH.R_m2c.T)
        assert np.concatenate([rho, phi]) / h == pytest.approx(frame.motion(own)[:, k], abs=1e-5)
