"""What pictures say to a camera's place on the hand, and whether it may be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.assess import LEAST_DEPTHS, standard_error, unobserved
from diffdope.calibration.eye_in_hand.chain import CAMERA, OBJECT
from diffdope.calibration.eye_in_hand.closed_form import flange_motions
from diffdope.calibration.eye_in_hand.estimate import HandSolution, covariance_in_flange
from diffdope.calibration.eye_in_hand.result import HandPicture
from diffdope.calibration.eye_in_hand.solve import HandTask, Solved
from diffdope.estimate.covariance import axis, in_words
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.failure import Status
from diffdope.problem.region import box_of
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.canonical import nearest_alike

F64 = NDArray[np.float64]

_HIDDEN_M, _HIDDEN_RAD = 0.02, np.radians(3.0)  # deviations of a camera's place that the pictures do not determine
_LEVER_M = 0.1  # by which words about turns and shifts together weigh the two
_LEAST_IOU = 0.5  # median, below which what is drawn is not what was masked
_SIZE = 320  # pixels of the crops in which overlaps are counted
NOT_FOUND = "the object was not found in it"
"""Why a picture says nothing."""
UNCHECKED_TARGET = Note(
    NoteCode.FEW_PICTURES,
    "one picture cannot tell whether the target is where it is said to be: an error of its place is one of the "
    "camera's; take three pictures at least",
)
_PRIOR_SHARE = 0.5  # of the pictures: fewer that agree are chance


def pictures_of(task: HandTask, solved: Solved) -> tuple[HandPicture, ...]:
    """What each picture says."""
    solution = solved.solution
    shifts = left_out(solution)
    out = []
    for n, shot in enumerate(task.shots):
        pose = solution.state.in_camera(n)
        used = n in solution.counted
        measured: dict[str, Any] = measures(task, shot.observation, pose)
        if n in task.singles:
            own = nearest_alike(task.singles[n].answers[0][0], pose, task.refiner.meshes.unnoticed)
            measured |= {"own_mm": 1e3 * own.distance_to(pose), "own_deg": float(np.degrees(own.angle_to(pose)))}
        if (n, 0) in solution.leaves:
            measured["deviations"] = float(np.sqrt(max(solution.leaves[n, 0].distance, 0.0)))
        if used:
            measured["joint_error_deg"] = float(np.degrees(np.sqrt(np.mean(solution.state.errors[n] ** 2))))
            if shifts is not None:
                measured["left_out_mm"], measured["left_out_deg"] = shifts[n]
        reason = "" if used else solved.members[n].reason or "it contradicts the other pictures"
        out.append(HandPicture(shot.name, used, reason, **measured))
    return tuple(out)


def measures(task: HandTask, observation: Observation, pose: Pose) -> dict[str, float]:
    """Overlap with the mask, and how much farther depths are, of the drawn object."""
    camera, mesh = observation.camera, task.refiner.frame.mesh
    box = box_of(pose.apply(mesh.vertices_m), camera)
    if isinstance(box, Status):
        return {}
    boxes = [box] if observation.mask_box is None else [box, observation.mask_box]
    crop = observation.crop(choose_crop(boxes, camera, margin=0.1, max_size=_SIZE))
    drawn = Renderer(mesh, crop.camera).render(pose.R_m2c, pose.t_m2c)
    inside = drawn.coverage[0] > 0.5
    out: dict[str, float] = {}
    if crop.mask is not None:
        mask = crop.mask > 0.5
        out["iou"] = int(np.count_nonzero(inside & mask)) / max(int(np.count_nonzero(inside | mask)), 1)
    if crop.depth is not None:
        there = inside & (crop.depth > 0.0) & (crop.mask > 0.99 if crop.mask is not None else True)
        away = crop.depth[there].astype(np.float64) - drawn.depth[0][there]
        if len(away) >= LEAST_DEPTHS:
            out["depth_mm"] = 1e3 * float(np.median(away))
    return out


def left_out(solution: HandSolution) -> list[tuple[float, float]] | None:
    """(mm, degrees) by which the camera moves in the flange if a picture is left out; None if the rest determines none.

    Two pictures determine no camera, unless the object's place is known.
    """
    known = not solution.free[OBJECT].any()
    if len(solution.counted) < (3 if known else 4):
        return None
    changes = []
    for n in range(len(solution.state.flanges)):
        step = solution.without(n)[CAMERA] if n in solution.counted else np.zeros(6)
        changes.append((1e3 * float(np.linalg.norm(step[:3])), float(np.degrees(np.linalg.norm(step[3:])))))
    return changes


def jackknife(solution: HandSolution) -> tuple[float, float] | None:
    """Standard error (mm, degrees): (n - 1) / n times the sum of squares of the changes."""
    changes = left_out(solution)
    if changes is None:
        return None
    return standard_error(changes, len(solution.counted))


def unobserved_of(covariance: F64) -> F64:
    """(K, 6) motions of the camera in its own axes whose deviation is too large."""
    return unobserved(covariance[CAMERA, CAMERA], _LEVER_M, angle_rad=_HIDDEN_RAD, distance_m=_HIDDEN_M)


def status_of(
    task: HandTask, solved: Solved, pictures: Sequence[HandPicture], hidden: F64
) -> tuple[Status, str]:  # fmt: skip
    """How it ended, and the same in words."""
    counted = [one for one in pictures if one.used]
    overlaps = [one.iou for one in counted if one.iou is not None]
    if len(counted) <= _PRIOR_SHARE * len(pictures) or (overlaps and float(np.median(overlaps)) < _LEAST_IOU):
        used = f"{len(counted)} of {len(pictures)} pictures"
        return Status.FAILED, f"only {used} fit one place of the camera; check masks, mesh unit, camera file and joints"
    fits = [solved.members[n].fit for n in solved.solution.counted]
    odds = [one.log_odds for one in fits if one is not None]
    least = task.refiner.preset.resolved_search.least_confidence
    if not odds or 1.0 / (1.0 + np.exp(-np.clip(np.median(odds), -50.0, 50.0))) < least:
        return Status.FAILED, "the pictures agree, but the object does not fit them: is it this mesh, in this unit?"
    if len(hidden):
        return Status.AMBIGUOUS, "the pictures leave the camera's place open; see the notes, and take more pictures"
    if solved.others:
        return Status.AMBIGUOUS, "several places of the camera fit the pictures alike; see the notes"
    return Status.CONVERGED, "found; look at the overlays before you use it"


def notes_of(task: HandTask, solved: Solved, pictures: Sequence[HandPicture], hidden: F64) -> tuple[Note, ...]:
    """What a user should know."""
    notes = [Note(NoteCode.PICTURE_LEFT_OUT, f"{one.name}: left out: {one.reason}") for one in pictures if not one.used]
    counted = solved.solution.counted
    notes += in_words(hidden, _LEVER_M) if 0 < len(hidden) < 6 else ()
    if len(hidden) or len(counted) < 3:
        notes += on_motions([task.shots[n].T_base_flange for n in counted], known=task.target is not None)
    place = solved.solution.state.T_camera_flange.inverse()
    for other in () if len(hidden) else solved.others:
        away = f"{1e3 * other.distance_to(place):.0f} mm and {np.degrees(other.angle_to(place)):.0f} degrees"
        text = f"ambiguous: another place fits nearly as well, away by {away}; take more pictures"
        notes.append(Note(NoteCode.AMBIGUOUS, text))
    if task.start is not None and (away_deg := float(np.degrees(task.start.angle_to(place)))) > 40.0:
        away = f"{1e3 * task.start.distance_to(place):.0f} mm and {away_deg:.0f} degrees"
        text = f"the result is {away} from the start: is that T_flange_camera, optical frame, in metres?"
        notes.append(Note(NoteCode.START_ELSEWHERE, text))
    return tuple(notes)


def on_motions(flanges: Sequence[Pose], *, known: bool) -> list[Note]:
    """What the choice of flange poses leaves open.

    Args:
        flanges: T_base_flange of the pictures that count.
        known: whether the object's place is.
    """
    if known:
        return []
    if len(flanges) < 2:
        text = "one picture: without the object's place, it says nothing about where the camera is on the hand"
        return [Note(NoteCode.FEW_PICTURES, text)]
    motions = flange_motions(flanges)
    if motions.axes == 0:
        text = "the flange does not turn between the pictures: the shift of the camera in it is not observed"
        return [Note(NoteCode.MOTIONS_ALIKE, text)]
    if motions.axes == 1:
        text = (
            f"the flange turns about one axis only, {axis(motions.axis)} of the base: where the camera is along it, or "
            "how it is turned about it, is not observed; turn the hand about another axis, too"
        )
        return [Note(NoteCode.MOTIONS_ALIKE, text)]
    if len(flanges) == 2:
        return [Note(NoteCode.FEW_PICTURES, "two pictures: nothing tells whether they are right; take five or more")]
    return []


__all__ = [
    "NOT_FOUND", "covariance_in_flange", "jackknife", "left_out", "measures", "notes_of", "on_motions", "pictures_of",
    "status_of", "unobserved_of",
]  # fmt: skip
