"""The compiled linear algebra against numpy's and against `geometry.so3`."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.solve import linear_algebra

Array = NDArray[np.float64]


# What is compiled for the solvers cannot be called from Python.
@njit
def call_eigen(matrix, values, vectors):  # type: ignore[no-untyped-def]
    linear_algebra.eigen_symmetric(matrix, values, vectors)


@njit
def call_turn(phi, R, out):  # type: ignore[no-untyped-def]
    linear_algebra.turn(phi[0], phi[1], phi[2], R, out)


@njit
def call_rotation_between(R, other, out):  # type: ignore[no-untyped-def]
    linear_algebra.rotation_between(R, other, out)


@njit
def call_inverse_jacobian(phi, vector, out):  # type: ignore[no-untyped-def]
    linear_algebra.apply_inverse_left_jacobian_transposed(phi[0], phi[1], phi[2], vector, out)


def eigen(matrix: Array) -> tuple[Array, Array]:
    size = len(matrix)
    room, values, vectors = np.empty((size, size)), np.empty(size), np.empty((size, size))
    room[:] = matrix
    call_eigen(room, values, vectors)
    return values, vectors


def matrices() -> dict[str, Array]:
    rng = np.random.default_rng(0)
    J = rng.normal(size=(40, 6))
    scale = np.diag([1e4, 1e4, 1e4, 1.0, 1.0, 1e-3])
    low = rng.normal(size=(2, 6))
    mixed = rng.normal(size=(6, 6))
    return {
        "normal": J.T @ J,
        "badly scaled": scale @ J.T @ J @ scale,
        "rank two": low.T @ low,
        "indefinite": mixed + mixed.T,
        "diagonal": np.diag([3.0, 1.0, 2.0, 1.0, 0.0, -4.0]),
        "equal values": 2.0 * np.eye(6),
        "zero": np.zeros((6, 6)),
        "tiny": 1e-150 * (J.T @ J),
        "huge": 1e150 * (J.T @ J),
        "twelve": np.kron(np.eye(2), J.T @ J) + 0.1,
        "one": np.array([[7.0]]),
    }


@pytest.mark.parametrize("name", matrices())
def test_eigenvalues_and_eigenvectors_are_numpys(name: str) -> None:
    matrix = matrices()[name]
    values, vectors = eigen(matrix)
    size = max(np.abs(matrix).max(), 1e-300)
    np.testing.assert_allclose(np.sort(values) / size, np.linalg.eigvalsh(matrix) / size, atol=1e-13)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(matrix)), atol=1e-13)
    np.testing.assert_allclose(matrix @ vectors / size, vectors * values / size, atol=1e-12)


def directions(count: int) -> Array:
    rng = np.random.default_rng(1)
    some = rng.normal(size=(count, 3))
    return np.concatenate([np.eye(3), -np.eye(3), some / np.linalg.norm(some, axis=1, keepdims=True)])


ANGLES = (0.0, 1e-15, 1e-12, 1e-9, 1e-8, 1e-6, 1e-3, 0.3, 1.5, 3.0, np.pi - 1e-3, np.pi - 1e-7, np.pi)


@pytest.mark.parametrize("angle", ANGLES)
def test_turns_are_those_of_so3(angle: float) -> None:
    R, out = so3.exp(np.array([0.4, -1.0, 0.7])), np.empty((3, 3))
    for axis in directions(10):
        call_turn(angle * axis, R, out)
        np.testing.assert_allclose(out, so3.exp(angle * axis) @ R, atol=1e-14)


@pytest.mark.parametrize("angle", ANGLES)
def test_the_rotation_between_two_is_that_of_so3(angle: float) -> None:
    other, out = so3.exp(np.array([0.4, -1.0, 0.7])), np.empty(3)
    for axis in directions(20):
        R = so3.exp(angle * axis) @ other
        call_rotation_between(R, other, out)
        # At half a turn either sign will do; small ones must keep their digits, as far as matrices have them.
        np.testing.assert_allclose(so3.exp(out), R @ other.T, atol=1e-14)
        assert np.linalg.norm(out) == pytest.approx(angle, abs=1e-15 if angle < 1e-3 else 1e-12)
        if angle < np.pi - 1e-8:
            np.testing.assert_allclose(out, so3.log(R @ other.T), atol=1e-9 if angle > 3.0 else 1e-14)


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-6, 9e-5, 1.1e-4, 1e-2, 0.5, 2.0, 3.0, 3.1])
def test_a_gradient_by_the_vector_becomes_one_by_a_turn_in_front(size: float) -> None:
    """Of any linear function of log(Exp(delta) Exp(phi)): central differences by delta."""
    out, h = np.empty(3), 1e-5
    for axis, slope in zip(directions(5), np.random.default_rng(2).normal(size=(11, 3)), strict=True):
        phi = size * axis
        call_inverse_jacobian(phi, slope, out)
        ahead, behind = (so3.log(so3.exp(sign * h * np.eye(3)) @ so3.exp(phi)) for sign in (1.0, -1.0))
        np.testing.assert_allclose(out, (ahead - behind) @ slope / (2.0 * h), rtol=1e-6, atol=1e-6)
