"""Whether a target is where it is said to be: what the pictures say of it by themselves, held against what was told.

Errors of joints can take up a target that is off by centimetres. So everything is solved twice, the second time with
the target's place free, and the two places are compared.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.eye_in_hand.chain import OBJECT
from diffdope.calibration.eye_in_hand.estimate import HandSolution
from diffdope.calibration.eye_in_hand.judge import unobserved_of
from diffdope.calibration.eye_in_hand.solve import HandTask, Solved, solve
from diffdope.geometry.pose import Pose, difference
from diffdope.note_codes import Note, NoteCode
from diffdope.search.alternatives.canonical import nearest_alike

F64 = NDArray[np.float64]

_LEAST_PICTURES = 3  # that determine camera and object without a target
_CONTRADICTS = 3.0  # standard deviations, root mean square over the six directions
_LEAST_M, _LEAST_DEG = 2e-3, 0.3  # a target that is off by less does no harm to speak of
_MOST_M = 1.5  # between a flange and the camera that it holds: no hand is larger
_MOST_SEEN_M = 20.0  # from a camera on a hand to its target
_UNITS = ((1e-3, "millimetres"), (1e-2, "centimetres"))  # in metres, that a matrix may have been written in


class TargetElsewhere(NamedTuple):
    """A target that the pictures have at another place than was said.

    away_m, away_deg: between the two; deviations: the same in standard deviations, root mean square over six
    directions; T_flange_camera: of the camera if the pictures are right; joints_deg: what joints would have to be off
    (if what was said is right, if the pictures are).
    """

    away_m: float
    away_deg: float
    deviations: float
    T_flange_camera: Pose
    joints_deg: tuple[float, float]

    @property
    def note(self) -> Note:
        """In words, for people."""
        told, free = self.joints_deg
        with_it = "nothing is found" if np.isnan(told) else f"joints are {told:.2f} degrees off"
        return Note(
            NoteCode.TARGET_ELSEWHERE,
            f"target: the pictures have the object {1e3 * self.away_m:.1f} mm and {self.away_deg:.2f} degrees from "
            f"where T_base_object says ({self.deviations:.0f} standard deviations): either that is wrong, or all "
            f"joints have constant offsets. With it, {with_it}; without it, {free:.2f} degrees, and the camera is "
            "where `alternatives` has it. Measure the object's place again, say how far off it may be (target_sigma), "
            "or leave it out",
        )


def elsewhere(task: HandTask, solved: Solved | None) -> TargetElsewhere | None:
    """The target's other place by the pictures; None where there is no target, or they do not contradict it.

    Args:
        task: with a target.
        solved: with it; None where nothing was found.
    """
    if task.target is None or len(task.singles) < _LEAST_PICTURES:
        return None
    free = solve(replace(task, target=None))
    if free is None or len(free.solution.counted) < _LEAST_PICTURES or len(unobserved_of(free.covariance)):
        return None
    if solved is not None and len(free.solution.counted) < len(solved.solution.counted):
        return None
    told = task.target.pose
    place = nearest_alike(free.solution.state.T_base_object, told, task.refiner.meshes.unnoticed)
    xi, sigma = difference(place, told), np.repeat([task.target.sigma[0], np.radians(task.target.sigma[1])], 3)
    covariance = free.covariance[OBJECT, OBJECT] + np.diag(sigma**2)
    squares = float(xi @ np.linalg.solve(covariance, xi))
    deviations = float(np.sqrt(max(squares, 0.0) / 6.0))
    away_m, away_deg = place.distance_to(told), float(np.degrees(place.angle_to(told)))
    if deviations < _CONTRADICTS or (away_m < _LEAST_M and away_deg < _LEAST_DEG):
        return None
    joints = (np.nan if solved is None else _joints_deg(solved.solution), _joints_deg(free.solution))
    return TargetElsewhere(away_m, away_deg, deviations, free.solution.state.T_camera_flange.inverse(), joints)


def _joints_deg(solution: HandSolution) -> float:
    return float(np.degrees(np.sqrt(np.mean(solution.state.errors[solution.counted] ** 2))))


def too_far(task: HandTask) -> Note | None:
    """Why a target cannot be where it is said to be: the hand would have to be metres long; None for no reason."""
    if task.target is None:
        return None
    told, most_m = task.target.pose, _MOST_M if task.singles else _MOST_M + _MOST_SEEN_M
    reach_m = _between(task, told)
    if reach_m <= most_m:
        return None
    fits = [word for unit, word in _UNITS if _between(task, Pose(told.R_m2c, unit * told.t_m2c)) <= most_m]
    cure = f"; in {fits[0]} it would fit: give metres" if fits else "; is it T_base_object, in metres, of this base?"
    return Note(
        NoteCode.TARGET_ELSEWHERE,
        f"target: by T_base_object, whose place is {np.linalg.norm(told.t_m2c):.3g} m from the base, the "
        f"{'camera' if task.singles else 'object'} would be {reach_m:.3g} m from the flange{cure}",
    )


def _between(task: HandTask, target: Pose) -> float:
    """Metres between flange and camera that a target demands, median over the pictures; to itself, if none sees it."""
    seen = {n: one.answers[0][0] for n, one in task.singles.items()} or dict.fromkeys(
        range(len(task.shots)), Pose.identity()
    )
    places = [task.shots[n].T_base_flange.inverse() @ target @ pose.inverse() for n, pose in seen.items()]
    return float(np.median([np.linalg.norm(one.t_m2c) for one in places]))
