from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry.so3 import exp
from diffdope.solve.levenberg_marquardt import LevenbergSettings, SolverResult, minimise
from tests.oracle.point_alignment import PointAlignment

Array = NDArray[np.float64]
DEFAULT = LevenbergSettings()


def solved(
    problem: PointAlignment, R: Array, t: Array, iterations: int, settings: LevenbergSettings = DEFAULT
) -> SolverResult:
    """Of B states of a single pose, (B, 3, 3) and (B, 3)."""
    return minimise(problem, R[:, None], t[:, None], iterations=iterations, settings=settings)


def problem(
    rng: np.random.Generator, b: int, angle: float, threads: int = 1
) -> tuple[PointAlignment, Array, Array, Array, Array]:
    points = rng.normal(scale=0.05, size=(30, 3))
    R_true, t_true = exp(rng.normal(size=3)), np.array([0.1, -0.05, 0.6])
    axes = rng.normal(size=(b, 3))
    R = exp(angle * axes / np.linalg.norm(axes, axis=1, keepdims=True)) @ R_true
    return (
        PointAlignment(points[None], (points @ R_true.T + t_true)[None], threads=threads),
        R,
        t_true + rng.normal(scale=0.02, size=(b, 3)),
        R_true,
        t_true,
    )


@pytest.mark.parametrize("angle", [0.1, 0.7, 1.5])
def test_it_finds_the_known_minimum(rng: np.random.Generator, angle: float):
    aligned, R, t, R_true, t_true = problem(rng, 8, angle)
    solution = solved(aligned, R, t, 40)
    np.testing.assert_allclose(solution.R[:, 0], np.broadcast_to(R_true, R.shape), atol=1e-5)
    np.testing.assert_allclose(solution.t[:, 0], np.broadcast_to(t_true, t.shape), atol=1e-6)
    assert solution.iterations < 40 or solution.cost.max() < 1e-12


def test_few_steps_are_enough_near_the_minimum(rng: np.random.Generator):
    aligned, R, t, R_true, _ = problem(rng, 1, 0.1)
    solution = solved(aligned, R, t, 4)
    assert np.abs(solution.R - R_true).max() < 1e-4
    assert aligned.calls == solution.iterations + 1


def test_the_cost_never_rises(rng: np.random.Generator):
    aligned, R, t, _, _ = problem(rng, 16, 3.0)
    before = np.array([aligned.cost(R[b : b + 1], t[b : b + 1]) for b in range(16)])
    np.testing.assert_allclose(solved(aligned, R, t, 1).history_cost[0], before, rtol=1e-12)
    for iterations in (1, 2, 5, 10):
        after = solved(aligned, R, t, iterations)
        assert (after.cost <= before + 1e-15).all()
        assert (np.diff(after.history_cost, axis=0) <= 0.0).all()
        before = after.cost


def test_the_history_is_that_of_the_states_it_names(rng: np.random.Generator):
    aligned, R, t, _, _ = problem(rng, 3, 2.0)
    solution = solved(aligned, R, t, 6)
    K = solution.iterations + 1
    assert solution.history_R.shape == (K, 3, 1, 3, 3) and solution.history_each.shape == (K, 3, 5)
    for k, b in np.ndindex(K, 3):
        cost = aligned.cost(solution.history_R[k, b], solution.history_t[k, b])
        assert solution.history_cost[k, b] == pytest.approx(cost, rel=1e-9, abs=1e-18)
        assert solution.history_each[k, b, 0] == solution.history_cost[k, b]
    np.testing.assert_array_equal(solution.history_R[0, :, 0], R)
    np.testing.assert_array_equal(solution.history_cost[-1], solution.cost)
    np.testing.assert_array_equal(solution.history_t[-1], solution.t)


def test_gradient_and_normal_matrix_are_those_of_the_best_state(rng: np.random.Generator):
    aligned, R, t, _, _ = problem(rng, 2, 1.0)
    solution = solved(aligned, R, t, 2)
    again = minimise(aligned, solution.R, solution.t, iterations=0, settings=DEFAULT)
    np.testing.assert_array_equal(solution.gradient, again.gradient)
    np.testing.assert_array_equal(solution.normal, again.normal)


