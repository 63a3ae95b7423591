"""Colours that are left out: where depth and mask convince without them, and not where something else is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis import wrong_colors
from diffdope.pipelines.diagnosis.failure_reasons import with_reasons
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial
from diffdope.pipelines.diagnosis.wrong_colors import without_other_print, without_wrong_colors
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.alternatives.answers import Answer

MESH, WHOLE, START, TRUTH = packaged_example()
REFINER = Refiner(MESH, threads=1)
SEARCH = REFINER.preset.resolved_search


EVIDENCE = FitQuality(overlap=0.98, depth_inliers=0.98, texture=None, visible=1.0)
TURNED = Note(NoteCode.TURNED, "found turned by 90 degrees from the start")


@pytest.fixture(scope="module")
def right() -> RefinementResult:
    """Of depth and mask, in the object's own frame, as sure as its fit is."""
    result = REFINER.refine(WHOLE.without_rgb(), START)
    assert result.ok
    return replace(result, pose=REFINER.frame.enter(result.pose), confidence=0.99)


def left_out(
    right: RefinementResult, observation: Observation = WHOLE, *, start: Pose | None = None, **changes: object
) -> RefinementResult:
    """What becomes of a result that failed, beside one without colours."""
    whole = {"status": Status.FAILED, "confidence": 0.0, "modalities": ("rgb", *right.modalities)}
    failed = replace(right, **{**whole, **changes})  # type: ignore[arg-type]
    again = Attempt(replace(right, evidence=EVIDENCE), None)
    trial = RejectionTrial(Attempt(failed, None), REFINER.meshes, observation, lambda _: again, start, SEARCH)
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


@pytest.mark.parametrize(
    ("texture", "contrast", "start", "notes", "asked"),
    [
        (0.05, 0.25, None, (), False),
        (0.05, 0.25, START, (TURNED,), False),
        (0.05, 0.25, START, (), True),  # the start has told the side
        (0.3, 0.25, None, (), True),  # overexposed, or in the shade
        (0.05, 0.05, None, (), True),  # no print: light and shade are as strong
    ],
)
def test_a_print_of_which_nothing_is_seen_does_not_choose_the_side(
    right: RefinementResult, texture: float, contrast: float, start: Pose | None, notes: tuple[Note, ...], asked: bool
) -> None:
    seen = replace(EVIDENCE, texture=texture, contrast=contrast)
    found = left_out(right, start=start, status=Status.CONVERGED, confidence=0.9, evidence=seen, notes=notes)
    assert (found.confidence == 0.9) is asked
    assert (NoteCode.COLOURS_LEFT_OUT in found.note_codes) is not asked


@pytest.mark.parametrize(("none", "asked"), [(0.05, False), (0.3, True)])
def test_sides_that_depth_and_mask_cannot_tell_are_the_answers_then(
    right: RefinementResult, none: float, asked: bool
) -> None:
    each = 0.5 * (1.0 - none)
    several = replace(
        right, status=Status.AMBIGUOUS, confidence=each, none_of_these=none,
        answers=(Answer(right.pose, each), Answer(START, each)),
    )  # fmt: skip
    seen = replace(EVIDENCE, texture=0.05, contrast=0.25)
    found = left_out(several, status=Status.CONVERGED, confidence=0.9, evidence=seen)
    assert (found.status is Status.CONVERGED) is asked
    assert asked or (found.status is Status.AMBIGUOUS and len(found.answers) == 2 and found.confidence < 0.5)


@pytest.mark.parametrize(
    ("texture", "contrast", "notes", "asked"),
    [
        (0.05, 0.25, (), False),
        (0.3, 0.25, (), True),
        (0.05, 0.05, (), True),
        (0.05, 0.25, (Note(NoteCode.DEPTH_SCALE, "contradiction: ..."),), True),
    ],
)
def test_nor_does_it_in_a_box(
    right: RefinementResult, texture: float, contrast: float, notes: tuple[Note, ...], asked: bool
) -> None:
    seen = replace(EVIDENCE, texture=texture, contrast=contrast)
    first = replace(right, confidence=0.9, modalities=("rgb", *right.modalities), evidence=seen, notes=notes)
    again = Attempt(replace(right, evidence=EVIDENCE), None)
    for other, counts in ((again, True), (Attempt(replace(again.result, confidence=0.5), None), False)):
        whole: list[Observation] = []

        def once_more(images: Observation, other: Attempt = other, whole: list[Observation] = whole) -> Attempt:
            whole.append(images)
            return other

        attempt, images = Attempt(first, None), WHOLE.without_mask()
        found = without_other_print(attempt, REFINER.meshes, images, once_more, SEARCH)
        assert (found is attempt) is (asked or not counts)
        assert [one.modalities for one in whole] == ([] if asked else [("depth",)])


def test_a_box_is_asked_without_colours_where_its_print_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert WHOLE.mask_box is not None
    x0, y0, x1, y1 = WHOLE.mask_box
    others: list[tuple[str, ...]] = []

    def beside(attempt: Attempt, other: Attempt, *_: object) -> Attempt:
        others.append(other.result.modalities)
        return other

    monkeypatch.setattr(wrong_colors, "is_elsewhere", lambda seen: True)
    monkeypatch.setattr(wrong_colors, "_unless_unsure", beside)
    found = REFINER.locate(WHOLE.without_mask(), box=(x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0))
    assert others == [found.modalities] and "rgb" not in found.modalities
