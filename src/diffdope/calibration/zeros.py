"""Zeros of joints that are wrong in all pictures alike, where nobody asked for offsets.

A wrong zero turns the camera about its joint's axis, and all pictures agree: leaving one out changes nothing. What
contradicts is what the joint does not move, the foot above all, by a few pixels that no share of an outline tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from diffdope.calibration import assess
from diffdope.calibration.estimate import COARSE_REACH, FINE_REACH, WIDTHS, Estimator
from diffdope.calibration.notes import STILL_RAD
from diffdope.calibration.result import UncertainValue
from diffdope.calibration.shots import ArmShot, arm_shots
from diffdope.calibration.solution import SHARED, Solution
from diffdope.scene.robot import Robot

_SURELY = 5.0  # deviations. Pictures of right zeros have up to 3.3 (drawn), three of the real arm 4.9 by chance
_WIDE_ROUNDS = len(WIDTHS) + 4  # steps, to where another solution begins
_ROUNDS = 20  # offsets are still on their way when the pose stands


class WrongZeros(NamedTuple):
    """Offsets [rad, m] by name of the joint that are told surely, what the camera moves by them, and the solution."""

    offsets: dict[str, UncertainValue]
    moved: tuple[float, float]
    solution: Solution


def wrong_zeros(
    robot: Robot, arms: Sequence[ArmShot], estimator: Callable[[Sequence[ArmShot]], Estimator], solution: Solution
) -> WrongZeros | None:
    """Offsets that fit the pictures surely better; None where there are none.

    Errors of single pictures are offsets by chance, too, and few pictures do not tell the two apart: the deviation of
    the mean of as many of them counts beside that of the offset.

    Args:
        robot: that of the shots.
        arms: the shots.
        estimator: with offsets, of shots.
        solution: without offsets.
    """
    values = np.array([[arm.shot.joints[name] for name in robot.needed] for arm in arms])[solution.counted]
    if not (np.ptp(values, axis=0) > STILL_RAD).any():  # of one configuration, any error may be any joint's
        return None
    found = with_most_support(robot, arms, estimator, solution)
    sure = _sure(found, solution, robot.needed)
    return WrongZeros(sure, assess.moved(found.pose, solution.pose), found) if sure else None


def with_most_support(
    robot: Robot, arms: Sequence[ArmShot], estimator: Callable[[Sequence[ArmShot]], Estimator], solution: Solution
) -> Solution:
    """With offsets, from where a solution without them stands.

    What a wrong zero has moved far off counts as an outlier where that solution stands, and would do so for good. So it
    pulls, too, at first. Where that leads to sure offsets, and more of the pictures supports them than where the steps
    go straight on, they are believed.

    Args:
        robot: that of the shots.
        arms: the shots.
        estimator: with offsets, of shots.
        solution: without offsets.
    """
    known: dict[str, Any] = {"counted": solution.counted, "joint_rad": solution.joint_rad}
    none = np.concatenate([solution.shared[:SHARED], np.zeros(len(robot.needed))])
    here = estimator(arms)
    near = here.solve(solution.pose, FINE_REACH, shared=none, rounds=_ROUNDS, **known)
    far = here.solve(solution.pose, COARSE_REACH, shared=none, rounds=_WIDE_ROUNDS, widths=WIDTHS, **known)
    if not _sure(far, solution, robot.needed):
        return near
    there = estimator(with_offsets(robot, arms, far))  # where far outlines are drawn anew, not moved along tangents
    start = np.concatenate([far.shared[:SHARED], np.zeros(len(robot.needed))])
    again = there.solve(far.pose, FINE_REACH, shared=start, rounds=_ROUNDS, **known)
    if there.support(again, FINE_REACH[-1], near.scales) <= here.support(near, FINE_REACH[-1], near.scales):
        return near
    total = again.shared.copy()
    total[SHARED:] += far.shared[SHARED:]
    return replace(again, shared=total)


def _sure(found: Solution, solution: Solution, names: Sequence[str]) -> dict[str, UncertainValue]:
    """Offsets [rad, m] that are many deviations, their own and that of errors of so many single pictures."""
    by_chance = solution.joint_rad / math.sqrt(max(int(solution.counted.sum()), 1))
    return {
        name: one
        for name, one in assess.offsets_of(found, names).items()
        if abs(one.value) > _SURELY * math.hypot(one.deviation, by_chance)
    }


def with_offsets(robot: Robot, arms: Sequence[ArmShot], solution: Solution) -> Sequence[ArmShot]:
    """The robot in each shot as a solution has its joints; the same where offsets were not looked for.

    Args:
        robot: that of the shots.
        arms: the shots.
        solution: of the estimate.
    """
    offsets = dict(zip(robot.needed, solution.shared[SHARED:].tolist(), strict=False))
    return arm_shots(robot, [arm.shot for arm in arms], offsets) if offsets else arms
