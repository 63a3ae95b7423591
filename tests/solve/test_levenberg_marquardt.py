from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry.so3 import exp
from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise

Array = NDArray[np.float64]


class Sums(NamedTuple):
    cost: Array
    gradient: Array
    normal: Array


class PointAlignment:
    """Sum of squared distances of R p + t to targets: its minimum is known, in closed form, without this solver."""

    def __init__(self, points: Array, targets: Array, weights: Array | None = None) -> None:
        self.points, self.targets = points, targets
        self.weights = np.ones(3) if weights is None else weights
        self.calls = 0

    def __call__(self, R: Array, t: Array) -> Sums:
        self.calls += 1
        turned = self.points @ R.transpose(0, 2, 1)
        residual = (turned + t[:, None] - self.targets) * self.weights
        jacobian = np.zeros((*residual.shape, 6))
        jacobian[..., :3] = np.eye(3)
        x, y, z = np.moveaxis(turned, -1, 0)
        zero = np.zeros_like(x)
        cross = np.stack([np.stack(r, -1) for r in ((zero, z, -y), (-z, zero, x), (y, -x, zero))], -2)
        jacobian[..., 3:] = cross
        jacobian *= self.weights[:, None]
        flat, r = jacobian.reshape(len(t), -1, 6), residual.reshape(len(t), -1)
        normal = flat.transpose(0, 2, 1) @ flat
        return Sums(0.5 * (r**2).sum(1), np.einsum("bnk,bn->bk", flat, r), normal)


def problem(rng: np.random.Generator, b: int, angle: float) -> tuple[PointAlignment, Array, Array, Array, Array]:
    points = rng.normal(scale=0.05, size=(30, 3))
    R_true, t_true = exp(rng.normal(size=3)), np.array([0.1, -0.05, 0.6])
    axes = rng.normal(size=(b, 3))
    R = exp(angle * axes / np.linalg.norm(axes, axis=1, keepdims=True)) @ R_true
    return (
        PointAlignment(points, points @ R_true.T + t_true),
        R,
        t_true + rng.normal(scale=0.02, size=(b, 3)),
        R_true,
        t_true,
    )


@pytest.mark.parametrize("angle", [0.1, 0.7, 1.5])
def test_it_finds_the_known_minimum(rng: np.random.Generator, angle: float):
    evaluate, R, t, R_true, t_true = problem(rng, 8, angle)
    solution = minimise(evaluate, R, t, length_m=0.05, iterations=40)
    np.testing.assert_allclose(solution.R_m2c, np.broadcast_to(R_true, R.shape), atol=1e-5)
    np.testing.assert_allclose(solution.t_m2c, np.broadcast_to(t_true, t.shape), atol=1e-6)
    assert solution.iterations < 40 or solution.cost.max() < 1e-12


def test_few_steps_are_enough_near_the_minimum(rng: np.random.Generator):
    evaluate, R, t, R_true, _ = problem(rng, 4, 0.1)
    solution = minimise(evaluate, R, t, length_m=0.05, iterations=4)
    assert np.abs(solution.R_m2c - R_true).max() < 1e-4
    assert evaluate.calls == solution.iterations + 1


def test_the_cost_never_rises(rng: np.random.Generator):
    evaluate, R, t, _, _ = problem(rng, 16, 3.0)
    before = evaluate(R, t).cost
    for iterations in (1, 2, 5, 10):
        after = minimise(evaluate, R, t, length_m=0.05, iterations=iterations).cost
        assert (after <= before + 1e-15).all()
        before = after


def test_what_cannot_be_seen_stays_where_it_was(rng: np.random.Generator):
    # Points on the z axis: turns about z, and with zero weight moves along x, change nothing.
    points = np.zeros((20, 3))
    points[:, 2] = np.linspace(-0.05, 0.05, 20)
    evaluate = PointAlignment(points, points + np.array([0.3, 0.01, 0.02]), np.array([0.0, 1.0, 1.0]))
    R, t = exp(np.array([[0.2, 0.0, 0.9]])), np.zeros((1, 3))
    solution = minimise(evaluate, R, t, length_m=0.05, iterations=30)
    assert np.isfinite(solution.R_m2c).all()
    assert abs(solution.t_m2c[0, 0]) < 1e-9
    np.testing.assert_allclose(solution.t_m2c[0, 1:], [0.01, 0.02], atol=1e-6)
    observed = solution.observed[0]
    np.testing.assert_allclose(observed @ observed, observed, atol=1e-9)
    assert observed[0, 0] < 1e-6 and observed[1, 1] > 0.999 and observed[2, 2] > 0.999
    assert np.trace(observed) == pytest.approx(3.0)  # y, z, and the turn about x; y's turn moves along the unseen x


def test_nothing_to_see_moves_nothing():
    flat = Sums(np.ones(2), np.zeros((2, 6)), np.zeros((2, 6, 6)))
    R, t = np.tile(np.eye(3), (2, 1, 1)), np.zeros((2, 3))
    solution = minimise(lambda R, t: flat, R, t, length_m=0.05, iterations=5)
    assert (solution.R_m2c == R).all() and (solution.t_m2c == t).all()
    assert (solution.observed == 0).all() and solution.converged.all()


def test_another_hypothesis_changes_no_other(rng: np.random.Generator):
    evaluate, R, t, _, _ = problem(rng, 6, 0.7)
    endless = LevenbergSettings(tolerance=1e-300)
    alone = minimise(evaluate, R[:2], t[:2], length_m=0.05, iterations=5, settings=endless)
    together = minimise(evaluate, R, t, length_m=0.05, iterations=5, settings=endless)
    np.testing.assert_array_equal(alone.t_m2c, together.t_m2c[:2])


def test_steps_are_limited(rng: np.random.Generator):
    evaluate, R, t, _, _ = problem(rng, 3, 0.0)
    far = t + np.array([1.0, 0.0, 0.0])
    solution = minimise(evaluate, R, far, length_m=0.05, iterations=1)
    assert np.linalg.norm(solution.t_m2c - far, axis=1).max() <= 0.3 * 0.05 + 1e-12


@pytest.mark.parametrize("wrong", [{"damping": 0.0}, {"shrink": 1.5}, {"grow": 0.5}, {"longest": -1.0}])
def test_numbers_that_make_no_descent_are_refused(wrong: dict[str, float]):
    with pytest.raises(DiffDopeError, match=next(iter(wrong))):
        LevenbergSettings(**wrong)


def test_a_step_that_promises_nothing_is_not_evaluated(rng: np.random.Generator):
    evaluate, R, t, R_true, t_true = problem(rng, 4, 0.1)
    settings = LevenbergSettings(negligible=1e-3, tolerance=1e-2)
    at_rest = minimise(evaluate, R_true[None], t_true[None] + 0.0, length_m=0.05, iterations=9, settings=settings)
    assert evaluate.calls == 2 and at_rest.iterations == 1  # nothing to lower, so no share of it can be told
    evaluate.calls = 0
    evaluate.targets = evaluate.targets + rng.normal(scale=1e-3, size=evaluate.targets.shape)
    solution = minimise(evaluate, R, t, length_m=0.05, iterations=9, settings=settings)
    assert evaluate.calls == solution.iterations + 1 < 5 and solution.converged.all()


def test_negligible_is_a_share() -> None:
    with pytest.raises(DiffDopeError, match="negligible: expected a share from 0 to below 1, got 1"):
        LevenbergSettings(negligible=1.0)
