"""Zeros of joints that are wrong in all pictures alike, where nobody asked for offsets.

A wrong zero turns the camera about its joint's axis, and all pictures agree: leaving one out changes nothing. What
contradicts is what the joint does not move, the foot above all, by a few pixels that no share of an outline tells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from diffdope.calibration import assess
from diffdope.calibration.estimate import FINE_REACH, Estimator
from diffdope.calibration.result import UncertainValue
from diffdope.calibration.shots import ArmShot, arm_shots
from diffdope.calibration.solution import SHARED, Solution
from diffdope.scene.robot import Robot

_SURELY = 5.0  # deviations. Pictures of right zeros have up to 3.3 (drawn), three of the real arm 4.9 by chance
_ROUNDS = 20  # offsets are still on their way when the pose stands


class WrongZeros(NamedTuple):
    """Offsets [degrees] by name of the joint that are told surely, what the camera moves by them, and the solution."""

    offsets: dict[str, UncertainValue]
    moved: tuple[float, float]
    solution: Solution


def wrong_zeros(estimator: Estimator, solution: Solution, names: Sequence[str]) -> WrongZeros | None:
    """Offsets that fit the pictures surely better; None where there are none.

    Errors of single pictures are offsets by chance, too, and few pictures do not tell the two apart: the deviation of
    the mean of as many of them counts beside that of the offset.

    Args:
        estimator: with offsets.
        solution: without offsets.
        names: of the joints.
    """
    shared = np.concatenate([solution.shared, np.zeros(SHARED + len(names) - len(solution.shared))])
    found = estimator.solve(
        solution.pose, FINE_REACH, counted=solution.counted, joint_rad=solution.joint_rad, shared=shared,
        rounds=_ROUNDS,
    )  # fmt: skip
    by_chance = float(np.degrees(solution.joint_rad)) / math.sqrt(max(int(solution.counted.sum()), 1))
    sure = {
        name: one
        for name, one in assess.offsets_deg(found, names).items()
        if abs(one.value) > _SURELY * math.hypot(one.deviation, by_chance)
    }
    return WrongZeros(sure, assess.moved(found.pose, solution.pose), found) if sure else None


def with_offsets(robot: Robot, arms: Sequence[ArmShot], solution: Solution) -> Sequence[ArmShot]:
    """The robot in each shot as a solution has its joints; the same where offsets were not looked for.

    Args:
        robot: that of the shots.
        arms: the shots.
        solution: of the estimate.
    """
    offsets = dict(zip(robot.needed, solution.shared[SHARED:].tolist(), strict=False))
    return arm_shots(robot, [arm.shot for arm in arms], offsets) if offsets else arms
