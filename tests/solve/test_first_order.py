"""The compiled descents against the same in numpy: quaternions, translations over a length, and their updates.

The oracle takes the gradient by the seven numbers from central differences of the cost, so that the chain rule from
tangents to quaternions is compared too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.solve.gradient_descent import DescentSettings, StallCheck, at_rest, descend
from tests.oracle.point_alignment import PointAlignment

F64 = NDArray[np.float64]
LENGTH_M = 0.05
SGD = DescentSettings(hypotheses=3, method="sgd", iterations=12, learning_rate=0.03, translation_unit=0.7, decay=0.2)
ADAM = replace(SGD, method="adam", learning_rate=0.01)


def problem(seed: int = 0, poses: int = 2, free: tuple[bool, ...] | None = None) -> tuple[PointAlignment, F64, F64]:
    """Points as large as an object, and three states of the poses near the minimum."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(poses, 12, 3))
    R_true, t_true = so3.exp(rng.normal(size=(poses, 3))), rng.normal(0.0, 0.5, (poses, 3))
    targets = np.einsum("pij,pnj->pni", R_true, points) + t_true[:, None]
    weights = (0.3, 0.2, 0.25)
    aligned = PointAlignment(points, targets, weights=weights, length_m=LENGTH_M, free=free, offset=1.0)
    R, t = so3.exp(rng.normal(0.0, 0.3, (3, poses, 3))) @ R_true, t_true + rng.normal(0.0, 0.05, (3, poses, 3))
    return aligned, np.asarray(R), t


class Oracle:
    """One hypothesis: parameters (P, 7), moved as the papers say."""

    def __init__(self, aligned: PointAlignment, R: F64, t: F64, settings: DescentSettings, rate: float) -> None:
        self.aligned, self.s, self.rate = aligned, settings, rate
        free = aligned.column >= 0
        self.length = np.where(free, 2.0 * settings.translation_unit * LENGTH_M, 1.0)
        if not free.all():
            self.length[~free] = 2.0 * settings.translation_unit
        self.free = free
        self.values = np.concatenate([so3.wxyz_from_matrix(R), t / self.length[:, None]], axis=1)
        self.mean, self.square = np.zeros_like(self.values), np.zeros_like(self.values)

    def poses(self, values: F64) -> tuple[F64, F64]:
        return so3.matrix_from_wxyz(values[:, :4]), values[:, 4:] * self.length[:, None]

    def slope(self) -> F64:
        """Central differences; quaternions are normalised, so only what lies along the sphere counts."""
        h, out = 1e-6, np.zeros_like(self.values)
        for p, i in np.ndindex(*self.values.shape):
            step = np.zeros_like(self.values)
            step[p, i] = h
            ahead, behind = (self.aligned.cost(*self.poses(self.values + sign * step)) for sign in (1.0, -1.0))
            out[p, i] = (ahead - behind) / (2.0 * h)
        return out

    def step(self, k: int) -> None:
        """Iteration k; Adam as in Kingma and Ba, algorithm 1."""
        g, rate = self.slope(), self.rate * self.s.learning_rate * self.s.decay ** (k / self.s.iterations)
        if self.s.method == "adam":
            self.mean = 0.9 * self.mean + 0.1 * g
            self.square = 0.999 * self.square + 0.001 * g**2
            mean, square = self.mean / (1.0 - 0.9 ** (k + 1)), self.square / (1.0 - 0.999 ** (k + 1))
            g = mean / (np.sqrt(square) + 1e-8)
        moved = self.values - rate * g
        moved[:, :4] /= np.linalg.norm(moved[:, :4], axis=1, keepdims=True)
        self.values = np.where(self.free[:, None], moved, self.values)


@pytest.mark.parametrize("free", [(True, True), (False, True)])
@pytest.mark.parametrize("settings", [SGD, ADAM], ids=["sgd", "adam"])
def test_iterates_are_those_of_the_oracle(settings: DescentSettings, free: tuple[bool, bool]) -> None:
    aligned, R, t = problem(free=free)
    rates = np.array([0.5, 1.0, 2.0])
    found = descend(aligned, R, t, settings, rates)
    assert found.history_R.shape == (settings.iterations + 1, 3, 2, 3, 3)
    for b in range(3):
        oracle = Oracle(aligned, R[b], t[b], settings, rates[b])
        for k in range(settings.iterations + 1):
            R_want, t_want = oracle.poses(oracle.values)
            np.testing.assert_allclose(found.history_R[k, b], R_want, atol=1e-7)
            np.testing.assert_allclose(found.history_t[k, b], t_want, atol=1e-7)
            assert found.history_cost[k, b] == pytest.approx(aligned.cost(R_want, t_want), rel=1e-7)
            oracle.step(k)