def test_what_cannot_be_seen_stays_where_it_was():
    # Points on the z axis: turns about z, and with zero weight moves along x, change nothing.
    points = np.zeros((1, 20, 3))
    points[0, :, 2] = np.linspace(-0.05, 0.05, 20)
    aligned = PointAlignment(points, points + np.array([0.3, 0.01, 0.02]), weights=(0.0, 1.0, 1.0))
    R, t = exp(np.array([[0.2, 0.0, 0.9]])), np.zeros((1, 3))
    solution = solved(aligned, R, t, 30)
    assert np.isfinite(solution.R).all()
    assert abs(solution.t[0, 0, 0]) < 1e-9
    np.testing.assert_allclose(solution.t[0, 0, 1:], [0.01, 0.02], atol=1e-6)
    unit = aligned.unit
    values, vectors = np.linalg.eigh(solution.normal[0] * np.outer(unit, unit))
    seen = vectors[:, values > DEFAULT.observable * values[-1]]
    observed = seen @ seen.T
    assert observed[0, 0] < 1e-6 and observed[1, 1] > 0.999 and observed[2, 2] > 0.999
    assert np.trace(observed) == pytest.approx(3.0)  # y, z, and the turn about x; y's turn moves along the unseen x


def test_nothing_to_see_moves_nothing():
    points = np.random.default_rng(0).normal(size=(1, 5, 3))
    flat = PointAlignment(points, points, weights=(0.0, 0.0, 0.0), offset=1.0)
    R, t = np.tile(np.eye(3), (2, 1, 1)), np.zeros((2, 3))
    solution = solved(flat, R, t, 5)
    assert (solution.R[:, 0] == R).all() and (solution.t[:, 0] == t).all()
    assert not solution.normal.any() and solution.converged.all()
    assert (solution.last_reduction == 0.0).all()


def test_another_hypothesis_changes_no_other(rng: np.random.Generator):
    aligned, R, t, _, _ = problem(rng, 6, 0.7)
    endless = LevenbergSettings(tolerance=1e-300)
    alone = solved(aligned, R[:2], t[:2], 5, endless)
    together = solved(aligned, R, t, 5, endless)
    np.testing.assert_array_equal(alone.t, together.t[:2])


def test_the_number_of_threads_changes_no_bit():
    results = []
    for threads in (1, 3):
        aligned, R, t, _, _ = problem(np.random.default_rng(4), 20, 2.0, threads)
        results.append(solved(aligned, R, t, 12))
    one, three = results
    for name in ("R", "t", "cost", "history_R", "history_cost", "converged", "last_reduction"):
        np.testing.assert_array_equal(getattr(one, name), getattr(three, name))


@pytest.mark.parametrize("threads", [1, 3])
def test_in_a_race_the_best_make_all_steps_and_the_others_half(threads: int) -> None:
    """Those that go on take the very steps that they take without a race; the others stay where they were halfway."""
    endless = LevenbergSettings(tolerance=1e-300)
    aligned, R, t, _, _ = problem(np.random.default_rng(4), 12, 2.0, threads)
    everyone, half = solved(aligned, R, t, 9, endless), solved(aligned, R, t, 5, endless)
    aligned, *_ = problem(np.random.default_rng(4), 12, 2.0, threads)
    race = minimise(aligned, R[:, None], t[:, None], iterations=9, settings=endless, going_on=4)
    order = np.argsort(half.cost, kind="stable")
    first, last = order[:4], order[4:]
    for name in ("R", "t", "cost", "gradient", "normal", "converged", "last_reduction"):
        np.testing.assert_array_equal(getattr(race, name)[first], getattr(everyone, name)[first])
        np.testing.assert_array_equal(getattr(race, name)[last], getattr(half, name)[last])
    np.testing.assert_array_equal(race.history_cost[:, first], everyone.history_cost[:, first])
    np.testing.assert_array_equal(race.history_cost[:6, last], half.history_cost[:, last])
    assert (race.history_cost[6:, last] == race.cost[last]).all()
    assert aligned.calls == 12 * 6 + 4 * 4


def test_a_race_that_all_would_win_is_none(rng: np.random.Generator):
    aligned, R, t, _, _ = problem(rng, 6, 0.7)
    usual = solved(aligned, R, t, 5)
    race = minimise(aligned, R[:, None], t[:, None], iterations=5, settings=DEFAULT, going_on=6)
    np.testing.assert_array_equal(race.history_t, usual.history_t)


def test_the_states_that_are_given_are_not_written_to(rng: np.random.Generator):
    aligned, R, t, _, _ = problem(rng, 2, 0.7)
    copies = R.copy(), t.copy()
    solved(aligned, R, t, 3)
    np.testing.assert_array_equal(R, copies[0])
    np.testing.assert_array_equal(t, copies[1])


