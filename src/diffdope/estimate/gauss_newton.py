"""One step of Gauss-Newton on the equations of several modalities, and what their costs add up to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.covariance import InformationEigenbasis
from diffdope.estimate.regression import TermEquations
from diffdope.geometry.pose import Pose, difference
from diffdope.terms.quadratic_factor import QuadraticFactor

F64 = NDArray[np.float64]
Parts = Mapping[str, TermEquations]


def cost_of(parts: Parts, first: Parts) -> float:
    """Robust cost, as if every pose covered as many pixels as the first."""
    return sum(part.cost * first[name].count / max(part.count, 1e-9) for name, part in parts.items())


def stay(pose: Pose, start: Pose, found: InformationEigenbasis) -> Pose:
    """The pose without what it moved from the start along directions that are not observed."""
    away_of = np.linalg.inv(found.directions)
    for _ in range(3):  # turns do not add up
        back = found.directions @ np.where(found.observed, 0.0, away_of @ difference(pose, start))
        pose = pose.retract(-back)
    return pose


def gauss_newton(parts: Parts, before: InformationEigenbasis, beside: QuadraticFactor) -> F64:
    """-(sum H)^-1 (sum g) (6,) within the observed directions: in the others the pose stays, and so it does where
    nothing is compared and nothing is known beside that.
    """
    basis = before.directions[:, before.observed]
    H = sum((part.step for part in parts.values()), beside.curvature)
    g = sum((part.gradient for part in parts.values()), beside.slope)
    reduced = basis.T @ H @ basis
    scale = np.trace(reduced)
    if scale == 0.0:
        return np.zeros(6)
    damped = reduced + 1e-9 * scale * np.eye(len(reduced))
    return np.asarray(-basis @ np.linalg.solve(damped, basis.T @ g))
