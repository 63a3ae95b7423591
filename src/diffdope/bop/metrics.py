"""How far an estimated pose is from the true one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]


def add(estimate: Pose, truth: Pose, points_m: F64) -> float:
    """ADD: mean distance of corresponding model points, metres (Hinterstoisser et al., ACCV 2012).

    Args:
        estimate: the pose in question.
        truth: the true pose.
        points_m: model points (N, 3), metres.
    """
    return float(np.linalg.norm(estimate.apply(points_m) - truth.apply(points_m), axis=1).mean())


def add_s(estimate: Pose, truth: Pose, points_m: F64) -> float:
    """ADD-S: mean distance of each estimated model point to the closest true one, metres.

    Forgives a pose that looks the same because the object is symmetric. Arguments as for `add`.
    """
    from scipy.spatial import cKDTree

    distances, _ = cKDTree(truth.apply(points_m)).query(estimate.apply(points_m))
    return float(np.mean(distances))
