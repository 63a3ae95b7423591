"""Frames whose colours contradict depth and mask, and films whose inputs are in doubt: by scripts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.estimate.fit_quality import FitQuality
from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt, Refine
from diffdope.pipelines.diagnosis.modality_rejection import LEFT_OUT
from diffdope.pipelines.result import Status
from diffdope.pipelines.tracking.by_depth import ByDepth
from diffdope.pipelines.tracking.tracker import Tracker
from diffdope.pipelines.tracking.tracker_parts import FilmAids, FrameSearches
from diffdope.pipelines.tracking.tracking_settings import TrackingSettings
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from tests.pipelines.test_tracker import START, answer

SIZE_M = np.array([0.12, 0.08, 0.04])
PAINTED = painted("box", *grid_box(SIZE_M, 12), lambda x: 0.55 + 0.6 * (mottled(x) - 0.5))
ONES = np.ones((CAMERA.height, CAMERA.width))
ROUND = np.hypot(*(np.indices(ONES.shape) - np.array(ONES.shape)[:, None, None] // 2)) < 40.0  # no detector's box


def every() -> Observation:
    return Observation(CAMERA, rgb=np.full((*ONES.shape, 3), 0.5), depth=0.5 * ONES, mask=ROUND)


def colours_worth(coloured: float, alone: float) -> list[Attempt]:
    """Two frames, of which the second is so sure with colours, and without."""
    seen: list[float] = []

    def follow(observation: Observation, start: Pose) -> Attempt:
        sure = 0.9 if not seen else coloured if "rgb" in observation.modalities else alone
        seen.append(sure)
        return Attempt(answer(start, sure), None)

    followed = Tracker(
        PAINTED, TrackingSettings(), FrameSearches(follow, follow, lambda frame, start, gain: follow(frame, start)),
        FilmAids(by_depth=ByDepth(MeshLevels(PAINTED, (0,)))),
    )  # fmt: skip
    return [Attempt(followed.track(every(), START if k == 0 else None), None) for k in range(2)]


@pytest.mark.parametrize(
    ("coloured", "alone", "left_out"), [(0.3, 0.7, True), (0.4, 0.95, True), (0.8, 0.9, False), (0.45, 0.4, False)]
)
def test_colours_are_left_out_where_they_do_not_convince_and_all_else_does(
    coloured: float, alone: float, left_out: bool
) -> None:
    result = colours_worth(coloured, alone)[1].result
    assert (NoteCode.COLOURS_LEFT_OUT in result.note_codes) == left_out
    assert result.confidence == (min(alone, LEFT_OUT) if left_out else coloured)


def test_only_depth_and_a_mask_hold_an_object_that_has_colours() -> None:
    by_depth = ByDepth(MeshLevels(PAINTED, (0,)))
    assert by_depth.tells(every())
    assert not by_depth.tells(every().without_mask()) and not by_depth.tells(every().without_rgb())
    assert not ByDepth(MeshLevels(Mesh(PAINTED.vertices_m, PAINTED.faces), (0,))).tells(every())
    assert not ByDepth().tells(every())


def less_sure(answers: list[tuple[float, float]]) -> Refine:
    """Attempts with such confidences and correlations of colours, each a centimetre on; the first doubts the scale."""
    given: list[Pose] = []

    def refine(observation: Observation, start: Pose) -> Attempt:
        confidence, texture = answers[len(given)]
        notes = () if given else (Note(NoteCode.DEPTH_SCALE_UNSURE, "scale: depth may be 1.1 times too large"),)
        given.append(start.retract([0.01, 0.0, 0.0, 0.0, 0.0, 0.0]))
        result = replace(answer(given[-1], confidence), notes=notes, evidence=FitQuality(texture=texture))
        return Attempt(result, None)

    return refine


def test_what_makes_a_film_less_sure_leaves_the_surest_of_the_attempts_the_surest() -> None:
    refine = less_sure([(0.6, 0.8), (0.9, 0.8), (0.7, 0.5), (0.95, 0.5)])
    followed = Tracker(PAINTED, TrackingSettings(), FrameSearches(refine, refine))
    followed.track(every(), START)
    before = followed.track(every())  # it moves, so that a frame has two starts
    result = followed.track(every())
    assert before.confidence == result.confidence == 0.6
    assert result.pose.t_m2c[0] == pytest.approx(before.pose.t_m2c[0] + 0.01)  # the second attempt: from the last pose


def test_what_makes_a_film_less_sure_does_not_keep_the_object_lost() -> None:
    refine = less_sure([(0.55, 0.8)] * 2 + [(0.0, 0.8)] * 2 + [(0.9, 0.8)])
    followed = Tracker(PAINTED, TrackingSettings(), FrameSearches(refine, refine))
    followed.track(every().without_mask(), START)
    assert followed.track(every().without_mask()).status is Status.LOST
    result = followed.track(every().without_mask())
    assert result.ok and result.confidence == 0.55 and NoteCode.FOUND_AGAIN in result.note_codes
