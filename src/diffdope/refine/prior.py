"""The start pose as evidence of its own: how much a hypothesis pays for being far from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.objective.objective import Evaluation
from diffdope.refine.pull import away_from

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """weight * (|phi|^2 / angle^2 + |rho|^2 / distance^2) for a pose Exp(phi) R_start, t_start + rho."""

    start: Pose
    angle_rad: float
    distance_m: float
    weight: float

    def add_to(self, evaluation: Evaluation, R: F64, t: F64) -> None:
        """Adds cost, gradient and normal matrix of poses (B, 3, 3) and (B, 3).

        It is a `Pull` that is the same in all directions, so that the gradient may take the turn's own derivative for
        the identity: their product is the same, since a rotation vector does not turn itself.
        """
        if self.weight <= 0.0 or self.angle_rad <= 0.0 or self.distance_m <= 0.0:
            return
        away = away_from(self.start, R, t)
        curvature = 2.0 * self.weight / np.repeat([self.distance_m**2, self.angle_rad**2], 3)
        row = away * curvature
        np.add(evaluation.cost, 0.5 * (row * away).sum(axis=1), out=evaluation.cost)
        np.add(evaluation.gradient, row, out=evaluation.gradient)
        np.add(evaluation.normal, np.diag(curvature), out=evaluation.normal)
