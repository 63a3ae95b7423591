"""The start pose as evidence of its own: how much a hypothesis pays for being far from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.problem.factor import Evaluation

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """weight * (4 sin^2(theta / 2) / angle^2 + |rho|^2 / distance^2) for a pose turned by theta and shifted by rho.

    4 sin^2(theta / 2) = tr(I - R R_start^T), the squared chord, is theta^2 for what a search calls near, and needs no
    logarithm.
    """

    start: Pose
    angle_rad: float
    distance_m: float
    weight: float

    def add_to(self, evaluation: Evaluation, R: F64, t: F64) -> None:
        """Adds cost, gradient and normal matrix of poses (B, 3, 3) and (B, 3).

        The gradient of tr(I - M) by a turn in front of M is its axial vector. The curvature is taken for that at the
        start: it is never less than the true one.
        """
        if self.weight <= 0.0 or self.angle_rad <= 0.0 or self.distance_m <= 0.0:
            return
        shift, M = t - self.start.t_m2c, R @ self.start.R_m2c.T
        far, turned = self.weight / self.distance_m**2, self.weight / self.angle_rad**2
        chord = 3.0 - (M[:, 0, 0] + M[:, 1, 1] + M[:, 2, 2])
        axial = M[:, (2, 0, 1), (1, 2, 0)] - M[:, (1, 2, 0), (2, 0, 1)]
        evaluation.cost[:] += far * (shift * shift).sum(axis=1) + turned * chord
        evaluation.gradient[:, :3] += 2.0 * far * shift
        evaluation.gradient[:, 3:] += turned * axial
        diagonal = evaluation.normal.reshape(-1, 36)[:, ::7]
        diagonal[:, :3] += 2.0 * far
        diagonal[:, 3:] += 2.0 * turned
