"""Colours that are left out: where depth and mask convince without them, and not where something else is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.failure_reasons import with_reasons
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial
from diffdope.pipelines.diagnosis.wrong_colors import without_wrong_colors
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example

MESH, WHOLE, START, TRUTH = packaged_example()
REFINER = Refiner(MESH, threads=1)
SEARCH = REFINER.preset.resolved_search


@pytest.fixture(scope="module")
def right() -> RefinementResult:
    """Of depth and mask, in the object's own frame, as sure as its fit is."""
    result = REFINER.refine(WHOLE.without_rgb(), START)
    assert result.ok
    return replace(result, pose=REFINER.frame.enter(result.pose), confidence=0.99)


def left_out(right: RefinementResult, observation: Observation = WHOLE, **changes: object) -> RefinementResult:
    """What becomes of a result that failed, beside one without colours."""
    whole = {"status": Status.FAILED, "confidence": 0.0, "modalities": ("rgb", *right.modalities)}
    failed = replace(right, **{**whole, **changes})  # type: ignore[arg-type]
    again = Attempt(right, None)
    trial = RejectionTrial(Attempt(failed, None), REFINER.meshes, observation, lambda _: again, None, SEARCH)
    return without_wrong_colors(trial).result


def test_a_result_whose_colours_were_left_out_is_less_sure(right: RefinementResult) -> None:
    found = left_out(right)
    assert found.ok and found.confidence == pytest.approx(0.75)
    assert found.note_codes[0] is NoteCode.COLOURS_LEFT_OUT and NoteCode.RGB_OFF not in found.note_codes


def test_colours_stay_where_the_result_is_right_or_something_else_is_wrong(right: RefinementResult) -> None:
    assert left_out(right, status=Status.CONVERGED, confidence=0.9).confidence == 0.9
    assert not left_out(right, notes=(Note(NoteCode.DEPTH_SCALE, "contradiction: ..."),)).ok
    assert not left_out(right, WHOLE.without_mask()).ok
    assert not left_out(replace(right, confidence=0.7)).ok


def test_channels_in_another_order_are_named_beside_it(right: RefinementResult) -> None:
    assert WHOLE.rgb is not None
    other = WHOLE.with_rgb(WHOLE.rgb[..., ::-1])
    codes = with_reasons(left_out(right, other), REFINER.meshes, other, None).note_codes
    assert {NoteCode.COLOURS_LEFT_OUT, NoteCode.CHANNELS_SWAPPED} <= set(codes)
