"""The last steps where no image is compared, and evidence of the pose alone says where they lead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.covariance import information_eigenbasis
from diffdope.estimate.gauss_newton import gauss_newton
from diffdope.estimate.polish_settings import PolishSettings
from diffdope.estimate.regression import RegressionContext, regress
from diffdope.estimate.robust_gauss_newton import Linearise, RobustGaussNewton, nothing_beside
from diffdope.geometry.pose import Pose, difference
from diffdope.problem.linearised import Linearised, ResidualBlock
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.registry import NoiseSettings

F64 = NDArray[np.float64]

HALF_M = 0.05
START = Pose(np.eye(3), np.array([0.02, -0.01, 0.6]))
KNOWN = np.diag([1e8, 1e8, 1e8, 1e6, 1e6, 1e6])  # deviations of 0.1 mm and 1 mrad
OFF = np.array([0.002, -0.001, 0.003, 0.02, 0.01, -0.03])
VIEW = RegressionContext(
    distance_m=0.6, pixel_m=0.6 / 600.0, length_m=HALF_M, tilt=0.0, width=160, light="gain-bias",
    ray=START.t_m2c / 0.6,
)  # fmt: skip


def known_at(target: Pose, curvature: F64 = KNOWN, sign: float = 1.0) -> Callable[[Pose], QuadraticFactor]:
    """Half of the squared distance from a pose; sign -1: its gradient is that, but the cost falls the other way."""

    def at(pose: Pose) -> QuadraticFactor:
        away = difference(pose, target)
        return QuadraticFactor(pose, curvature @ away, curvature, 10.0 + sign * 0.5 * float(away @ curvature @ away))

    return at


def nothing_seen(R: F64, t: F64) -> Linearised:
    return Linearised({}, 1, 1)


def depth_of(away: F64) -> ResidualBlock:
    """Of 900 pixels, of a pose that is so far off (6,)."""
    rng, n, f32 = np.random.default_rng(0), 900, np.float32
    J = rng.standard_normal((6, n)) / np.repeat([HALF_M, 1.0], 3)[:, None] * 0.02
    return ResidualBlock(
        (away @ J)[None].astype(f32), J[None].astype(f32), np.ones((1, n), f32), np.ones(n, f32),
        np.arange(n, dtype=np.int32), np.zeros((3, n), f32), np.ones(n, f32), J.astype(f32),
    )  # fmt: skip


def steps(beside: Callable[[Pose], QuadraticFactor], linearise: Linearise = nothing_seen) -> RobustGaussNewton:
    return RobustGaussNewton(linearise, VIEW, PolishSettings(), NoiseSettings(), beside)


def test_steps_lead_to_what_is_known() -> None:
    target = START.retract(OFF)
    found = steps(known_at(target))(START, START)
    assert found.moved
    assert found.pose.distance_to(target) < 1e-6 and found.pose.angle_to(target) < 1e-5
    assert found.covariance is not None
    np.testing.assert_allclose(found.covariance, np.linalg.inv(KNOWN), rtol=0.02, atol=1e-12)


def test_steps_after_which_the_cost_is_higher_are_undone() -> None:
    found = steps(known_at(START.retract(OFF), sign=-1.0))(START, START)
    assert not found.moved and found.pose is START


def test_steps_that_go_far_are_undone() -> None:
    for far in (OFF * [0, 0, 0, 1, 1, 1] * 8.0, np.array([0.0, 0.0, 0.25 * HALF_M, 0.0, 0.0, 0.0])):
        found = steps(known_at(START.retract(far)))(START, START)
        assert not found.moved and found.pose is START


def test_in_a_photograph_alone_steps_that_go_astray_are_shortened() -> None:
    target = START.retract(OFF)

    def rashly(pose: Pose) -> QuadraticFactor:  # a whole step goes three times as far as it should
        away = difference(pose, target)
        return QuadraticFactor(pose, 3.0 * KNOWN @ away, KNOWN, 10.0 + 0.5 * float(away @ KNOWN @ away))

    def flat(R: F64, t: F64) -> Linearised:
        block, f32 = depth_of(OFF), np.float32
        block = block._replace(jacobian=np.zeros_like(block.jacobian), rendered=np.full((1, 900), 0.5, f32))
        return Linearised({name: block for name in names}, 30, 30)

    for names, left in ((("rgb",), 0.1), (("rgb", "mask"), 1.0)):
        estimate = steps(rashly, flat)(START, START)
        assert estimate.moved == (left < 1.0), names
        now, then = (difference(pose, target) / VIEW.units for pose in (estimate.pose, START))
        assert np.linalg.norm(now) <= left * np.linalg.norm(then), names


def test_what_nothing_is_known_of_stays_where_the_start_has_it() -> None:
    """Turns are unknown: the search ended turned, and the pose goes back to the start's turn; its place does not."""
    places = np.diag(np.r_[np.diag(KNOWN)[:3], np.zeros(3)])
    ended = START.retract([0.004, 0.0, 0.0, 0.05, -0.02, 0.04])
    target = START.retract([0.003, 0.001, 0.0, 0.0, 0.0, 0.0])
    found = steps(known_at(target, places))(ended, START)
    assert found.moved
    assert found.pose.angle_to(START) < 1e-6
    assert found.pose.distance_to(target) < 1e-6
    assert found.unobserved is not None and found.unobserved.shape == (3, 6)


