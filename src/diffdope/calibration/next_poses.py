"""Which poses of the robot would tell most about the camera: expected information of drawn outlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.result import Suggestion
from diffdope.calibration.rows import ShotCrop, expected_rows
from diffdope.calibration.shots import ArmShot, Shot, arm_shots
from diffdope.calibration.solution import POSE, Solution
from diffdope.scene.robot import Robot

F64 = NDArray[np.float64]

_TRIED = 40  # poses at random, of which those that tell most are suggested
_SIZE = 96  # pixels, of crops: the robot is drawn with a percent's detail
_LEAST_SEEN = 0.5  # share of the robot's outline that must lie in the picture


def suggestions(
    robot: Robot, arms: Sequence[ArmShot], solution: Solution, count: int, seed: int, say: Callable[[str], None]
) -> tuple[Suggestion, ...]:
    """The best of some configurations within the joints' limits, one after the other, each given those before it.

    Nothing here knows of obstacles: whether the robot can go there is for its user to say.

    Args:
        robot: with few triangles.
        arms: the shots, the first of which says what the camera is.
        solution: of the estimate.
        count: how many are wanted.
        seed: of the draws.
        say: takes what is being done.
    """
    say("looking for poses that tell more")
    rng = np.random.default_rng([seed, 1])
    observation, deviation = arms[0].shot.observation, solution.scales.deviation.get("mask", 1.0)
    correlation = solution.scales.correlation.get("mask", 10.0)
    middle = {name: float(np.mean([arm.values[name] for arm in arms])) for name in arms[0].values}
    tried = [_drawn(robot, rng, middle) for _ in range(_TRIED)]
    shots = [Shot(observation.without_mask() if "depth" in observation.modalities else observation, q) for q in tried]
    posed = arm_shots(robot, shots)
    gains = [_information(arm, solution, deviation, correlation) for arm in posed]
    information, chosen = solution.information[POSE, POSE].copy(), []
    for _ in range(count):
        before = np.linalg.slogdet(information)[1]
        scores = [np.linalg.slogdet(information + one)[1] - before for one in gains]
        best = int(np.argmax(scores))
        if scores[best] <= 0.0:
            break
        information, gains[best] = information + gains[best], np.zeros((6, 6))
        chosen.append(Suggestion(dict(tried[best]), float(np.exp(-scores[best] / 12.0))))
    return tuple(chosen)


def _drawn(robot: Robot, rng: np.random.Generator, middle: dict[str, float]) -> dict[str, float]:
    """Values within limits; about those of the pictures where there are none."""
    values = {}
    for joint in robot.moving:
        centre = middle[joint.name]
        wide = np.pi if joint.kind != "prismatic" else 0.2
        low, high = max(joint.lower, centre - wide), min(joint.upper, centre + wide)
        values[joint.name] = float(rng.uniform(min(low, high), max(low, high)))
    return values


def _information(arm: ArmShot, solution: Solution, deviation: float, correlation: float) -> F64:
    """(6, 6) of the pose, joint errors eliminated, of an outline that is seen as well as those of the pictures were."""
    seen = ShotCrop.around(arm, solution.pose, _SIZE)
    if seen is None:
        return np.zeros((6, 6))
    rows, share = expected_rows(seen, seen.drawn(solution.pose), solution.pose, solution.centre_c)
    if share < _LEAST_SEEN or len(rows.residual) == 0:
        return np.zeros((6, 6))
    weight = seen.window.reduction / (deviation**2 * correlation)  # a row stands for as many pixels of the image
    A, B, C = (
        weight * one for one in (rows.pose.T @ rows.pose, rows.pose.T @ rows.joints, rows.joints.T @ rows.joints)
    )
    return A - B @ np.linalg.solve(C + np.eye(len(C)) / solution.joint_rad**2, B.T)
