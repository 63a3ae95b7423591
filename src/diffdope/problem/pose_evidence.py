"""What the terms of the pose alone add to a level's cost, and what they know of a pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.terms.quadratic_factor import QuadraticFactor, summed
from diffdope.terms.registry import POSE_TERMS, ObjectiveSettings

F64 = NDArray[np.float64]


def pose_terms(vertices_m: F64, pose: Pose, settings: ObjectiveSettings) -> list[QuadraticFactor]:
    """What the terms of the pose alone add to the cost near a pose."""
    factors = (term.factor(vertices_m, pose, settings) for term in POSE_TERMS)
    return [factor for factor in factors if factor is not None]


def pose_evidence(vertices_m: F64, pose: Pose, settings: ObjectiveSettings) -> QuadraticFactor:
    """What the terms of the pose alone know of it, together: half of squared errors over their variances."""
    every = [term.evidence(vertices_m, pose, settings) for term in POSE_TERMS]
    return summed(pose, [one for one in every if one is not None])
