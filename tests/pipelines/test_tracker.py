"""Tracking: the motion model, hysteresis, loss and recovery; scripted first, then on drawn pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.estimate.fit_quality import FitQuality
from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt, Follow, Refine, tracking_presets
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import History, RefinementResult, Status
from diffdope.pipelines.settings import PRESETS, TrackingSettings
from diffdope.pipelines.tracking.edge_ambiguity import EdgeAmbiguity
from diffdope.pipelines.tracking.input_doubts import InputDoubts
from diffdope.pipelines.tracking.relocalization import recentred
from diffdope.pipelines.tracking.tracker import Tracker
from diffdope.pipelines.tracking.tracker_parts import FilmAids, FrameSearches
from diffdope.problem.level_problem import GainModel
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.checks.contradictions import CONTRADICTED
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.tracking.motion_model import MotionModel, tangent
from diffdope.terms.photometric_gain import NEUTRAL, PhotometricGain

START = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
BESIDE = Pose(np.eye(3), np.array([0.0, 0.0, 0.4]))
FRAME_S = TrackingSettings().frame_s


def grey() -> Observation:
    return Observation(CAMERA, rgb=np.full((CAMERA.height, CAMERA.width, 3), 0.5))


def answer(pose: Pose, confidence: float, status: Status = Status.CONVERGED) -> RefinementResult:
    history = History(np.zeros((1, 1)), np.zeros((1, 1, 0)), pose.R_m2c[None, None], pose.t_m2c[None, None], np.ones(1))
    return RefinementResult(
        pose, pose, 0.1, 0.1, {}, {}, status, "text", 0, 0, 0, history, (), (), 0, 0.0, None, confidence=confidence
    )


class Script:
    """A solver that returns its start, moved, with confidences as written."""

    def __init__(self, confidences: list[float], shift_m: float = 0.0) -> None:
        self.confidences, self.shift_m, self.starts = confidences, shift_m, [START][:0]

    def __call__(self, observation: Observation, start: Pose) -> Attempt:
        self.starts.append(start)
        return Attempt(answer(start.retract([self.shift_m, 0, 0, 0, 0, 0]), self.confidences.pop(0)), None)


def tracker(box: Mesh, near: Script, wide: Script, **settings: float) -> Tracker:
    return Tracker(box, TrackingSettings(**settings), FrameSearches(near, wide))  # type: ignore[arg-type]


def test_a_constant_velocity_is_predicted_and_forgotten_in_time() -> None:
    motion = MotionModel(memory_s=0.5, smoothing=0.0)
    motion.restart(START)
    step = np.array([0.01, 0.0, -0.02, 0.0, 0.1, 0.0])
    motion.take(START.retract(step), 0.1)
    assert np.allclose(motion.velocity, step / 0.1)
    soon, never = motion.predict(1e-4), motion.predict(1e9)
    assert np.allclose(tangent(motion.pose, soon), 1e-4 * step / 0.1, rtol=1e-3)
    assert np.allclose(tangent(motion.pose, never), 0.5 * step / 0.1)


def test_a_motion_that_was_stopped_goes_no_farther_until_the_object_is_seen() -> None:
    motion = MotionModel(memory_s=0.5, smoothing=0.0)
    motion.restart(START)
    moved = START.retract(np.array([0.01, 0.0, 0.0, 0.0, 0.1, 0.0]))
    motion.take(moved, 0.1)
    here = motion.predict(0.1)
    assert motion.stop(0.1).distance_to(here) == 0.0
    assert motion.stop(0.2).distance_to(here) == 0.0  # it is lost in the next frame, too
    assert motion.predict(0.2).distance_to(here) == 0.0 and motion.predict(5.0).angle_to(here) < 1e-6
    motion.take(moved, 5.0)
    assert motion.predict(1.0).distance_to(moved) == 0.0
    motion.take(moved.retract(np.array([0.01, 0.0, 0.0, 0.0, 0.0, 0.0])), 0.1)
    assert motion.predict(0.2).distance_to(motion.pose) > motion.predict(0.1).distance_to(motion.pose)


def test_time_gaps_scale_the_motion(box: Mesh) -> None:
    near = Script([1.0] * 4, shift_m=0.0)
    followed = tracker(box, near, Script([]), memory_s=1e6, smoothing=0.0)
    followed.track(grey(), START, time_s=5.0)
    near.shift_m = 0.01
    followed.track(grey(), time_s=5.1)  # 0.01 m in 0.1 s
    near.shift_m = 0.0
    followed.track(grey(), time_s=5.4)
    assert np.isclose(near.starts[-1].t_m2c[0], 0.01 + 0.03, rtol=1e-3)


def test_the_first_frame_needs_a_pose(box: Mesh) -> None:
    with pytest.raises(DiffDopeError, match=r"pose: expected a start pose .* give the pose in the first frame"):
        tracker(box, Script([]), Script([])).track(grey())


def test_times_must_increase(box: Mesh) -> None:
    followed = tracker(box, Script([1.0] * 3), Script([]))
    followed.track(grey(), START, time_s=1.0)
    with pytest.raises(DiffDopeError, match="time_s: expected"):
        followed.track(grey(), time_s=1.0)
    followed.track(grey(), time_s=1.5)


def test_doubt_must_last_before_the_object_is_lost(box: Mesh) -> None:
    near, wide = Script([0.9, 0.3, 0.3, 0.9, 0.3, 0.3, 0.3]), Script([0.3])
    followed = tracker(box, near, wide, patience=3)
    states = [followed.track(grey(), START).status]
    results = [followed.track(grey()) for _ in range(6)]
    states += [result.status for result in results]
    assert states == [Status.CONVERGED] * 6 + [Status.LOST]
    assert results[0].notes == ("in doubt for 1 of 3 frames (confidence 0.30)",)
    assert not results[-1].ok and "lost for 1 frame" in results[-1].message and results[-1].cost == np.inf
    assert not wide.confidences


def test_what_is_never_found_with_a_high_confidence_is_not_lost_for_it(box: Mesh) -> None:
    near = Script([0.35] * 6 + [0.2] * 4)
    wide = Script([0.35] * 3)  # in the first frame, and in the third and the sixth of a low confidence
    followed = tracker(box, near, wide)
    first = followed.track(grey(), START)  # whoever gave the pose has said that the object is there
    results = [first, *(followed.track(grey()) for _ in range(9))]
    assert all(result.ok for result in results) and results[-1].confidence == 0.2
    assert results[4].notes == ("confidence 0.35, which is usual in this film",)
    assert not wide.confidences


def test_what_was_wrong_from_the_start_is_found_by_the_wider_search(box: Mesh) -> None:
    near, wide = Script([0.35] * 3 + [0.9]), Script([0.35, 0.9], shift_m=0.1)
    followed = tracker(box, near, wide)
    results = [followed.track(grey(), START), *(followed.track(grey()) for _ in range(3))]
    assert [result.confidence for result in results] == [0.35, 0.35, 0.9, 0.9]
    assert results[3].initial_pose.distance_to(results[2].pose) == 0.0  # at rest


def test_what_is_never_found_with_a_high_confidence_is_lost_if_it_looks_otherwise(box: Mesh) -> None:
    outline = 0.6

    def refine(observation: Observation, start: Pose) -> Attempt:
        return Attempt(replace(answer(start, 0.3), evidence=FitQuality(outline=outline)), None)

    followed = Tracker(box, TrackingSettings(), FrameSearches(refine, refine))
    followed.track(grey(), START)
    assert followed.track(grey()).ok
    outline = 0.3
    states = [followed.track(grey()).status for _ in range(3)]
    assert states == [Status.CONVERGED] * 2 + [Status.LOST]


def test_a_lost_frame_has_no_confidence_and_says_what_it_lacks(box: Mesh) -> None:
    outline = 0.6

    def refine(observation: Observation, start: Pose) -> Attempt:
        sure = replace(answer(start, 0.7), evidence=FitQuality(outline=outline), covariance=np.eye(6))
        return Attempt(sure, None)

    followed = Tracker(box, TrackingSettings(patience=1), FrameSearches(refine, refine))
    assert followed.track(grey(), START).confidence == 0.7
    outline = 0.3
    result = followed.track(grey())
    assert result.status is Status.LOST and result.confidence == 0.0 and result.covariance is None
    assert "what is there looks less like it" in result.message and "0.70" not in result.message


def test_a_pose_that_slid_along_a_flat_face_is_told_by_the_colours_that_were_learned(box: Mesh) -> None:
    """Depth fits there as well, and the sum of all shares is 0.7 of the usual one."""
    answers = [(0.9, 0.8), (0.9, 0.8), (0.7, 0.1), (0.6, 0.7), (0.7, 0.1), (0.6, 0.1)]  # confidence, learned colours

    def refine(observation: Observation, start: Pose) -> Attempt:
        confidence, learned = answers.pop(0)
        seen = FitQuality(depth_inliers=0.9, outline=0.6, learned=learned)
        return Attempt(replace(answer(start.retract([0.02, 0, 0, 0, 0, 0]), confidence), evidence=seen), None)

    followed = Tracker(box, TrackingSettings(), FrameSearches(refine, refine))
    followed.track(grey(), START)
    followed.track(grey())  # it moves, so that a frame has two starts from here on
    result = followed.track(grey())
    assert result.confidence == 0.6 and not result.notes  # the less sure one, whose colours fit
    result = followed.track(grey())
    assert not answers and result.notes[0].startswith("in doubt")


def film(box: Mesh, evidence: list[FitQuality], confidence: list[float]) -> list[Status]:
    """States of frames of which a search finds that evidence, so confident, wherever it begins."""
    frame = 0

    def refine(observation: Observation, start: Pose) -> Attempt:
        return Attempt(replace(answer(start, confidence[frame]), evidence=evidence[frame]), None)

    followed, states = Tracker(box, TrackingSettings(), FrameSearches(refine, refine)), []
    for frame in range(len(evidence)):
        states.append(followed.track(grey(), START if frame == 0 else None).status)
    return states


def test_where_only_contrast_speaks_for_the_object_a_weaker_one_does_not_lose_it(box: Mesh) -> None:
    outlines = [0.8] + [0.6] * 6
    confidence = [0.9] + [0.2] * 6
    plain = [FitQuality(outline=share) for share in outlines]
    assert film(box, plain, confidence) == [Status.CONVERGED] * 7
    with_depth = [FitQuality(outline=share, depth_inliers=0.9) for share in outlines]
    assert film(box, with_depth, confidence)[3] is Status.LOST


class Elsewhere(EdgeAmbiguity):
    """From the third frame on, another pose is likelier, and is so no more when that is followed."""

    frames = 0

    def weighed(self, result: RefinementResult, observation: Observation) -> RefinementResult:
        self.frames += 1
        self.better = BESIDE if self.frames == 3 else None
        return result


def test_a_pose_that_explains_more_edges_is_followed_from_there_on(box: Mesh) -> None:
    near = Script([0.9] * 5)
    followed = Tracker(
        box, TrackingSettings(), FrameSearches(near, near), FilmAids(edges_alone=Elsewhere(MeshLevels(box, (0,)), 5))
    )
    results = [followed.track(grey(), START if k == 0 else None) for k in range(4)]
    assert [one.pose.t_m2c[2] for one in results] == pytest.approx([0.5, 0.5, 0.4, 0.4])
    assert [NoteCode.FOUND_WIDER in one.note_codes for one in results] == [False, False, True, False]


def test_only_kinds_of_evidence_that_frames_have_in_common_compare(box: Mesh) -> None:
    # Colours are learned from the first frame on: that they fit is no excuse for an outline that is gone.
    evidence = [FitQuality(outline=0.8), *(FitQuality(outline=0.3, learned=1.0) for _ in range(4))]
    assert film(box, evidence, [0.9] * 5)[3] is Status.LOST


def test_what_is_usual_is_no_excuse_below_the_least_confidence(box: Mesh) -> None:
    near, wide = Script([0.08, 0.08]), Script([0.08, 0.08])
    followed = tracker(box, near, wide)
    assert followed.track(grey(), START).status is Status.LOST
    assert followed.track(grey()).status is Status.LOST


@pytest.mark.parametrize("status", [Status.OUT_OF_VIEW, Status.NO_OVERLAP, Status.BEHIND_CAMERA])
def test_nothing_to_compare_is_lost_at_once_and_says_why(box: Mesh, status: Status) -> None:
    def fails(observation: Observation, start: Pose) -> Attempt:
        return Attempt(replace(answer(start, 0.0, status), message="the reason"), None)

    followed = Tracker(box, TrackingSettings(), FrameSearches(fails, fails))
    result = followed.track(grey(), START)
    assert result.status is Status.LOST and "the reason" in result.message and followed.lost


def test_a_pose_in_doubt_does_not_feed_the_motion_model(box: Mesh) -> None:
    near = Script([1.0, 1.0, 0.3, 0.3, 1.0])
    followed = tracker(box, near, Script([]), memory_s=1e6, smoothing=0.0)
    followed.track(grey(), START)
    near.shift_m = 0.004
    followed.track(grey())  # 4 mm a frame from here on
    near.shift_m = 0.1
    doubtful = followed.track(grey())  # refined from the prediction and from the last pose; both went astray
    near.shift_m = 0.0
    followed.track(grey())
    assert doubtful.pose.t_m2c[0] > 0.1
    assert np.isclose(near.starts[-1].t_m2c[0], 0.004 * 3, rtol=1e-3)


def test_the_pose_before_is_tried_where_the_prediction_is_in_doubt(box: Mesh) -> None:
    near = Script([1.0, 1.0, 0.2, 0.8])
    followed = tracker(box, near, Script([]))
    followed.track(grey(), START)
    near.shift_m = 0.01
    followed.track(grey())
    near.shift_m = 0.0
    result = followed.track(grey())  # it stopped dead
    assert result.confidence == 0.8 and np.isclose(result.pose.t_m2c[0], 0.01)


def test_lost_frames_are_guesses_that_stay_near_and_recovery_is_reported(box: Mesh) -> None:
    near, wide = Script([1.0, 1.0, 0.0, 0.0, 0.0, 0.0]), Script([0.0, 0.0, 0.9])
    near.confidences.append(0.0)  # where it is found in the end, the last good frame shows nothing
    followed = tracker(box, near, wide, retry=2)
    followed.track(grey(), START)
    near.shift_m = 0.01
    last_good = followed.track(grey()).pose
    near.shift_m = wide.shift_m = 0.5  # garbage, which must not be returned
    results = [followed.track(grey()) for _ in range(4)]
    wide.shift_m = 0.1
    results.append(followed.track(grey()))
    assert [result.status for result in results] == [Status.LOST] * 4 + [Status.CONVERGED]
    for result in results[:-1]:  # it is expected where it was when it was lost
        assert result.pose.distance_to(last_good) <= 0.01
        assert result.pose.distance_to(results[0].pose) == 0.0
    assert wide.starts[0].distance_to(last_good) == 0.0 and len(wide.starts) == 3
    assert results[-1].notes == ("found again after 4 lost frames",) and results[-1].message.startswith("found again")
    assert not followed.lost


def test_the_error_of_the_given_pose_is_no_velocity(box: Mesh) -> None:
    near = Script([1.0, 1.0], shift_m=0.01)
    followed = tracker(box, near, Script([]))
    first = followed.track(grey(), START).pose
    followed.track(grey())
    assert near.starts[-1].distance_to(first) == 0.0


def test_a_rough_first_pose_gets_the_wider_search(box: Mesh) -> None:
    near, wide = Script([0.55]), Script([0.9], shift_m=0.1)
    result = tracker(box, near, wide).track(grey(), START)
    assert result.confidence == 0.9 and wide.starts[0].distance_to(START) == 0.0


def test_what_looks_less_like_the_object_than_before_is_tried_anew_and_doubted(box: Mesh) -> None:
    def like(texture: float) -> Refine:
        return lambda observation, start: Attempt(
            replace(answer(start, 0.99), evidence=FitQuality(texture=texture)), None
        )

    def quickly(texture: float) -> Follow:
        return lambda observation, start, gain: like(texture)(observation, start)

    followed = Tracker(box, TrackingSettings(), FrameSearches(like(0.8), like(0.8), quickly(0.8)))
    followed.track(grey(), START)
    followed._quick = quickly(0.6)
    assert followed.track(grey()).evidence == FitQuality(texture=0.8)
    followed._quick, followed._refine = quickly(0.5), like(0.5)
    assert followed.track(grey()).notes[-1].startswith("in doubt for 1 of 3 frames")


@pytest.mark.parametrize(("light", "known"), [("gain-bias", "seen"), ("as-is", "neutral"), ("gain", None)])
def test_the_light_of_the_frame_before_is_used_only_where_that_frame_convinced(
    box: Mesh, light: GainModel, known: str | None
) -> None:
    gain = PhotometricGain(np.full(3, 0.7), np.zeros(3))
    confidence = 0.99
    given: list[PhotometricGain | None] = []

    def refine(observation: Observation, start: Pose) -> Attempt:
        return Attempt(answer(start, confidence), gain)

    def quick(observation: Observation, start: Pose, light: PhotometricGain | None) -> Attempt:
        given.append(light)
        return Attempt(answer(start, confidence), gain)

    followed = Tracker(box, TrackingSettings(patience=9), FrameSearches(refine, refine, quick, light=light))
    followed.track(grey(), START)
    followed.track(grey())
    assert given[-1] is {"seen": gain, "neutral": NEUTRAL, None: None}[known]
    confidence = 0.3
    followed.track(grey())
    followed.track(grey())
    assert given[-1] is None


def test_what_is_found_again_starts_at_rest(box: Mesh) -> None:
    near, wide = Script([1.0, 0.0, 1.0]), Script([0.9], shift_m=0.05)
    followed = tracker(box, near, wide)
    followed.track(grey(), START)
    found = followed.track(grey())
    assert found.notes == ("found by the wider search",)
    followed.track(grey())
    assert near.starts[-1].distance_to(found.pose) == 0.0


def test_a_pose_restarts(box: Mesh) -> None:
    near, wide = Script([1.0, 0.0, 1.0]), Script([0.0])
    followed = tracker(box, near, wide)
    followed.track(grey(), START)
    assert followed.track(grey()).status is Status.LOST
    elsewhere = START.retract([0.05, 0, 0, 0, 0, 0])
    result = followed.track(grey(), elsewhere, time_s=0.0)
    assert result.ok and near.starts[-1].distance_to(elsewhere) == 0.0 and not followed.lost


def test_the_mask_tells_where_to_look_for_a_lost_object(box: Mesh) -> None:
    mask = np.zeros((CAMERA.height, CAMERA.width), bool)
    mask[100:140, 220:260] = True
    moved = recentred(START, box, Observation(CAMERA, mask=mask))
    u, v = CAMERA.project(moved.t_m2c)
    assert abs(u - 239.5) < 2.0 and abs(v - 119.5) < 2.0 and moved.t_m2c[2] == START.t_m2c[2]


@pytest.mark.parametrize(
    "name",
    [
        "lost",
        "doubt",
        "found",
        "alike",
        "unlike",
        "patience",
        "retry",
        "memory_s",
        "frame_s",
        "smoothing",
        "reach_m_per_s",
    ],
)
def test_settings_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(DiffDopeError, match=name):
        TrackingSettings(**{name: -1})  # type: ignore[arg-type]


def test_a_preset_without_confidence_cannot_track(box: Mesh) -> None:
    with pytest.raises(DiffDopeError, match=r"preset: expected one whose solver is newton.*preset=\"fast\""):
        Refiner(box, preset="paper").track(grey(), START)


def truth(frame: int) -> Pose:
    s = frame * FRAME_S
    sway = np.array([0.06 * np.sin(3.0 * s), 0.02 * np.sin(4.0 * s), 0.5])
    return Pose(np.eye(3), sway).retract([0, 0, 0, 0.6, 0.4, 0]).retract([0, 0, 0, 0, 1.2 * s, 0.5 * s])


def seen(box: Mesh, frame: int, *, hidden: bool = False) -> Observation:
    card = painted("card", *grid_box(np.array([0.2, 0.2, 0.01]), 4), mottled)
    parts = [(box, truth(frame))]
    if hidden:
        parts.insert(0, (card, Pose(np.eye(3), np.array([0.0, 0.0, 0.35]))))
    made = picture(parts, np.random.default_rng(3), noise=SensorNoise())
    return Observation(CAMERA, rgb=made.rgb, depth=made.depth)


def test_a_moving_object_is_followed_lost_behind_a_card_and_found_again(box: Mesh) -> None:
    refiner = Refiner(box, CAMERA, preset="fast", threads=1)
    hidden = range(8, 11)
    results = [
        refiner.track(seen(box, frame, hidden=frame in hidden), truth(0) if frame == 0 else None) for frame in range(16)
    ]
    for frame, result in enumerate(results):
        error = result.pose.distance_to(truth(frame))
        if frame in hidden:
            assert result.status is Status.LOST, frame
        elif result.ok:
            assert error < 0.003, frame
    assert any(note.startswith("found again") for result in results for note in result.notes)
    assert results[-1].ok


@pytest.mark.parametrize("given", [True, False])
def test_after_a_gap_the_object_is_looked_for_as_far_as_a_hand_carries_it(box: Mesh, given: bool) -> None:
    refiner = Refiner(box, CAMERA, preset="fast", threads=1)
    refiner.track(seen(box, 0), truth(0), time_s=0.0)
    gap = 14  # frames: further than a velocity is remembered, and than the wider search reaches from where it was
    assert truth(gap).distance_to(truth(0)) > 0.5 * box.diameter
    result = refiner.track(seen(box, gap), time_s=gap * FRAME_S if given else 4 * FRAME_S)
    assert result.ok and result.pose.distance_to(truth(gap)) < 0.003


def test_tracking_leaves_refine_as_it_was(box: Mesh) -> None:
    observation, start = seen(box, 0), truth(0).retract([0.002, 0, 0, 0.02, 0, 0])
    alone = Refiner(box, preset="fast", threads=1).refine(observation, start)
    tracking = Refiner(box, preset="fast", threads=1)
    tracking.track(observation, start)
    again = tracking.refine(observation, start)
    assert np.array_equal(alone.pose.t_m2c, again.pose.t_m2c) and alone.cost == again.cost


def test_the_preset_fast_is_one_hypothesis_and_ends_on_the_mesh_itself() -> None:
    search = PRESETS["fast"].search
    assert set(search.near.hypotheses) == {1} and search.near.faces[-1] == 0 and search.fallback_confidence == 0.0


def test_frames_of_one_hypothesis_wait_for_no_reduced_meshes() -> None:
    fast, default = (tracking_presets(PRESETS[name])[0].search.near for name in ("fast", "default"))
    assert set(fast.faces) == {0} and fast.sizes == PRESETS["fast"].search.near.sizes
    assert default == PRESETS["default"].search.near


def masked(box: Mesh, pose: Pose, seed: int = 0) -> Observation:
    return picture([(box, pose)], np.random.default_rng(seed), noise=SensorNoise())


def test_without_a_pose_the_first_frame_is_located(box: Mesh) -> None:
    truth = START.retract([0.01, 0.0, 0.0, 1.1, -0.7, 2.0])
    refiner = Refiner(box, preset="fast")
    for k in range(4):
        pose = truth.retract(k * np.array([0.002, 0.0, 0.0, 0.0, 0.02, 0.0]))
        result = refiner.track(masked(box, pose, k))
        assert result.ok and 1e3 * result.pose.distance_to(pose) < 2.0
        assert np.degrees(result.pose.angle_to(pose)) < 2.0


def test_a_mask_that_fills_a_rectangle_is_left_out_as_a_box_and_not_called_missing(box: Mesh) -> None:
    refiner = Refiner(box, preset="fast", threads=1)
    for frame in range(2):
        alone = seen(box, frame)
        mask = np.zeros((CAMERA.height, CAMERA.width), bool)
        rows, columns = (np.flatnonzero(masked(box, truth(frame), frame).mask.any(axis=k)) for k in (1, 0))
        mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        result = refiner.track(alone.with_mask(mask), truth(0) if frame == 0 else None)
        assert result.ok and "mask" not in result.modalities
        assert "the mask is a box" in result.notes and "mask is off: it was left out" in result.notes
        assert not any("no mask image was given" in note for note in result.notes)


def test_frames_are_lost_until_an_object_that_convinces_has_been_found(box: Mesh) -> None:
    truth = START.retract([0.01, 0.0, 0.0, 1.1, -0.7, 2.0])
    good = masked(box, truth)
    empty = masked(box, truth).with_mask(np.roll(good.mask > 0.5, 60, axis=1))  # type: ignore[operator]
    refiner = Refiner(box, preset="fast")
    first = refiner.track(empty)
    assert first.status is Status.LOST and "not found yet (confidence" in first.message
    second = refiner.track(good.without_mask(), time_s=1.0)
    assert second.status is Status.LOST and "not found yet (no mask)" in second.message
    assert second.confidence is None and second.elapsed_s == 0.0  # nothing of the frame before
    for wrong in (1.0, 0.5, np.nan):
        with pytest.raises(DiffDopeError, match="time_s: expected"):
            refiner.track(good, time_s=wrong)
    third = refiner.track(good)
    assert third.ok and 1e3 * third.pose.distance_to(truth) < 2.0


def test_a_first_frame_without_pose_and_mask_is_refused_with_the_cure(box: Mesh) -> None:
    with pytest.raises(DiffDopeError, match=r"pose: expected a start pose .* or a mask .*; give the pose"):
        Refiner(box, preset="fast").track(grey())


def test_a_lost_object_that_was_turned_round_is_located_in_its_mask(box: Mesh) -> None:
    refiner = Refiner(box, preset="fast")
    before, after = START.retract([0.0, 0.0, 0.0, 1.1, -0.7, 2.0]), START.retract([0.03, 0.01, 0.0, -1.9, 0.8, 0.3])
    refiner.track(masked(box, before), before)
    for _ in range(2):
        result = refiner.track(Observation(CAMERA, rgb=np.zeros((CAMERA.height, CAMERA.width, 3))))
    assert result.status is Status.LOST
    found = [refiner.track(masked(box, after, k)) for k in range(TrackingSettings().retry + 1)]
    assert found[-1].ok and np.degrees(found[-1].pose.angle_to(after)) < 3.0
    assert all(one.status is Status.LOST or one.pose.angle_to(after) < 0.1 for one in found)


def test_a_photograph_alone_is_enough_for_a_mesh_that_knows_no_colours(box: Mesh) -> None:
    plain = Mesh(box.vertices_m, box.faces)
    for mesh in (plain, Mesh(box.vertices_m, box.faces, colors=np.full((len(box.vertices_m), 3), 0.4))):
        refiner = Refiner(mesh, CAMERA, preset="fast", threads=1)
        for frame in range(12):
            made = seen(box, frame)
            assert made.rgb is not None
            result = refiner.track(Observation(CAMERA, rgb=made.rgb), truth(0) if frame == 0 else None)
            assert result.ok, result.message
            assert result.pose.distance_to(truth(frame)) < 0.06 * box.diameter, frame
        assert np.degrees(result.pose.angle_to(truth(11))) < 3.0


def test_colours_are_learned_only_where_the_mesh_knows_none(box: Mesh) -> None:
    for mesh, learns in ((box, False), (Mesh(box.vertices_m, box.faces), True)):
        refiner = Refiner(mesh, CAMERA, preset="fast", threads=1)
        for frame in range(2):
            result = refiner.track(seen(box, frame), truth(0) if frame == 0 else None)
        assert result.evidence is not None and (result.evidence.learned is not None) == learns


@pytest.mark.parametrize("preset", ["fast", "default"])
def test_what_contradicts_the_first_frame_holds_for_those_that_are_followed(preset: str) -> None:
    mesh, seen, start, truth = packaged_example()
    assert seen.depth is not None
    farther = Observation(seen.camera, rgb=seen.rgb, depth=1.05 * seen.depth, mask=seen.mask)
    refiner = Refiner(mesh, preset=preset)
    results = [refiner.track(farther, start), *(refiner.track(farther) for _ in range(4))]
    for result in results:
        assert result.pose.distance_to(truth) > 0.01  # it gave way to depth
        assert result.confidence is not None and result.confidence < 0.3
        assert sum(note.startswith("contradiction: depth") for note in result.notes) == 1
    right = refiner.track(seen, start)
    assert right.confidence is not None and right.confidence > 0.9
    assert not any(note.startswith("contradiction") for note in refiner.track(seen).notes)


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_units_of_depth_are_told_in_all_frames_of_a_film(factor: float) -> None:
    mesh, seen, start, _ = packaged_example()
    assert seen.depth is not None
    other = Observation(seen.camera, rgb=seen.rgb, depth=factor * seen.depth, mask=seen.mask)
    for preset in ("fast", "default"):
        refiner = Refiner(mesh, preset=preset)
        for result in (refiner.track(other, start), *(refiner.track(other) for _ in range(6))):
            assert (result.confidence or 0.0) < 0.3
            assert sum("is depth_scale 10 times too" in note for note in result.notes) == 1


def test_a_contradiction_holds_until_few_of_the_frames_have_shown_it() -> None:
    told = replace(answer(START, 0.9), notes=(Note(NoteCode.DEPTH_SCALE, "contradiction: depth and outline ..."),))
    film = InputDoubts(packaged_example().mesh)
    assert film.looked_at(told, grey(), START) is told
    film.looked_at(answer(START, 1.0), grey(), START)
    after = film.looked_at(answer(START, 1.0), grey(), START)
    assert after.confidence == pytest.approx(CONTRADICTED) and after.notes == told.notes
    assert film.looked_at(answer(START, 1.0), grey(), START).confidence == 1.0
    assert film.followed(answer(START, 1.0)).notes == ()


def test_what_makes_a_frame_less_sure_holds_for_those_that_follow_it() -> None:
    """Depth 5 % too near: the frame that began the film was told, 0.84, and those after it were sure and wrong."""
    told = replace(
        answer(START, 0.8), notes=(Note(NoteCode.DEPTH_SCALE_UNSURE, "scale: depth and the other images ..."),)
    )
    film = InputDoubts(packaged_example().mesh)
    assert film.looked_at(told, grey(), START) is told
    after = film.followed(answer(START, 1.0))
    assert after.confidence == 0.8 and after.notes == told.notes
    assert film.followed(answer(START, 0.6)).confidence == 0.6
    for _ in range(3):
        film.looked_at(answer(START, 1.0), grey(), START)
    assert film.followed(answer(START, 1.0)).confidence == 1.0


def test_a_lost_object_is_not_believed_at_another_scale() -> None:
    film = InputDoubts(packaged_example().mesh)
    far = answer(Pose(np.eye(3), np.array([0.0, 0.0, 5.0])), 1.0)
    doubted = film.at_scale(far, grey(), START)
    assert doubted.confidence == pytest.approx(CONTRADICTED)
    assert "5000 mm away and was 500" in doubted.notes[0]
    assert film.at_scale(answer(START, 1.0), grey(), START).notes == ()
