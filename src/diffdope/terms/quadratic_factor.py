"""A quadratic cost about a pose: what is known of a pose from elsewhere than the pixels that are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.problem.factor import Evaluation

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Pull:
    """constant + slope . xi + xi . curvature . xi / 2, where xi = (t - t_at [m], log(R R_at^T) [rad]).

    at: the pose where xi = 0; slope (6,); curvature (6, 6), symmetric.
    """

    at: Pose
    slope: F64
    curvature: F64
    constant: float = 0.0

    def costs(self, R: F64, t: F64) -> F64:
        """Of poses (B, 3, 3) and (B, 3): (B,)."""
        return self._costs(away_from(self.at, R, t))

    def add_to(self, evaluation: Evaluation, R: F64, t: F64) -> F64:
        """Adds cost, gradient and normal matrix of poses (B, 3, 3) and (B, 3); returns the costs (B,) alone."""
        away = away_from(self.at, R, t)
        costs = self._costs(away)
        # A turn delta in front of Exp(phi) changes phi by J_l(phi)^-1 delta.
        inverse = inverse_left_jacobian(away[:, 3:])
        row = self.slope + away @ self.curvature
        row[:, 3:] = np.einsum("bji,bj->bi", inverse, row[:, 3:])
        np.add(evaluation.cost, costs, out=evaluation.cost)
        np.add(evaluation.gradient, row, out=evaluation.gradient)
        np.add(evaluation.normal, self.curvature, out=evaluation.normal)
        return costs

    def _costs(self, away: F64) -> F64:
        quadratic: F64 = 0.5 * np.einsum("bi,ij,bj->b", away, self.curvature, away)
        return self.constant + away @ self.slope + quadratic


def away_from(pose: Pose, R: F64, t: F64) -> F64:
    """(B, 6): t - t_pose [m] and log(R R_pose^T) [rad] of poses (B, 3, 3) and (B, 3)."""
    return np.concatenate([t - pose.t_m2c, so3.log(R @ pose.R_m2c.T)], axis=1)


def inverse_left_jacobian(phi: F64) -> F64:
    """J_l(phi)^-1 (B, 3, 3) of rotation vectors (B, 3). Source: Barfoot, State Estimation for Robotics, 2017, 7.1.5."""
    angle = np.linalg.norm(phi, axis=1)[:, None, None]
    hat = so3.hat(phi)
    safe = np.maximum(angle, 1e-4)
    factor = np.where(angle < 1e-4, 1.0 / 12.0, 1.0 / safe**2 - 0.5 / (safe * np.tan(0.5 * safe)))
    return np.asarray(np.eye(3) - 0.5 * hat + factor * (hat @ hat))
