"""How a still object moves in the pictures of a camera on the hand, with each of the unknowns.

T_camera_object = T_camera_flange T_base_flange^-1 T_base_object. The camera's step (rho, phi) is in its own axes about
its own centre, x_c <- Exp(phi) x_c + rho, and the same for all pictures; the object's is about its own middle in the
base's axes. Errors of a picture's joints move its flange in the base: x_b <- x_b + e (axis x x_b + shift).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.joint.chain import ScenePoses, by_camera, by_object, moved_camera
from diffdope.joint.normal_equations import Leaves

F64 = NDArray[np.float64]

CAMERA, OBJECT, SHARED = slice(0, 6), slice(6, 12), 12
"""Columns of the unknowns that all pictures share."""
_FAR_FROM_MEDIAN = 3.0  # times as large as the median picture's: such errors are not those of the others


@dataclass(frozen=True, eq=False)
class FlangeScrews:
    """How a flange moves in the base with J errors: axis (J, 3) and shift (J, 3) of its points, see the module."""

    axis: F64
    shift: F64

    def motion(self, errors: F64) -> Pose:
        """T of x_b <- T x_b for errors (J,), to second order."""
        turn, shift = errors @ self.axis, errors @ self.shift
        return Pose(so3.exp(turn), shift + 0.5 * np.cross(turn, shift))


@dataclass(frozen=True, eq=False)
class HandState:
    """Where everything is.

    Attributes:
        T_camera_flange: of the camera on the hand.
        T_base_object: of the object, about its own middle.
        flanges: T_base_flange of each picture, as it was told.
        screws: of each picture.
        errors: (N, J) of the joints of each picture, radians.
    """

    T_camera_flange: Pose
    T_base_object: Pose
    flanges: tuple[Pose, ...]
    screws: tuple[FlangeScrews, ...]
    errors: F64

    def camera(self, n: int) -> Pose:
        """T_camera_base in a picture."""
        return self.T_camera_flange @ (self.screws[n].motion(self.errors[n]) @ self.flanges[n]).inverse()

    def in_camera(self, n: int) -> Pose:
        """T_camera_object in a picture."""
        return self.camera(n) @ self.T_base_object

    @property
    def scene(self) -> ScenePoses:
        """The same as one object and as many views as there are pictures."""
        return ScenePoses((self.T_base_object,), tuple(self.camera(n) for n in range(len(self.flanges))))

    def moved(self, shared: F64, errors: F64) -> HandState:
        """After a step (12,) of the camera and the object, with other errors (N, J)."""
        return replace(
            self, T_camera_flange=moved_camera(self.T_camera_flange, shared[CAMERA]),
            T_base_object=self.T_base_object.retract(shared[OBJECT]), errors=errors,
        )  # fmt: skip

    def derivatives(self, n: int) -> tuple[F64, F64]:
        """(6, 12) and (6, J) of T_camera_object, as its tangent has it, by what is shared and by a picture's errors."""
        to_camera, screws = by_object(self.camera(n)), self.screws[n]
        velocity = np.cross(screws.axis, self.T_base_object.t_m2c) + screws.shift
        own = -to_camera @ np.hstack([velocity, screws.axis]).T
        return np.hstack([by_camera(self.in_camera(n)), to_camera]), own


@dataclass(frozen=True, eq=False)
class HandEquations:
    """Normal equations with the errors of pictures eliminated, and the way back to them.

    Attributes:
        of_picture: (N, 12, 12) what each picture says of the shared unknowns.
        pull: (N, 12) gradient of each.
        inner: (N, J, J) covariance of a picture's errors, given the shared unknowns.
        between: (N, 12, J).
        own: (N, J) gradient by errors, their prior included.
        cost: of pictures and errors.
    """

    of_picture: F64
    pull: F64
    inner: F64
    between: F64
    own: F64
    cost: float

    @classmethod
    def at(cls, state: HandState, leaves: Leaves, weights: Mapping[int, float], sigma: float) -> HandEquations:
        """At a state.

        Args:
            state: where the leaves were linearised.
            leaves: cost, gradient and curvature of T_camera_object, by (picture, 0).
            weights: of the pictures; those that are missing do not count.
            sigma: standard deviation of an error.
        """
        n, J = state.errors.shape
        of_picture, pull, between = np.zeros((n, SHARED, SHARED)), np.zeros((n, SHARED)), np.zeros((n, SHARED, J))
        inner, own = np.tile(sigma**2 * np.eye(J), (n, 1, 1)), state.errors / sigma**2
        cost = 0.5 * float((state.errors**2).sum()) / sigma**2
        for (k, _), leaf in leaves.items():
            weight = weights.get(k, 0.0)
            if weight <= 0.0:
                continue
            shared, errors = state.derivatives(k)
            H, g = weight * leaf.curvature, weight * leaf.gradient
            inner[k] = np.linalg.inv(errors.T @ H @ errors + np.eye(J) / sigma**2)
            between[k], own[k] = shared.T @ H @ errors, own[k] + errors.T @ g
            of_picture[k] = shared.T @ H @ shared - between[k] @ inner[k] @ between[k].T
            pull[k] = shared.T @ g - between[k] @ inner[k] @ own[k]
            cost += weight * leaf.cost
        return cls(of_picture, pull, inner, between, own, cost)

    def errors_after(self, state: HandState, step: F64) -> F64:
        """(N, J) the errors that go with a step (12,) of the shared unknowns."""
        back = self.own + np.einsum("nsj,s->nj", self.between, step)
        return np.asarray(state.errors - np.einsum("njk,nk->nj", self.inner, back))

    def error_size(self, errors: F64, counted: Sequence[int], covariance: F64, sigma: float) -> tuple[float, float]:
        """Standard deviation of errors as the pictures tell it, and how many of them they determine.

        The sum of squares by the number that is determined (MacKay, Neural Computation 4, 1992).

        Args:
            errors: (N, J).
            counted: pictures that count.
            covariance: (12, 12) of the shared unknowns, which take their part of the residuals.
            sigma: as it was taken for.
        """
        squares, known = np.zeros(len(counted)), np.zeros(len(counted))
        for row, k in enumerate(counted):
            by_shared = self.inner[k] @ self.between[k].T
            deviation = np.trace(self.inner[k]) + np.trace(by_shared @ covariance @ by_shared.T)
            known[row] = max(errors.shape[1] - float(deviation) / sigma**2, 0.0)
            squares[row] = float((errors[k] ** 2).sum())
        ratio = squares / np.maximum(known, 1e-12)
        # One picture that belongs to other joint values must not make all joints uncertain.
        kept = ratio <= _FAR_FROM_MEDIAN**2 * np.median(ratio) if len(ratio) else np.zeros(0, bool)
        return float(np.sqrt(squares[kept].sum() / max(known[kept].sum(), 1e-12))), float(known.sum())


def deviations_of(state: HandState, leaves: Leaves, sigma: float) -> dict[int, float]:
    """By picture: mean square, over six directions, of how far its own optimum is from where told joints have it.

    In its standard deviations, errors of joints included.

    Args:
        state: where the leaves were linearised.
        leaves: by (picture, 0).
        sigma: standard deviation of an error of a joint.
    """
    found = {}
    for (n, _), leaf in leaves.items():
        _, by_own = state.derivatives(n)
        spread = np.asarray(np.linalg.inv(leaf.damped), np.float64)
        away = spread @ leaf.gradient - by_own @ state.errors[n]
        found[n] = float(away @ np.linalg.solve(spread + sigma**2 * by_own @ by_own.T, away)) / 6.0
    return found
