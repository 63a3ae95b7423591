"""Films whose frames do not show a turn: by rules, and drawn."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from diffdope.estimate.tolerance import displacement_form
from diffdope.experiments.shapes import icosphere
from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.tracking.drift import PoseDrift
from diffdope.scene.mesh import Mesh
from tests.pipelines.test_tracker import START, answer

LENGTH_M, FRAME_S = 0.1, 1.0 / 30.0
TOLERANCE_M = 0.03 * LENGTH_M
STEEP = np.diag([1.0, 1.0, 1.0, 0.003, 0.003, 0.003]) * 0.1 / TOLERANCE_M**2  # cost by metres and radians
FLAT = STEEP * np.diag([1, 1, 1, 1, 1, 1e-4])  # turns about the third axis hardly change it


def egg(height: float) -> Mesh:
    """Round about its third axis, but for a knob."""
    outwards, faces = icosphere(4, 1.0)
    knob = 0.5 * np.exp(12.0 * (outwards @ [1.0, 0.0, 0.0] - 1.0))
    return Mesh(outwards * 0.04 * (1.0 + knob)[:, None] * [1.0, 1.0, height], faces, name="egg")


FORM = displacement_form(egg(1.3))


def spun(frame: int) -> Pose:
    return Pose(
        START.R_m2c @ so3.exp(np.array([0.0, 0.0, 0.05 * frame])), START.t_m2c + np.array([0.002 * frame, 0.0, 0.0])
    )


def followed(drift: PoseDrift, frame: int, curvature: np.ndarray | None, **changed: object) -> RefinementResult:
    result = replace(answer(spun(frame), 0.95), **changed)  # type: ignore[arg-type]
    if curvature is not None:
        drift.ended(result.pose, curvature)
    return drift.weighed(result, TOLERANCE_M, given=frame == 0, clock_s=frame * FRAME_S)


def confidences(curvatures: list[np.ndarray | None]) -> list[float]:
    drift = PoseDrift(FORM, LENGTH_M, 0.3)
    return [followed(drift, frame, one).confidence or 0.0 for frame, one in enumerate(curvatures)]


def test_frames_that_show_every_motion_stay_as_sure_as_they_fit() -> None:
    assert min(confidences([STEEP] * 12)) > 0.9


def test_along_a_motion_that_frames_do_not_show_confidence_falls_from_frame_to_frame() -> None:
    told = confidences([FLAT] * 12)
    assert told[0] > 0.9 and told[-1] < 0.1
    assert all(later <= sooner for sooner, later in pairwise(told))


def test_an_object_that_does_not_move_does_not_drift() -> None:
    drift = PoseDrift(FORM, LENGTH_M, 0.3)
    for frame in range(12):
        result = followed(drift, frame, FLAT, pose=START)
    assert (result.confidence or 0.0) > 0.9


def test_what_drifted_farther_than_a_descent_reaches_is_not_sure_when_more_is_seen() -> None:
    told = confidences([FLAT] * 12 + [STEEP] * 3)
    assert told[-1] < 0.5
    assert confidences([FLAT] * 3 + [STEEP] * 3)[-1] > 0.9


def test_a_pose_is_no_surer_than_its_print_agrees() -> None:
    told = []
    for apart_m in (0.0, 0.1 * TOLERANCE_M, 0.2 * TOLERANCE_M, 0.5 * TOLERANCE_M):
        drift, result = PoseDrift(FORM, LENGTH_M, 0.3), answer(START, 0.95)
        drift.ended(result.pose, STEEP, apart_m)
        told.append(drift.weighed(result, TOLERANCE_M, given=True, clock_s=0.0))
    sure = [one.confidence or 0.0 for one in told]
    assert sure[0] == 0.95 and sure[1] > 0.9 and sure[3] < 0.4
    assert all(later < sooner for sooner, later in pairwise(sure[1:]))
    assert told[0].notes == () and "print" in told[3].notes[0] and told[3].note_codes == (NoteCode.DRIFT,)


def test_what_was_searched_anew_is_as_sure_as_its_frame_shows() -> None:
    drift = PoseDrift(FORM, LENGTH_M, 0.3)
    for frame in range(12):
        followed(drift, frame, FLAT)
    followed(drift, 12, None, status=Status.LOST)
    again = (Note(NoteCode.FOUND_AGAIN, "found again after 1 lost frame"),)
    assert (followed(drift, 13, FLAT, notes=again).confidence or 0.0) < 0.1
    assert (followed(drift, 14, STEEP, notes=again).confidence or 0.0) > 0.9


def test_a_note_says_so_and_a_copy_knows_as_much() -> None:
    drift = PoseDrift(FORM, LENGTH_M, 0.3)
    for frame in range(8):
        followed(drift, frame, FLAT)
    copy = pickle.loads(pickle.dumps(drift))
    result = followed(drift, 8, FLAT)
    assert NoteCode.DRIFT in result.note_codes and followed(copy, 8, FLAT).confidence == result.confidence


@pytest.mark.parametrize("hidden", [True, False])
def test_a_turn_with_its_knob_hidden_is_not_sure(hidden: bool) -> None:
    """The third axis lies in the picture, and the knob looks away from the camera or to its side."""
    mesh = egg(1.3)
    upright = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])  # the knob, along x, towards the camera
    begin = np.pi if hidden else 0.5 * np.pi
    refiner, told = Refiner(mesh, preset="fast", threads=1), []
    for frame in range(10):
        turn = so3.exp(np.array([0.0, 0.0, begin + 0.06 * (frame - 5)]))
        truth = Pose(upright @ turn, np.array([0.003 * frame, 0.0, 0.45]))
        seen = picture([(mesh, truth)], np.random.default_rng(frame), noise=SensorNoise()).without_mask()
        result = refiner.track(seen, truth if frame == 0 else None, time_s=frame * FRAME_S)
        told.append(result.confidence or 0.0)
    assert told[0] > 0.5
    assert max(told[5:]) < 0.5 if hidden else min(told) > 0.5


def test_a_given_pose_that_a_frame_moves_along_what_it_does_not_show_is_not_sure() -> None:
    def first(turn_rad: float, curvature: np.ndarray) -> float:
        drift, moved = PoseDrift(FORM, LENGTH_M, 0.3), Pose(START.R_m2c @ so3.exp([0.0, 0.0, turn_rad]), START.t_m2c)
        result = replace(answer(moved, 0.95), initial_pose=START)
        drift.ended(result.pose, curvature)
        return drift.weighed(result, TOLERANCE_M, given=True, clock_s=0.0).confidence or 0.0

    told = [first(turn_rad, FLAT) for turn_rad in (0.0, 0.05, 0.3)]
    assert told[0] == 0.95 and told[1] > told[2] and told[2] < 0.4  # by 0, 1.5 and 9 mm; the tolerance is 3
    assert first(0.3, STEEP) > 0.9  # a rough start, which the frame corrects


def test_what_was_located_is_as_sure_as_its_frame_shows() -> None:
    def first(curvature: np.ndarray) -> float:
        drift, result = PoseDrift(FORM, LENGTH_M, 0.3), answer(START, 0.95)
        drift.ended(result.pose, curvature)
        return drift.weighed(result, TOLERANCE_M, given=False, clock_s=0.0).confidence or 0.0

    assert first(FLAT) < 0.1 and first(STEEP) > 0.9