@pytest.mark.parametrize("settings", [SGD, ADAM], ids=["sgd", "adam"])
def test_descent_reaches_the_minimum_of_a_bowl(settings: DescentSettings) -> None:
    aligned, R, t = problem(seed=9)
    rate = {"sgd": 0.1, "adam": 0.01}[settings.method]
    long = replace(settings, iterations=400, patience=400, learning_rate=rate, translation_unit=10.0, decay=0.01)
    found = descend(aligned, R, t, long, np.ones(3))
    for b in range(3):
        assert aligned.cost(found.R[b], found.t[b]) - 1.0 < 1e-4 * (aligned.cost(R[b], t[b]) - 1.0)


@pytest.mark.parametrize("settings", [SGD, ADAM], ids=["sgd", "adam"])
def test_hypotheses_do_not_touch_each_other(settings: DescentSettings) -> None:
    aligned, R, t = problem()
    together = descend(aligned, R, t, settings, np.array([0.5, 1.0, 2.0]))
    alone = descend(aligned, R[2:], t[2:], settings, np.array([2.0]))
    assert np.array_equal(together.history_t[:, 2], alone.history_t[:, 0])
    assert np.array_equal(together.history_cost[:, 2], alone.history_cost[:, 0])


def test_rotations_stay_rotations_and_held_poses_where_they_are() -> None:
    aligned, R, t = problem(free=(True, False))
    wild = replace(ADAM, learning_rate=3.0, patience=12)
    found = descend(aligned, R, t, wild, np.ones(3))
    products = found.history_R @ np.swapaxes(found.history_R, -1, -2)
    assert np.allclose(products, np.eye(3), atol=1e-12)
    assert np.allclose(found.history_t[:, :, 1], t[:, 1], atol=1e-14)
    assert np.allclose(found.history_R[:, :, 1], R[:, 1], atol=1e-14)


def test_the_result_is_the_best_iterate_of_each() -> None:
    aligned, R, t = problem()
    found = descend(aligned, R, t, replace(SGD, learning_rate=1.5, patience=12), np.array([0.02, 1.0, 2.0]))
    best = found.history_cost.argmin(axis=0)
    for b in range(3):
        assert found.cost[b] == found.history_cost[best[b], b] == found.history_cost[:, b].min()
        assert np.array_equal(found.t[b], found.history_t[best[b], b])
    assert np.isnan(found.normal).all() and np.isnan(found.gradient).all(), "descents have none"


@pytest.mark.parametrize("patience", [1, 4, 7])
def test_it_stops_when_none_has_improved_for_so_long(patience: int) -> None:
    points = np.zeros((1, 3, 3))
    flat = PointAlignment(points, points, weights=(0.0, 0.0, 0.0), offset=1.0)
    R, t = np.tile(np.eye(3), (2, 1, 1, 1)), np.zeros((2, 1, 3))
    found = descend(flat, R, t, replace(SGD, iterations=30, patience=patience), np.ones(2))
    assert found.iterations == patience and found.converged.all()
    moving, R, t = problem()
    settings = replace(SGD, iterations=30, patience=patience, tolerance=1e-2)
    found, check = descend(moving, R, t, settings, np.array([0.02, 0.01, 0.05])), StallCheck(settings, 3)
    stopped = [check.stalled(cost) for cost in found.history_cost]
    assert not any(stopped[:-1]) and (stopped[-1] or found.iterations == 30)


def test_at_rest_is_what_no_longer_falls() -> None:
    settings = DescentSettings(patience=3, settled=0.02)
    falling = 0.9 ** np.arange(10.0)[:, None]
    assert not at_rest(falling, settings)
    assert at_rest(np.concatenate([falling, np.full((4, 1), falling[-1])]), settings)
    assert not at_rest(np.ones((3, 1)), settings), "too few to tell"
