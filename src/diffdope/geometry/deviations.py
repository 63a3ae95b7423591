"""Covariances of poses in words: how far off a camera may stand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]


def camera_deviation(covariance: F64, T_w2c: Pose) -> tuple[float, float]:
    """(mm, degrees) of a camera in the world: standard deviation of where its centre is, and of its orientation.

    Args:
        covariance: (6, 6) of T_w2c in (rho [m], phi [rad]), as poses have it.
        T_w2c: the pose.
    """
    J = np.hstack([np.eye(3), so3.hat(T_w2c.t_m2c)])  # of the centre, in the camera's axes
    place, turn = np.trace(J @ covariance @ J.T), np.trace(covariance[3:, 3:])
    return 1e3 * float(np.sqrt(place)), float(np.degrees(np.sqrt(turn)))
