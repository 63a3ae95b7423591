"""The compiled steps against numpy's own words for them."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.solve import steps

Array = NDArray[np.float64]
UNIT = np.array([0.05] * 3 + [1.0] * 3)


# What is compiled for the solvers cannot be called from Python.
@njit
def call_step(normal, gradient, unit, damping, observable, step):  # type: ignore[no-untyped-def]
    size = len(unit)
    matrix, values, vectors = np.empty((size, size)), np.empty(size), np.empty((size, size))
    steps.set_curvatures(normal, unit, matrix, values, vectors)
    return steps.damped_step(gradient, unit, values, vectors, damping, observable, step)


@njit
def call_limit(step, longest):  # type: ignore[no-untyped-def]
    return steps.limit_step(step, longest)


@njit
def call_move(step, unit, column, R, t, R_new, t_new):  # type: ignore[no-untyped-def]
    steps.move_poses(step, unit, column, R, t, R_new, t_new)


def equations(rng: np.random.Generator, unit: Array) -> tuple[Array, Array]:
    jacobian = rng.normal(size=(40, len(unit))) / unit
    return jacobian.T @ jacobian, 0.01 * rng.normal(size=len(unit)) / unit


@pytest.mark.parametrize("poses", [1, 2])
def test_a_step_solves_the_damped_equations_and_foretells_the_fall(rng: np.random.Generator, poses: int) -> None:
    unit = np.tile(UNIT, poses)
    for damping in (0.01, 1.0, 1e-9):
        normal, gradient = equations(rng, unit)
        step = np.empty(6 * poses)
        fall = call_step(normal, gradient, unit, damping, 1e-9, step)
        scaled = normal * np.outer(unit, unit)
        damped = scaled + damping * np.linalg.eigvalsh(scaled)[-1] * np.eye(len(unit))
        np.testing.assert_allclose(step, -np.linalg.solve(damped, gradient * unit), atol=1e-12)
        xi = step * unit
        assert fall == pytest.approx(-(gradient @ xi + 0.5 * xi @ normal @ xi), rel=1e-9)


def test_directions_without_curvature_are_left_alone(rng: np.random.Generator) -> None:
    normal, gradient = equations(rng, UNIT)
    hidden = np.linalg.qr(rng.normal(size=(6, 6)))[0][:, :2]
    away = np.eye(6) - hidden @ hidden.T
    scaled = away @ (normal * np.outer(UNIT, UNIT)) @ away
    step = np.empty(6)
    fall = call_step(scaled / np.outer(UNIT, UNIT), gradient, UNIT, 1e-3, 1e-5, step)
    assert np.abs(hidden.T @ step).max() < 1e-9 * np.abs(step).max()
    assert fall > 0.0
    assert call_step(np.zeros((6, 6)), gradient, UNIT, 1e-3, 1e-5, step) == 0.0 and not step.any()


def test_no_pose_moves_farther_than_the_longest_step(rng: np.random.Generator) -> None:
    long = np.concatenate([rng.normal(size=6), 5.0 * rng.normal(size=6)])
    step = long.copy()
    assert call_limit(step, 0.3) == pytest.approx(0.3)
    each = np.linalg.norm(step.reshape(2, 6), axis=1)
    assert each.max() == pytest.approx(0.3)
    np.testing.assert_allclose(step, long * (each.max() / np.linalg.norm(long.reshape(2, 6), axis=1).max()))
    short = 0.01 * long / np.linalg.norm(long)
    step = short.copy()
    assert call_limit(step, 0.3) == pytest.approx(np.linalg.norm(short.reshape(2, 6), axis=1).max())
    np.testing.assert_array_equal(step, short)


def test_free_poses_move_by_their_numbers_and_held_ones_stay(rng: np.random.Generator) -> None:
    R, t = so3.exp(rng.normal(size=(3, 3))), rng.normal(size=(3, 3))
    unit, step, column = np.tile(UNIT, 2), rng.normal(size=12), np.array([6, -1, 0])
    R_new, t_new = np.empty_like(R), np.empty_like(t)
    call_move(step, unit, column, R, t, R_new, t_new)
    np.testing.assert_array_equal(R_new[1], R[1])
    np.testing.assert_array_equal(t_new[1], t[1])
    for pose, at in ((0, 6), (2, 0)):
        np.testing.assert_allclose(R_new[pose], so3.exp(step[at + 3 : at + 6]) @ R[pose], atol=1e-14)
        np.testing.assert_allclose(t_new[pose], t[pose] + 0.05 * step[at : at + 3], atol=1e-14)
