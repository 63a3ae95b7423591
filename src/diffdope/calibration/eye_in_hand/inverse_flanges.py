"""Flange poses that are the wrong way round, T_flange_base: a calibration that failed is tried with their inverses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from diffdope.calibration.assess import is_shaky
from diffdope.calibration.eye_in_hand import judge
from diffdope.calibration.eye_in_hand.result import EyeInHandResult
from diffdope.calibration.eye_in_hand.shots import PlacedShot, of_a_pose
from diffdope.calibration.eye_in_hand.solve import HandTask, singles_of, solve
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.failure import Status

_CURE = "are the flange poses T_flange_base, the base in the flange? Give their inverses, T_base_flange"


def told_of_inverses(result: EyeInHandResult, task: HandTask) -> EyeInHandResult:
    """A result that is not sure, with the word that the inverses of its flange poses fit where they do.

    What was found is left as it is: nobody knows which of both the poses are until they are given so.

    Args:
        result: of `task`.
        task: whose flange poses were told, and not computed of joints.
    """
    if result.status is Status.CONVERGED:
        return result
    pictures = _pictures_of_inverses(task)
    if pictures <= sum(one.used for one in result.pictures):
        return result
    fits = f"{pictures} of {len(task.shots)} pictures fit one place of the camera with the inverses of the flange poses"
    note = Note(NoteCode.FLANGE_INVERSE, f"{fits}: {_CURE}")
    return replace(result, status=Status.FAILED, message=str(note), notes=(note, *result.notes))


def _pictures_of_inverses(task: HandTask) -> int:
    """How many pictures fit with the inverses; 0 where these do not convince, as any calibration has to."""
    turned = replace(task, shots=_inverted(task.shots))
    if task.start is not None and task.target is not None:  # each picture was looked at where the flange had it
        singles = singles_of(task.refiner, turned.shots, task.start, task.target.pose)
        turned = replace(turned, singles=singles)
    solved = solve(turned)
    if solved is None:
        return 0
    pictures, hidden = judge.pictures_of(turned, solved), judge.unobserved_of(solved.covariance)
    status, _ = judge.status_of(turned, solved, pictures, hidden)
    shaken = judge.jackknife(solved.solution)
    if status is not Status.CONVERGED or (shaken is not None and is_shaky(shaken)):
        return 0
    return sum(one.used for one in pictures)


def _inverted(shots: Sequence[PlacedShot]) -> tuple[PlacedShot, ...]:
    poses = [shot.T_base_flange.inverse() for shot in shots]
    return tuple(
        replace(shot, T_base_flange=pose, screws=of_a_pose(pose)) for shot, pose in zip(shots, poses, strict=True)
    )
