"""Matched points: points of the object and the pixels that are thought to show them; some of the pairs are wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pnp import reprojection
from diffdope.geometry.pose import Pose
from diffdope.terms.quadratic_factor import QuadraticFactor

F64 = NDArray[np.float64]

_LEAST = 4  # pairs that agree: fewer hold no pose


@dataclass(frozen=True, eq=False)
class MatchedPoints:
    """N pairs.

    Attributes:
        points_m: (N, 3) of the object.
        pixels: (N, 2) columns and rows of the whole picture.
        camera: of the whole picture.
        tolerance_px: pairs that are farther off do not count (Tukey's biweight; Beaton and Tukey, 1974).
        weight: what a pose pays whose pairs are all off by the tolerance.
    """

    points_m: F64
    pixels: F64
    camera: Camera
    tolerance_px: float
    weight: float

    def agreeing(self, R: F64, t: F64) -> F64:
        """How much each pair (B, N) agrees with poses (B, 3, 3) and (B, 3): from 1 to 0, where it is off by as much."""
        residual, _ = reprojection(R, t, self.points_m, self.pixels, self.camera)
        return self._agreement(residual)

    def _agreement(self, residual: F64) -> F64:
        squares = np.square(residual).reshape(len(residual), 2, -1).sum(axis=1) / self.tolerance_px**2
        return np.asarray(np.square(np.maximum(1.0 - squares, 0.0)))

    def factor(self, pose: Pose) -> QuadraticFactor | None:
        """What the pairs that agree pay near a pose, their mean; None if there are too few of them."""
        if self.weight <= 0.0 or len(self.pixels) == 0:
            return None
        R, t = pose.R_m2c[None], pose.t_m2c[None]
        residual, jacobian = reprojection(R, t, self.points_m, self.pixels, self.camera)
        agreement = self._agreement(residual)
        total = float(agreement.sum())
        if total < _LEAST:
            return None
        share = 2.0 * self.weight / (total * self.tolerance_px**2) * np.concatenate([agreement, agreement], axis=1)[0]
        r, J = residual[0], jacobian[0]
        return QuadraticFactor(pose, J.T @ (share * r), J.T @ (share[:, None] * J), 0.5 * float(share @ (r * r)))
