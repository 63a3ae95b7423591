"""The camera's and the object's place from all pictures at once: robust Gauss-Newton, errors of joints eliminated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.eye_in_hand.chain import (
    CAMERA,
    OBJECT,
    SHARED,
    HandEquations,
    HandState,
    deviations_of,
)
from diffdope.calibration.solution import inverse_of
from diffdope.geometry.pose import Pose, difference
from diffdope.joint.normal_equations import Leaves

F64 = NDArray[np.float64]
Evaluate = Callable[[HandState], Leaves]

_LEAST_KNOWN = 1.0  # errors that pictures must determine to tell their deviation
OPEN_M, OPEN_RAD = 0.3, np.radians(30.0)
"""Deviations of what pictures say nothing about: steps along it stay short, and its covariance is no infinity."""
_HALVINGS = 4  # of a step that makes it worse
_SIGMA_RESTS = 0.05  # share by which the size of errors may still change at the end
_TUKEY = 4.685  # standard deviations beyond which a picture does not count


@dataclass(frozen=True)
class ObjectPrior:
    """What is known of the object's place: T_base_object about its own middle, and deviations (metres, degrees).

    Deviations of 0 hold it.
    """

    pose: Pose
    sigma: tuple[float, float] = (0.0, 0.0)

    @property
    def held(self) -> bool:
        """Whether it is known exactly."""
        return max(self.sigma) <= 0.0

    @property
    def information(self) -> F64:
        """(6, 6); 0 where it is held, for then there is nothing to look for."""
        if self.held:
            return np.zeros((6, 6))
        return np.diag(1.0 / np.maximum(np.repeat([self.sigma[0], np.radians(self.sigma[1])], 3), 1e-6) ** 2)

    def gradient(self, at: Pose) -> F64:
        """(6,) of half the squared deviations."""
        return self.information @ difference(at, self.pose)


@dataclass(frozen=True)
class ErrorSizes:
    """Standard deviations of errors in single pictures, radians.

    first: where the pictures do not tell it; least and most: what it may be.
    """

    first: float
    least: float
    most: float


@dataclass(frozen=True, eq=False)
class HandSolution:
    """Where the steps ended.

    Attributes:
        state: all places.
        leaves: there.
        weights: by picture.
        sigma: standard deviation of errors of joints, radians.
        equations: there.
        information: (12, 12) of what is shared.
        free: (12,) what is looked for.
    """

    state: HandState
    leaves: Leaves
    weights: dict[int, float]
    sigma: float
    equations: HandEquations
    information: F64
    free: NDArray[np.bool_]

    @property
    def counted(self) -> list[int]:
        """Pictures that count."""
        return [n for n, weight in self.weights.items() if weight > 0.0]

    @property
    def covariance(self) -> F64:
        """(12, 12); 0 for what is held."""
        return inverse_of(self.information, self.free)

    def without(self, picture: int) -> F64:
        """(12,) the step if a picture is left out."""
        information = self.information - self.equations.of_picture[picture]
        return np.asarray(inverse_of(information, self.free) @ self.equations.pull[picture], np.float64)


def minimise(
    state: HandState, evaluate: Evaluate, target: ObjectPrior | None, sizes: ErrorSizes, *, iterations: int,
    units: F64, tolerance: float, sigma: float | None = None,
) -> HandSolution:  # fmt: skip
    """Gauss-Newton with weights of pictures, and the size of errors, anew before every step.

    Args:
        state: to begin with.
        evaluate: the leaves at a state, by (picture, 0).
        target: what is known of the object's place; None for nothing.
        sizes: of errors.
        iterations: steps at most.
        units: (12,) by which steps are divided to compare.
        tolerance: the step that is shorter, in units, is the last.
        sigma: deviation of errors to begin with; None for the greatest, with which no picture contradicts another.
    """
    sigma = sizes.most if sigma is None else sigma
    free = np.ones(SHARED, bool)
    free[OBJECT] = target is None or not target.held
    leaves = evaluate(state)
    weights = weights_of(state, leaves, sigma)
    for _ in range(iterations):
        if not leaves:
            break
        equations = HandEquations.at(state, leaves, weights, sigma)
        information, gradient = _summed(equations, state, target)
        step = -inverse_of(information, free) @ gradient
        moved, there = _shortened(state, equations, step, evaluate, leaves, weights, sigma, target)
        if moved is None:
            break
        state, leaves, before = moved, there, sigma
        counted = [n for n, weight in weights.items() if weight > 0.0]
        size, known = equations.error_size(state.errors, counted, inverse_of(information, free), sigma)
        if known >= _LEAST_KNOWN:
            sigma = min(max(size, sizes.least), sizes.most)
        elif sigma >= sizes.most:
            sigma = sizes.first
        weights = weights_of(state, leaves, sigma)
        if float(np.abs(step / units).max()) < tolerance and abs(sigma - before) < _SIGMA_RESTS * before:
            break
    equations = HandEquations.at(state, leaves, weights, sigma)
    information, _ = _summed(equations, state, target)
    return HandSolution(state, leaves, weights, sigma, equations, information, free)


def weights_of(state: HandState, leaves: Leaves, sigma: float) -> dict[int, float]:
    """How much each picture counts: less if it is much farther from its own optimum than the others (Tukey).

    Args:
        state: where the leaves were linearised.
        leaves: by (picture, 0).
        sigma: standard deviation of an error of a joint.
    """
    distance = deviations_of(state, leaves, sigma)
    common = max(1.0, float(np.median(list(distance.values())))) if distance else 1.0
    return {n: max(0.0, 1.0 - value / (_TUKEY**2 * common)) ** 2 for n, value in distance.items()}


def _summed(equations: HandEquations, state: HandState, target: ObjectPrior | None) -> tuple[F64, F64]:
    """Information (12, 12) and gradient (12,) of what is shared."""
    information, gradient = equations.of_picture.sum(axis=0), equations.pull.sum(axis=0)
    information += np.diag(1.0 / np.tile(np.repeat([OPEN_M, OPEN_RAD], 3), 2) ** 2)
    if target is not None:
        information[OBJECT, OBJECT] += target.information
        gradient[OBJECT] += target.gradient(state.T_base_object)
    return information, gradient


def _shortened(
    state: HandState, equations: HandEquations, step: F64, evaluate: Evaluate, leaves: Leaves,
    weights: Mapping[int, float], sigma: float, target: ObjectPrior | None,
) -> tuple[HandState | None, Leaves]:  # fmt: skip
    """The step, halved until it costs no more than before; None if none does."""
    before = equations.cost + _prior_cost(state, target)
    errors = equations.errors_after(state, step)
    for _ in range(_HALVINGS):
        moved = state.moved(step, errors)
        there = evaluate(moved)
        if set(there) == set(leaves):
            cost = sum(weights[n] * leaf.cost for (n, _), leaf in there.items())
            cost += 0.5 * float((errors**2).sum()) / sigma**2 + _prior_cost(moved, target)
            if cost <= before + 1e-9 * abs(before):
                return moved, there
        step, errors = 0.5 * step, 0.5 * (errors + state.errors)
    return None, leaves


def _prior_cost(state: HandState, target: ObjectPrior | None) -> float:
    if target is None:
        return 0.0
    return 0.5 * float(difference(state.T_base_object, target.pose) @ target.gradient(state.T_base_object))


def covariance_in_flange(covariance: F64, T_flange_camera: Pose) -> F64:
    """(6, 6) of T_flange_camera in (rho, phi), R <- Exp(phi) R, t <- t + rho, from that of the camera's own steps.

    The camera's step S acts as X <- X S^-1, so that rho = -R_X rho_c and phi = -R_X phi_c.
    """
    J = -np.kron(np.eye(2), T_flange_camera.R_m2c)
    return np.asarray(J @ covariance[CAMERA, CAMERA] @ J.T)
