"""Films beside masks that are off: what is followed with the mask, and what without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.tracking.tracker import Tracker
from diffdope.pipelines.tracking.tracker_parts import FrameSearches
from diffdope.pipelines.tracking.tracking_settings import TrackingSettings
from diffdope.pipelines.tracking.without_mask import unless_misled
from diffdope.scene.observation import Observation
from diffdope.terms.photometric_gain import PhotometricGain
from tests.pipelines.test_by_depth import PAINTED, every
from tests.pipelines.test_tracker import START, answer

LEAST = 0.5
ABSENT = Note(NoteCode.MASK_OFF, "mask: not given")


def followed(
    overlap: float, confidence: float, free: float, observation: Observation, *, convinces: bool = True
) -> tuple[RefinementResult, list[Pose]]:
    """A frame that is so sure with its mask, which fits so well, and without it; and the starts of its attempts."""
    starts: list[Pose] = []

    def follow(seen: Observation, start: Pose) -> Attempt:
        starts.append(start)
        moved = start.retract([0.01, 0.0, 0.0, 0.0, 0.0, 0.0])
        if "mask" in seen.modalities:
            return Attempt(replace(answer(moved, confidence), evidence=FitQuality(overlap=overlap)), None)
        return Attempt(replace(answer(moved, free), notes=(ABSENT,), evidence=FitQuality()), None)

    return unless_misled(follow, lambda result: convinces, LEAST, observation, START).result, starts


@pytest.mark.parametrize(
    ("overlap", "confidence", "free", "convinces", "left_out"),
    [
        (0.6, 0.6, 0.55, True, True),  # it fits badly
        (0.6, 0.6, 0.45, True, False),  # and nothing else does better
        (0.95, 0.6, 0.8, True, False),
        (0.6, 0.95, 0.8, True, False),  # sure beside a mask that is cut
        (0.95, 0.95, 0.8, False, True),  # sure, but unlike the frames before
    ],
)
def test_a_mask_that_fits_badly_is_left_out_where_all_else_convinces(
    overlap: float, confidence: float, free: float, convinces: bool, left_out: bool
) -> None:
    result, starts = followed(overlap, confidence, free, every(), convinces=convinces)
    assert (NoteCode.MASK_SHIFTED in result.note_codes) == left_out
    assert result.confidence == (free if left_out else confidence)
    assert NoteCode.MASK_OFF not in result.note_codes  # it was given
    assert starts[1:] == [] or starts[1].t_m2c[0] == pytest.approx(START.t_m2c[0] + 0.01)  # from where the mask led


def test_depth_alone_is_not_asked_without_the_mask() -> None:
    result, starts = followed(0.6, 0.6, 0.9, every().without_rgb())
    assert len(starts) == 1 and result.confidence == 0.6


def test_a_film_follows_what_convinces_without_a_mask_that_is_off() -> None:
    begun: list[Pose] = []

    def quick(seen: Observation, start: Pose, gain: PhotometricGain | None) -> Attempt:
        masked = "mask" in seen.modalities
        evidence = FitQuality(overlap=0.5 if masked else None, depth_inliers=0.4, texture=0.8)
        begun.append(start)
        return Attempt(replace(answer(start, 0.3 if masked else 0.7), evidence=evidence), None)

    def refine(seen: Observation, start: Pose) -> Attempt:
        evidence = FitQuality(overlap=0.9, depth_inliers=0.9, texture=0.8)
        return Attempt(replace(answer(start, 0.9), evidence=evidence), None)

    tracker = Tracker(PAINTED, TrackingSettings(), FrameSearches(refine, refine, quick))
    tracker.track(every(), START)
    result = tracker.track(every())
    assert result.confidence == 0.7 and NoteCode.MASK_SHIFTED in result.note_codes
    assert len(begun) == 2  # nothing was refined anew: depth without a mask counts what hides the object
