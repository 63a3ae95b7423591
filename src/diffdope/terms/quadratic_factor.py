"""A quadratic cost about a pose: what terms say that are linearised anew every round, not at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, difference

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class QuadraticFactor:
    """constant + slope . xi + xi . curvature . xi / 2, where xi = (t - t_at [m], log(R R_at^T) [rad]).

    at: the pose where xi = 0; slope (6,); curvature (6, 6), symmetric; shown: column of the costs by modality to which
    it adds, -1 for none.
    """

    at: Pose
    slope: F64
    curvature: F64
    constant: float = 0.0
    shown: int = -1

    @classmethod
    def of_residual(cls, at: Pose, residual: float, jacobian: F64, weight: float) -> QuadraticFactor:
        """weight * r^2 of a residual that is linear near a pose: r = residual + jacobian . xi, jacobian (6,)."""
        row = 2.0 * weight * np.asarray(jacobian, np.float64)
        return cls(at, residual * row, np.outer(row, jacobian), weight * residual**2)

    def value(self, pose: Pose) -> float:
        """What it adds to the cost of a pose."""
        off = difference(pose, self.at)
        return self.constant + float(off @ (self.slope + 0.5 * (self.curvature @ off)))

    def about(self, pose: Pose) -> QuadraticFactor:
        """The same about another pose, which is near: turns of both are taken to add up."""
        off = difference(pose, self.at)
        bend = self.curvature @ off
        constant = self.constant + float(off @ (self.slope + 0.5 * bend))
        return QuadraticFactor(pose, self.slope + bend, self.curvature, constant, self.shown)


def summed(at: Pose, factors: Sequence[QuadraticFactor]) -> QuadraticFactor:
    """The sum of factors about one pose; 0 of none."""
    return QuadraticFactor(
        at, sum((factor.slope for factor in factors), np.zeros(6)),
        sum((factor.curvature for factor in factors), np.zeros((6, 6))), sum(factor.constant for factor in factors),
    )  # fmt: skip