def test_steps_are_limited(rng: np.random.Generator):
    aligned, R, t, _, _ = problem(rng, 3, 0.0)
    far = t + np.array([1.0, 0.0, 0.0])
    solution = solved(aligned, R, far, 1)
    assert np.linalg.norm(solution.t[:, 0] - far, axis=1).max() <= 0.3 * 0.05 + 1e-12


def test_several_poses_are_found_at_once_and_held_ones_stay(rng: np.random.Generator):
    points = rng.normal(scale=0.05, size=(3, 25, 3))
    R_true, t_true = exp(rng.normal(size=(3, 3))), rng.normal(size=(3, 3))
    targets = np.einsum("pij,pnj->pni", R_true, points) + t_true[:, None]
    aligned = PointAlignment(points, targets, free=(True, False, True))
    R, t = exp(0.5 * rng.normal(size=(2, 3, 3))) @ R_true, t_true + 0.02 * rng.normal(size=(2, 3, 3))
    solution = minimise(aligned, R, t, iterations=40, settings=DEFAULT)
    np.testing.assert_array_equal(solution.R[:, 1], R[:, 1])
    np.testing.assert_array_equal(solution.t[:, 1], t[:, 1])
    for p in (0, 2):
        np.testing.assert_allclose(solution.R[:, p], np.broadcast_to(R_true[p], (2, 3, 3)), atol=1e-5)
        np.testing.assert_allclose(solution.t[:, p], np.broadcast_to(t_true[p], (2, 3)), atol=1e-6)
    assert solution.gradient.shape == (2, 12) and solution.normal.shape == (2, 12, 12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"damping": 0.0}, {"decrease": 1.5}, {"increase": 0.5}, {"max_step": -1.0}, {"observable": 0.0},
        {"tolerance": float("nan")}, {"reduction_tolerance": -0.1}, {"without_depth": 0.0}, {"without_depth": 1.5},
    ],
)  # fmt: skip
def test_numbers_that_make_no_descent_are_refused(wrong: dict[str, float]):
    with pytest.raises(DiffDopeError, match=next(iter(wrong))):
        LevenbergSettings(**wrong)


def test_a_step_that_promises_nothing_is_not_evaluated(rng: np.random.Generator):
    aligned, R, t, R_true, t_true = problem(rng, 4, 0.1)
    settings = LevenbergSettings(reduction_tolerance=1e-3, tolerance=1e-2)
    at_rest = solved(aligned, R_true[None], t_true[None] + 0.0, 9, settings)
    assert at_rest.converged.all()
    assert aligned.calls == at_rest.iterations + 1 <= 4  # what is left is rounding, and no share of it can be told
    lifted = PointAlignment(*aligned.arrays[:2], offset=1.0)
    assert solved(lifted, R_true[None], t_true[None] + 0.0, 9, settings).converged.all() and lifted.calls == 1
    noisy = aligned.arrays[1] + rng.normal(scale=1e-3, size=aligned.arrays[1].shape)
    for b in range(4):
        one = PointAlignment(aligned.arrays[0], noisy)
        solution = solved(one, R[b : b + 1], t[b : b + 1], 9, settings)
        assert one.calls == solution.iterations + 1 < 5 and solution.converged.all()


def test_the_reduction_tolerance_is_a_share() -> None:
    with pytest.raises(DiffDopeError, match="reduction_tolerance: expected a share from 0 to below 1, got 1"):
        LevenbergSettings(reduction_tolerance=1.0)


def test_costs_that_are_compared_take_fewer_steps_and_differ_by_less_than_the_share(rng: np.random.Generator) -> None:
    share, settings = 1e-2, LevenbergSettings(tolerance=1e-12)
    assert settings.to_compare(0.0) == settings
    assert replace(settings, reduction_tolerance=0.1).to_compare(share).reduction_tolerance == 0.1
    for b in range(4):
        aligned, R, t, _, _ = problem(rng, 1, 0.2)
        noisy = aligned.arrays[1] + rng.normal(scale=1e-2, size=aligned.arrays[1].shape)
        all_steps, few = (
            solved(PointAlignment(aligned.arrays[0], noisy), R, t + 0.0, 12, one)
            for one in (settings, settings.to_compare(share))
        )
        assert few.iterations < all_steps.iterations, b
        assert all_steps.cost[0] <= few.cost[0] < (1.0 + share) * all_steps.cost[0]
