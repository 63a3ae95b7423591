"""Depth that is left out: what remains is less sure, and depth of the object's shape elsewhere contradicts it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial
from diffdope.pipelines.diagnosis.wrong_depth import times_as_far, without_wrong_depth
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Answer, RefinementResult, Status
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

MESH, WHOLE, START, TRUTH = packaged_example()
REFINER = Refiner(MESH, threads=1)
SEARCH = REFINER.preset.resolved_search
assert WHOLE.depth is not None and WHOLE.mask is not None
BEHIND = np.where(WHOLE.mask > 0.5, np.float32(1.3), WHOLE.depth)


def with_depth(depth: np.ndarray) -> Observation:
    return Observation(WHOLE.camera, rgb=WHOLE.rgb, depth=depth, mask=WHOLE.mask)


@pytest.fixture(scope="module")
def right() -> RefinementResult:
    """Of mask and colours, in the object's own frame, as sure as its fit is."""
    result = REFINER.refine(WHOLE.without_depth(), START)
    assert result.ok
    return replace(result, pose=REFINER.frame.enter(result.pose), confidence=0.99)


def left_out(right: RefinementResult, depth: np.ndarray, start: Pose | None) -> RefinementResult:
    """What becomes of a result whose depth fits nowhere."""
    assert right.evidence is not None
    refused = replace(right, evidence=replace(right.evidence, depth_inliers=0.1))
    again = Attempt(right, None)
    trial = RejectionTrial(Attempt(refused, None), REFINER.meshes, with_depth(depth), lambda _: again, start, SEARCH)
    return without_wrong_depth(trial).result


@pytest.mark.parametrize("times", [0.8, 1.15, 1.3])
def test_depth_that_shows_the_shape_elsewhere_says_how_far(right: RefinementResult, times: float) -> None:
    found = times_as_far(REFINER.meshes, with_depth(WHOLE.depth * np.float32(times)), right)
    assert found == pytest.approx(times, rel=0.02)


def test_what_is_behind_glass_or_of_another_place_is_no_shape(right: RefinementResult) -> None:
    assert WHOLE.depth is not None
    for depth in (BEHIND, np.roll(WHOLE.depth, 40, axis=1) + 0.2 * np.roll(BEHIND, 10, axis=0) ** 2):
        assert times_as_far(REFINER.meshes, with_depth(depth), right) is None


def test_a_result_whose_depth_was_left_out_is_less_sure(right: RefinementResult) -> None:
    found = left_out(right, BEHIND, REFINER.frame.enter(START))
    assert found.ok and found.confidence == pytest.approx(0.75)
    assert found.notes[0].startswith("depth is left out") and "glass" in found.notes[0]


def test_the_start_tells_whether_depth_or_mask_and_colours_are_right(right: RefinementResult) -> None:
    assert WHOLE.depth is not None
    depth = WHOLE.depth * np.float32(1.2)
    beside = left_out(right, depth, right.pose)
    assert beside.ok and "1.20 times as far away" in beside.notes[0] and beside.confidence == pytest.approx(0.75)
    for start in (None, Pose(right.pose.R_m2c, 1.2 * right.pose.t_m2c)):
        found = left_out(right, depth, start)
        assert not found.ok and found.confidence is not None and found.confidence < 0.2
        assert found.message.startswith("contradiction: depth does not fit") and found.message == found.notes[0]


def test_so_do_answers_of_a_search_without_a_start(right: RefinementResult) -> None:
    assert WHOLE.depth is not None
    answers = (Answer(right.pose, 0.9), Answer(right.pose.retract([0, 0, 0, 0, 0, 3.0]), 0.08))
    located = replace(right, answers=answers, none_of_these=0.02, confidence=0.9)
    glass = left_out(located, BEHIND, None)
    assert glass.ok and glass.none_of_these == pytest.approx(0.25)
    elsewhere = left_out(located, WHOLE.depth * np.float32(1.2), None)
    assert not elsewhere.ok and (elsewhere.confidence or 0.0) < 0.15
    assert elsewhere.message.startswith("contradiction")


def test_so_is_one_that_depth_had_drawn_to_a_table_where_it_failed(right: RefinementResult) -> None:
    assert right.evidence is not None
    drawn = replace(right, evidence=replace(right.evidence, depth_inliers=0.8), confidence=0.0)
    scale = Note(NoteCode.DEPTH_SCALE, "contradiction: ...")
    names = ("rgb", "depth", "mask")
    again = Attempt(right, None)
    for status, left_out in ((Status.FAILED, True), (Status.CONVERGED, False)):
        failed = replace(drawn, status=status, modalities=names, notes=(scale,))
        trial = RejectionTrial(Attempt(failed, None), REFINER.meshes, with_depth(BEHIND), lambda _: again, None, SEARCH)
        found = without_wrong_depth(trial).result
        assert (NoteCode.DEPTH_LEFT_OUT in found.note_codes) == left_out
