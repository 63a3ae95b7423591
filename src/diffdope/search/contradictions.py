"""What contradicts a result, though each of its modalities may fit: sizes that differ, and sudden departures.

An object that is s times as large, s times as far away, looks the same, but for its depth. So depth that disagrees with
outline and colours about the object's size shows a model, a depth scale or a focal length that is wrong; without depth
nothing does but that the result lies where nobody expected it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.problem import Problem
from diffdope.problem.variables import Variables
from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise

F64 = NDArray[np.float64]

SMALLER, LARGER = (0.95, 0.9, 0.85), (1.05, 1.1, 1.15)
"""Sizes that are tried: what is off by less is within the tolerance, by more fits nowhere."""
_WORTH_STEPS = 1.25  # ratio of costs, before any step: of right poses, the least was 1.27
_STEPS = 8
_CONTRADICTS = 0.85  # ratio of costs after these steps: of 324 right poses, the least was 0.87
_AT_MOST = -1.0  # log odds, a probability of 0.27: a premise of the result is wrong, and nobody knows which


class Doubt(NamedTuple):
    """The log odds that a result has at most, and why."""

    at_most: float
    note: str


NONE = Doubt(np.inf, "")


def of_size(level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings) -> Doubt:
    """Whether depth and the other modalities agree much better about an object of another size.

    Args:
        level: a coarse one, prepared near the pose.
        pose: the result.
        length_m: the object's diameter.
        step: of the solver.
    """
    if "depth" not in level.modalities or len(level.modalities) < 2:
        return NONE
    own = _cost(level, 1.0, pose, length_m)
    sides = {one: _cost(level, one[0], pose, length_m) for one in (SMALLER, LARGER)}
    side = min(sides, key=lambda one: sides[one])
    if sides[side] > _WORTH_STEPS * own:
        return NONE
    scale, lowest = _descended(level, pose, length_m, step, side)
    if lowest > _CONTRADICTS * own:
        return NONE
    share = f"{abs(round(100.0 * (scale - 1.0)))} %"
    larger = scale > 1.0
    return Doubt(
        _AT_MOST,
        f"contradiction: depth and outline agree much better if the object were {share} "
        f"{'larger' if larger else 'smaller'} than its model, or the depth {share} {'less' if larger else 'more'}, or "
        f"the focal length {share} {'longer' if larger else 'shorter'}: is the unit, the CAD model, the depth scale or "
        "K (of another picture size?) wrong?",
    )


def of_departure(level: LevelProblem, pose: Pose, start: Pose, allowed_m: float) -> Doubt:
    """Whether a result without depth lies farther along the view than its start was meant to allow.

    Args:
        level: what was compared.
        pose: the result.
        start: as given.
        allowed_m: metres.
    """
    moved_m = float(np.linalg.norm(pose.t_m2c) - np.linalg.norm(start.t_m2c))
    if "depth" in level.modalities or abs(moved_m) <= allowed_m:
        return NONE
    return Doubt(
        _AT_MOST,
        f"contradiction: without depth the object was found {1e3 * abs(moved_m):.0f} mm "
        f"{'farther' if moved_m > 0 else 'nearer'} than the start has it, more than starts are expected to be off: "
        "is the start, the unit, the size of the CAD model or K wrong?",
    )


def _problem(level: LevelProblem, scale: float, length_m: float) -> Problem:
    """Of an object that is `scale` times as large, whose poses are given as if it were not: depth over scale."""
    factor = level.factor if scale == 1.0 else level.factor.of_depth_times(1.0 / scale)
    return Problem(Variables.one_object(0.5 * length_m), [factor], priors=[], quadratics=[])


def _descended(
    level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings, scales: tuple[float, ...]
) -> tuple[float, float]:  # fmt: skip
    """The size that costs least after some steps, and its cost: farther from 1 as long as that costs less."""
    best, lowest = 1.0, np.inf
    for scale in scales:
        ended = minimise(
            _problem(level, scale, length_m), *_state(pose, scale), iterations=_STEPS, settings=step
        )  # fmt: skip
        if ended.cost[0] >= lowest:
            break
        best, lowest = scale, float(ended.cost[0])
    return best, lowest


def _cost(level: LevelProblem, scale: float, pose: Pose, length_m: float) -> float:
    """Of a pose whose drawing stays the same when the object grows."""
    R, t = _state(pose, scale)
    return float(_problem(level, scale, length_m).evaluate(R, t).cost[0])


def _state(pose: Pose, scale: float) -> tuple[F64, F64]:
    """(1, 1, 3, 3) and (1, 1, 3). Copies, for numba takes arrays that cannot be written to for another type, and would
    compile everything once more.
    """
    return np.array(pose.R_m2c)[None, None], np.array(pose.t_m2c)[None, None] / scale