def test_a_step_within_deviations_is_the_last_however_long_it_is() -> None:
    """The same step, several times as long as `tolerance`: of what is known to a hundredth of it, and hardly at all."""
    drawn: list[int] = []

    def linearise(R: F64, t: F64) -> Linearised:
        drawn.append(1)
        return nothing_seen(R, t)

    for curvature, drawings in ((KNOWN, 2), (5e-4 * KNOWN, 1)):
        target, drawn[:] = START.retract(0.2 * OFF), []
        found = steps(known_at(target, curvature), linearise)(START, START)
        assert found.pose.distance_to(target) < 1e-5
        assert len(drawn) == drawings


def test_steps_to_where_no_depth_can_be_compared_are_undone() -> None:
    """They go far, and are to begin anew there: with no equations left, they ended in an error of numpy's."""
    target = START.retract(OFF * [1, 1, 1, 0, 0, 0])
    drawn: list[float] = []

    def linearise(R: F64, t: F64) -> Linearised:
        away = difference(Pose(R, t), target)
        drawn.append(float(np.linalg.norm(away[:3])))
        if drawn[-1] < 1e-7:
            return Linearised({}, 30, 30)
        # The first step goes a little too far, and the second is the last.
        return Linearised({"depth": depth_of(1.001 * away)}, 30, 30)

    found = steps(nothing_beside, linearise)(START, START)
    assert min(drawn) < 1e-7
    assert not found.moved and found.pose is START
    assert found.covariance is not None and np.isfinite(found.covariance).all()


def test_where_nothing_is_known_no_step_is_made() -> None:
    told = regress(Linearised({"depth": depth_of(OFF)}, 30, 30), VIEW, NoiseSettings())
    before = information_eigenbasis(told, VIEW, NoiseSettings())
    assert before.observed.any()
    assert np.any(gauss_newton(told, before, nothing_beside(START)))
    np.testing.assert_array_equal(gauss_newton({}, before, nothing_beside(START)), np.zeros(6))


def test_where_depth_alone_would_lead_is_foreseen_beside_a_mask() -> None:
    """A mask pulls elsewhere. What one linear step without it says is where the steps without it end."""
    off = OFF * 0.2

    def both(R: F64, t: F64) -> Linearised:
        away = difference(Pose(R, t), START)
        mask = depth_of(away + 0.5 * off)._replace(depth_jacobian=None)
        return Linearised({"depth": depth_of(away - off), "mask": mask}, 160, 120)

    def alone(R: F64, t: F64) -> Linearised:
        blocks = both(R, t).blocks
        return Linearised({"depth": blocks["depth"]}, 160, 120)

    beside = known_at(START, 1e-3 * KNOWN)
    led, free = steps(beside, both)(START, START), steps(beside, alone)(START, START)
    foreseen = steps(beside, both).foreseen_without("mask", led)
    assert foreseen is not None and free.covariance is not None
    motion = difference(free.pose, led.pose)
    assert np.linalg.norm(motion[3:]) > 0.3 * np.linalg.norm(off[3:])
    np.testing.assert_allclose(foreseen.step, motion, rtol=0.05, atol=1e-5)
    assert steps(beside, both).foreseen_without("depth", replace(led, parts={"depth": led.parts["depth"]})) is None
