"""How far off a pose may be that follows a mask's border: which is exact, or as far off as those of networks are.

A border is off by nothing or by pixels, and hardly ever by what lies between. So the probability of an error below a
tolerance is a mean over both, and not that of the root mean square of both: with nine exact borders of ten and the
tenth off by ten times the tolerance, it is nine tenths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.tolerance import probability_within
from diffdope.geometry.vectors import axes_across

F64 = NDArray[np.float64]

_LEFT = 1e-3  # of the variance along a direction, at least, once what a border adds to it is taken off again


@dataclass(frozen=True)
class BorderBelief:
    """Of a mask that alone tells how far away an object is.

    Attributes:
        exact: the probability that its width is that of the object.
        along_m: root mean square error along the view if it is, and if not, metres.
        shifted: the probability that the whole mask is shifted.
        across_m: root mean square error across the view if it is, along either axis, metres.
    """

    exact: float
    along_m: tuple[float, float]
    shifted: float
    across_m: float

    @property
    def off_m(self) -> float:
        """Root mean square error along the view."""
        exact, wide = self.along_m
        return float(np.sqrt(self.exact * exact**2 + (1.0 - self.exact) * wide**2))

    @property
    def aside_m(self) -> float:
        """The same across it, along either axis."""
        return float(np.sqrt(self.shifted) * self.across_m)


def within_beside_border(
    tolerance_m: float, covariance: F64, form: F64, R_m2c: F64, ray: F64, border: BorderBelief
) -> float:  # fmt: skip
    """The probability of an error below a tolerance, whether a border is exact or not, and shifted or not.

    Args:
        tolerance_m: metres.
        covariance: (6, 6) of the pose, which holds the mean squares of what the border may be off.
        form: (6, 6) of `displacement_form`.
        R_m2c: (3, 3) of the pose.
        ray: (3,) towards the object.
        border: what is known of it.
    """
    view = ray / np.linalg.norm(ray)
    across = axes_across(view)
    total = 0.0
    for exact, along_m in zip((border.exact, 1.0 - border.exact), border.along_m, strict=True):
        for shifted, across_m in ((1.0 - border.shifted, 0.0), (border.shifted, border.across_m)):
            if exact * shifted == 0.0:
                continue
            known = _with_variance(covariance, view, along_m**2 - border.off_m**2)
            for axis in across:
                known = _with_variance(known, axis, across_m**2 - border.aside_m**2)
            total += exact * shifted * probability_within(tolerance_m, known, form, R_m2c)
    return total


def _with_variance(covariance: F64, axis: F64, more_m2: float) -> F64:
    """A covariance (6, 6) with more or less variance of a shift along an axis (3,), which stays a covariance."""
    way = np.concatenate([axis, np.zeros(3)])
    if more_m2 < 0.0:
        there = 1.0 / float(way @ np.linalg.solve(covariance, way))  # what is not known through other directions
        more_m2 = max(more_m2, (_LEFT - 1.0) * there)
    return np.asarray(covariance + more_m2 * np.outer(way, way))
