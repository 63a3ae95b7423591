"""What a start is worth beside the images: it is taken to be as good as they find it to be.

How far off a start is, nobody says; but along directions that the images tell well (across the view, turns) they show
it, and errors of starts are alike in all directions. So the deviation of a start's error is unknown by a factor, which
is integrated out (empirical Bayes, a scale mixture of normals), and a pose that the images know badly along some
direction, such as along the view, stays near a start that has proved to be good. Sources: James and Stein 1961;
Morris, JASA 1983 (parametric empirical Bayes).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, difference

F64 = NDArray[np.float64]

# Deviations of the start's error, in units of the radius within which starts are searched: from less than any estimate
# of the images is good for, to an object that is the other way round. All are as likely beforehand.
_SCALES = 2.0 ** np.arange(-4.0, 4.5, 0.5)


class WeighedPose(NamedTuple):
    """Pose, its covariance (6, 6), and how far off the start is taken to be, as a share of the radius."""

    pose: Pose
    covariance: F64
    scale: float


def weighed(
    pose: Pose, covariance: F64, start: Pose, *, angle_rad: float, distance_m: float, share: float = 1.0
) -> WeighedPose:
    """The mean pose, given what the images say and a start whose error has an unknown scale.

    With the start's error N(0, s^2 P), P = diag(d^2 / 3, .., a^2 / 3, ..), and the images' N(0, C), the way z from the
    pose to the start is N(0, C + s^2 P), which says how likely each s is.

    Args:
        pose: that the images know.
        covariance: (6, 6) C of it, in (rho [m], phi [rad]), without what the start says.
        start: where the search began.
        angle_rad: root mean square of a start's turn, if s is 1.
        distance_m: the same of its shift.
        share: how much of the step towards the start is made, from 0 to 1.
    """
    radius = np.repeat([distance_m, angle_rad], 3) / np.sqrt(3.0)
    variance, basis = np.linalg.eigh(covariance / np.outer(radius, radius))
    variance = np.maximum(variance, 0.0)
    z = basis.T @ (difference(start, pose) / radius)
    total = variance + _SCALES[:, None] ** 2
    log_likely = -0.5 * (z**2 / total + np.log(total)).sum(axis=1)
    likely = np.exp(log_likely - log_likely.max())
    likely /= likely.sum()
    back = variance / total * z
    mean = likely @ back
    within = likely @ (variance * _SCALES[:, None] ** 2 / total)
    between = (likely[:, None] * (back - mean)).T @ (back - mean)
    root = radius[:, None] * basis
    both = root @ (np.diag(within) + between) @ root.T
    scale = float(np.exp(likely @ np.log(_SCALES)))
    return WeighedPose(pose.retract(share * root @ mean), share * both + (1.0 - share) * covariance, scale)
