"""A lost object comes back into the picture, or another one of its kind stands in it: scripted, and drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.estimate.fit_quality import FitQuality
from diffdope.experiments.shapes import grid_box, mottled, painted, plain
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.settings import TrackingSettings
from diffdope.pipelines.tracking import relocalization
from diffdope.pipelines.tracking.tracker import Tracker
from diffdope.pipelines.tracking.tracker_parts import FrameSearches
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from tests.pipelines.test_tracker import START, answer, grey

GONE = 5  # first frame of the films here in which nothing of the object is seen
BACK = 10  # and the first in which all of it is seen again
STEP_M = 0.03
COPY = Pose(np.eye(3), np.array([-0.06, 0.06, 0.5])).retract([0, 0, 0, 0, 0.7, 0])


class Plan:
    """A search that returns one result after the other, the last one for ever."""

    def __init__(self, *results: RefinementResult) -> None:
        self.results = list(results)

    def __call__(self, observation: Observation, start: Pose) -> Attempt:
        return Attempt(self.results.pop(0) if len(self.results) > 1 else self.results[0], None)


def test_what_contradicts_a_pose_that_nobody_trusts_is_not_held_against_the_film(box: Mesh) -> None:
    told = Note(NoteCode.DEPTH_KIND, "contradiction: depth fits better as distances along the optical axis ...")
    lost = answer(START, 0.0)
    wide = Plan(replace(answer(START, 0.2), notes=(told,)), answer(START, 0.9))
    film = Tracker(box, TrackingSettings(retry=2), FrameSearches(Plan(answer(START, 1.0), lost), wide))
    film.track(grey(), START)
    gone = [film.track(grey()) for _ in range(2)]
    assert all(one.status is Status.LOST and told not in one.notes for one in gone)
    found = film.track(grey())
    assert found.ok and found.confidence == 0.9 and found.notes == ("found again after 2 lost frames",)


def test_what_contradicts_the_frame_that_is_trusted_is_held(box: Mesh) -> None:
    told = Note(NoteCode.DEPTH_KIND, "contradiction: depth fits better as distances along the optical axis ...")
    film = Tracker(
        box, TrackingSettings(),
        FrameSearches(Plan(answer(START, 0.2)), Plan(replace(answer(START, 0.3), notes=(told,)))),
    )  # fmt: skip
    assert told in film.track(grey(), START).notes
    assert told in film.track(grey()).notes


def away(x_m: float) -> Pose:
    return START.retract([x_m, 0, 0, 0, 0, 0])


def test_what_is_found_farther_than_it_can_have_moved_is_another_one_until_it_can_have(box: Mesh) -> None:
    settings = TrackingSettings(retry=1, reach_m_per_s=1.0, frame_s=0.1)
    near, wide = Plan(answer(START, 1.0), answer(START, 0.0)), Plan(answer(away(0.5), 1.0))
    film = Tracker(box, settings, FrameSearches(near, wide))
    film.track(grey(), START)
    results = [film.track(grey()) for _ in range(5)]
    first = next(k for k, one in enumerate(results) if one.ok)
    assert 1.0 * 0.1 * first + box.radius_m < 0.5 <= 1.0 * 0.1 * (first + 1) + box.radius_m
    assert "what looks like it is 500 mm from where it was 0.1 s before" in results[0].message
    assert results[0].pose.distance_to(START) == 0.0 and results[0].confidence == 0.0
    told = dict(zip(results[first].note_codes, results[first].notes, strict=True))
    assert told["found-far"].startswith("found 500 mm from where it was lost 0.5 s before: another one of its kind")


def test_a_mask_says_which_one_it_is(box: Mesh) -> None:
    mask = np.zeros((CAMERA.height, CAMERA.width), bool)
    mask[100:140, 220:260] = True
    near, wide = Plan(answer(START, 1.0), answer(START, 0.0)), Plan(answer(away(0.5), 1.0))
    film = Tracker(box, TrackingSettings(), FrameSearches(near, wide))
    film.track(grey(), START)
    assert film.track(grey().with_mask(mask)).ok


def test_a_followed_object_is_out_of_the_picture_for_another_reason_than_a_start(box: Mesh) -> None:
    outside = replace(answer(START, 0.0, Status.OUT_OF_VIEW), message="check K")
    film = Tracker(box, TrackingSettings(), FrameSearches(Plan(outside), Plan(outside)))
    assert "check K" in film.track(grey(), START).message
    film = Tracker(box, TrackingSettings(), FrameSearches(Plan(answer(START, 1.0), outside), Plan(outside)))
    film.track(grey(), START)
    result = film.track(grey())
    assert "expected outside of the picture" in result.message and "check K" not in result.message


def leaving(frame: int) -> Pose:
    """A step to the right in each frame, until it is out of the picture, and on the other side when it is back."""
    steps = min(frame, 9) if frame < BACK else -2
    return Pose(np.eye(3), np.array([0.02 + STEP_M * steps, 0.01, 0.4])).retract([0, 0, 0, 0.6, 0.4, 0.1 * frame])


def drawn(box: Mesh, frame: int) -> Observation:
    there = frame < GONE or frame >= BACK
    other = painted("other", *grid_box(np.array([0.03, 0.02, 0.02]), 4), mottled)
    part = (box, leaving(frame)) if there else (other, Pose(np.eye(3), np.array([-0.1, 0.0, 0.6])))
    made = picture([part], np.random.default_rng(frame), noise=SensorNoise())
    return made if there else made.without_mask()


def test_an_object_that_left_the_picture_is_found_in_its_mask_when_it_is_back(box: Mesh) -> None:
    refiner = Refiner(box, CAMERA, preset="fast", threads=1)
    results = [
        refiner.track(drawn(box, frame), leaving(0) if frame == 0 else None)
        for frame in range(BACK + TrackingSettings().retry)
    ]
    assert results[BACK - 1].status is Status.LOST
    assert results[-1].ok and results[-1].pose.distance_to(leaving(len(results) - 1)) < 0.003
    assert not any(note.startswith("contradiction") for one in results for note in one.notes)


@pytest.mark.parametrize("depth", [True, False])
def test_without_a_mask_keypoints_tell_where_it_is_and_depth_how_far(
    box: Mesh, monkeypatch: pytest.MonkeyPatch, depth: bool
) -> None:
    monkeypatch.setattr(relocalization, "tells_by_pattern", lambda observation, mesh: True)
    asked: list[tuple[str, ...]] = []

    def locate(observation: Observation) -> Attempt:
        asked.append(observation.modalities)
        return Attempt(answer(away(0.01), 0.9), None)

    def refine(observation: Observation, start: Pose) -> Attempt:
        asked.append(observation.modalities)
        return Attempt(answer(start, 1.0), None)

    seen = drawn(box, 0).without_mask()
    found = relocalization.located(locate, refine, box, seen if depth else seen.without_depth())
    assert found is not None and found.result.pose.distance_to(away(0.01)) == 0.0
    assert asked == ([("rgb",), ("rgb", "depth")] if depth else [("rgb",)])


def masked(box: Mesh) -> Observation:
    return picture([(box, leaving(0))], np.random.default_rng(0), noise=SensorNoise())


def textured(pose: Pose, confidence: float, texture: float) -> Attempt:
    return Attempt(replace(answer(pose, confidence), evidence=FitQuality(texture=texture)), None)


@pytest.mark.parametrize(
    ("located", "searched", "turn", "anew"),
    [
        (0.7, 0.2, 1.0, True),  # sure with no start
        (0.5, 0.9, 0.1, True),  # or one of two that end in the same pose
        (0.4, 0.9, 0.1, False),
        (0.7, 0.9, 1.0, False),  # of two that differ, the surer one would have to convince as a frame does
        (0.55, 0.5, 0.1, False),
    ],
)
def test_what_would_begin_a_film_begins_it_anew(
    box: Mesh, located: float, searched: float, turn: float, anew: bool
) -> None:
    found, other = answer(leaving(0), located), answer(leaving(0).retract([0, 0, 0, turn, 0, 0]), searched)
    assert relocalization.begins_anew(found, other, box, TrackingSettings()) == anew


def test_in_its_mask_a_lost_object_is_found_whatever_it_looked_like_from_another_side(box: Mesh) -> None:
    """Its colours agree half as well as before, in each frame from the second on."""
    seen, there = masked(box), leaving(0)

    def film(*, masks: bool) -> list[RefinementResult]:
        agreeing = [0.8]

        def refine(observation: Observation, start: Pose) -> Attempt:
            return textured(there, 0.9, agreeing[0])

        def locate(observation: Observation) -> Attempt:
            return textured(there, 0.9, agreeing[0])

        searches = FrameSearches(refine, refine, anywhere=locate)
        followed, settings = Tracker(box, TrackingSettings(), searches), TrackingSettings()
        frame = seen if masks else seen.without_mask().without_depth()
        results = [followed.track(frame, there)]
        agreeing[0] = 0.4
        return results + [followed.track(frame) for _ in range(2 * settings.patience)]

    with_masks, without = film(masks=True), film(masks=False)
    patience = TrackingSettings().patience
    assert [one.ok for one in with_masks] == [True] * len(with_masks)
    assert NoteCode.FOUND_WIDER in with_masks[patience].note_codes
    assert not any(NoteCode.IN_DOUBT in one.note_codes for one in with_masks[patience:])
    assert without[-1].status is Status.LOST


def test_a_likely_pose_is_looked_at_again_in_the_mask_of_the_next_frame(box: Mesh) -> None:
    seen, there, starts = masked(box), leaving(0), [leaving(0)][:0]
    likely = there.retract([0, 0, 0, 0.8, 0, 0])
    sure = [0.9, 0.0, 0.3, 0.3]

    def refine(observation: Observation, start: Pose) -> Attempt:
        starts.append(start)
        return Attempt(answer(likely if len(starts) > 1 else there, sure[min(len(starts), len(sure)) - 1]), None)

    def locate(observation: Observation) -> Attempt:
        return Attempt(answer(likely, 0.3), None)

    followed = Tracker(box, TrackingSettings(), FrameSearches(refine, refine, anywhere=locate))
    followed.track(seen, there)
    first = followed.track(seen)
    assert first.status is Status.LOST and first.confidence == 0.0
    assert first.pose.angle_to(likely) == 0.0 and "the likeliest in the mask" in first.message
    assert followed.track(seen).status is Status.LOST
    assert starts[-1].angle_to(likely) < 1e-6


def seen_beside(box: Mesh, frame: int, *, copy: bool, there: bool) -> Observation:
    """A table with one like the object on it; the object is carried out of the picture and comes back."""
    table = painted("table", *grid_box(np.array([0.4, 0.01, 0.3]), 8), plain)
    parts = [(table, Pose(np.eye(3), np.array([0.0, 0.12, 0.6])))]
    if copy:
        parts.append((box, COPY))
    if there:
        parts.append((box, leaving(frame)))
    return picture(parts, np.random.default_rng(frame), noise=SensorNoise()).without_mask()


def test_what_stood_there_while_the_object_was_elsewhere_is_not_found(box: Mesh) -> None:
    refiner = Refiner(box, CAMERA, preset="fast", threads=1)
    for frame in range(8):
        there = frame < 2
        pose = leaving(0) if frame == 0 else None
        result = refiner.track(seen_beside(box, min(frame, 1), copy=True, there=there), pose)
        assert result.ok if there else result.status is Status.LOST


def test_without_masks_depth_finds_what_comes_back_elsewhere(box: Mesh) -> None:
    refiner, settings = Refiner(box, CAMERA, preset="fast", threads=1), TrackingSettings()
    results = [refiner.track(seen_beside(box, 0, copy=False, there=True), leaving(0))]
    for _ in range(settings.retry):
        results.append(refiner.track(seen_beside(box, 0, copy=False, there=False)))
    assert results[-1].status is Status.LOST
    back = seen_beside(box, 0, copy=True, there=False)
    results += [refiner.track(back) for _ in range(settings.retry)]
    assert results[-1].ok and results[-1].pose.distance_to(COPY) < 0.003
