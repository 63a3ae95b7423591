"""Which of the poses that a search leaves is the right one, and which others are as good.

Costs of whole silhouettes are misled where masks lack links or show what the robot's description does not have. So
where the first pose does not convince, or another one costs hardly more, poses are fitted to the outlines, and the one
whose drawn outline is met by the masks' borders for the greatest share is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.assess import moved, share_of_outline
from diffdope.calibration.descend import PoseHypotheses
from diffdope.calibration.shots import ArmShot
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

_COST = 0.02  # added to costs before they are compared: what rounding of masks to pixels costs
_ALIKE = 0.3  # a picture, mean difference of log costs up to which another pose is looked at
_SUPPORTED = 0.1  # the same of log shares of the outline up to which it is as good
_MOST = 6  # poses that are fitted
_APART_DEG, _APART = 5.0, 0.05  # degrees and shares of the robot's size within which poses are the same


class ChosenPose(NamedTuple):
    """The pose that is taken, others that fit as well, and where a second robot in step with the first one stands."""

    pose: Pose
    others: tuple[Pose, ...]
    second: Pose | None = None

    def apart_from(self, pose: Pose, length_m: float) -> ChosenPose:
        """Without others that ended where the solution is, now that it has come to rest."""
        return self._replace(others=tuple(one for one in self.others if is_apart(one, pose, length_m)))


def choose(
    length_m: float, arms: Sequence[ArmShot], found: PoseHypotheses, paid: F64, fitted: Callable[[Pose], Pose], *,
    doubtful: bool,
) -> ChosenPose:  # fmt: skip
    """The pose that is taken.

    Args:
        length_m: about the robot's size.
        arms: the shots.
        found: poses of the base, the best first.
        paid: (N, B) by each in each picture, NaN where the robot is out of it.
        fitted: refines one of them roughly.
        doubtful: whether the first one does not convince.
    """
    costs = np.nanmean(np.log(paid + _COST), axis=0)
    near = np.flatnonzero(costs < costs.min() + (np.inf if doubtful else _ALIKE))
    near = near[np.argsort(costs[near], kind="stable")][:_MOST]
    first = found.pose(int(near[0]))
    if not doubtful:  # what is close by leads to the same end
        near = np.array([n for n in near if n == near[0] or is_apart(found.pose(int(n)), first, length_m, 2.0)])
    masked = any(arm.shot.observation.mask_box is not None for arm in arms)
    if len(near) == 1 or not masked:
        return ChosenPose(first, ())
    poses: list[Pose] = []
    for number in near:
        pose = fitted(found.pose(int(number)))
        if all(is_apart(pose, other, length_m) for other in poses):
            poses.append(pose)
    support = np.array([_supported(arms, pose) for pose in poses])
    best = int(np.argmax(support))
    near_by = [pose for n, pose in enumerate(poses) if n != best and support[n] > support[best] - _SUPPORTED]
    # What has not come to rest yet may be on its way to the same place.
    others = [pose for pose in map(fitted, near_by) if is_apart(pose, poses[best], length_m)]
    return ChosenPose(poses[best], tuple(others))


def is_apart(one: Pose, other: Pose, length_m: float, factor: float = 1.0) -> bool:
    """Whether two poses of the base are not the same one, `factor` times as far as that needs."""
    millimetres, degrees = moved(one, other)
    return degrees > factor * _APART_DEG or 1e-3 * millimetres > factor * _APART * length_m


def _supported(arms: Sequence[ArmShot], pose: Pose) -> float:
    """Mean log of the share of the outline that masks meet, over the pictures that have one."""
    shares = [share_of_outline(arm, pose) for arm in arms if arm.shot.observation.mask_box is not None]
    return float(np.mean(np.log(np.array(shares) + _COST)))
