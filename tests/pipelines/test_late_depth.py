"""Films whose depth is of the frame before its photograph: drawn, and by rules."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from diffdope.estimate.tolerance import displacement_form
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.tracking.depth_lag import DepthLag
from diffdope.scene.observation import Observation
from diffdope.terms.photometric_gain import PhotometricGain
from tests.oracle.painted_box import box
from tests.pipelines.test_tracker import START, answer

BOX = box()
FRAME_S, FRAMES, STEP_M = 1.0 / 30.0, 8, 0.01
TOLERANCE_M = 0.03 * BOX.diameter


def passing(frame: float) -> Pose:
    """A hand carries it by 0.3 m/s, and turns it by 2 degrees a frame."""
    at = Pose(np.eye(3), np.array([STEP_M * frame - 0.04, 0.002 * frame, 0.5]))
    return at.retract([0, 0, 0, 2.4, 0.5, 0.3]).retract([0, 0, 0, 0, 0, 0.035 * frame])


def drawn(frame: int) -> Observation:
    return picture([(BOX, passing(frame))], np.random.default_rng(max(frame, 0)), noise=SensorNoise())


@pytest.mark.parametrize("late", [0, 1])
@pytest.mark.parametrize("masked", [True, False])
def test_a_film_whose_depth_is_a_frame_late_is_not_sure_where_the_object_moves(late: int, masked: bool) -> None:
    refiner = Refiner(BOX, preset="fast", threads=1)
    off, sure, told = [], [], []
    for frame in range(FRAMES):
        seen = drawn(frame)
        given = Observation(
            CAMERA, rgb=seen.rgb, depth=drawn(max(frame - late, 0)).depth, mask=seen.mask if masked else None
        )
        result = refiner.track(given, passing(0) if frame == 0 else None)
        off.append(result.pose.distance_to(passing(frame)) / BOX.diameter)
        sure.append(result.confidence or 0.0)
        told.append(NoteCode.DEPTH_LATE in result.note_codes)
    if late:
        assert max(off) > 0.02 and all(told[4:]) and max(sure[4:]) < 0.5, (off, sure, told)
    else:
        assert max(off) < 0.01 and not any(told) and min(sure) > 0.8, (off, sure, told)


def blank(frame: int) -> Observation:
    """Its pixels are the frame's number."""
    depth = np.full((CAMERA.height, CAMERA.width), 1.0 + frame)
    return Observation(CAMERA, rgb=np.repeat(depth[..., None] / 100.0, 3, axis=2), depth=depth)


def lags(frames_late: float, *, apart_m: float = 0.0, sure: float = 0.9) -> DepthLag:
    """Where depth is where the object was so many frames before, and the photograph right."""
    random = np.random.default_rng(0)

    def follow(observation: Observation, pose: Pose, gain: PhotometricGain | None) -> Attempt:
        if observation.depth is not None:
            right = passing(observation.depth[0, 0] - 1.0 - frames_late)
        else:
            assert observation.rgb is not None
            right = passing(100.0 * observation.rgb[0, 0, 0] - 1.0)
        away_m = apart_m * random.normal(size=3)
        return Attempt(answer(Pose(right.R_m2c, right.t_m2c + away_m), sure), gain)

    return DepthLag(follow, displacement_form(BOX), BOX.diameter, TOLERANCE_M)


def weighed(lag: DepthLag, frame: int, at: float) -> RefinementResult:
    return lag.weighed(answer(passing(at), 0.95), blank(frame), frame * FRAME_S, None)


def after(lag: DepthLag, count: int = 6) -> float:
    return [weighed(lag, frame, frame).confidence or 0.0 for frame in range(count)][-1]


@pytest.mark.parametrize("frames_late", [1.0, 0.5, -1.0])
def test_the_time_between_both_is_found(frames_late: float) -> None:
    lag = lags(frames_late)
    sure = after(lag)
    assert lag.lag_s == pytest.approx(frames_late * FRAME_S, rel=0.05)
    assert sure < (0.4 if abs(frames_late) == 1.0 else 0.8)


def test_what_scatters_is_no_lag_and_what_is_hardly_sure_does_not_count() -> None:
    for lag in (lags(0.1), lags(0.0, apart_m=0.01), lags(1.0, apart_m=0.01, sure=0.01)):
        assert after(lag) == 0.95 and lag.lag_s == 0.0


def test_what_is_at_rest_is_as_sure_as_before_and_a_new_film_knows_nothing() -> None:
    lag = lags(1.0)
    after(lag)
    rested = [weighed(lag, frame, 6.0) for frame in (6, 7, 8)][-1]
    assert rested.confidence == pytest.approx(0.95, abs=0.01) and rested.note_codes == (NoteCode.DEPTH_LATE,)
    lag.clear()
    assert weighed(lag, 0, 0.0).confidence == 0.95 and weighed(lag, 1, 1.0).notes == ()


def test_lost_frames_and_frames_of_one_image_are_left_as_they_are() -> None:
    lag = lags(1.0)
    after(lag)
    lost = answer(START, 0.0, status=Status.LOST)
    assert lag.weighed(lost, blank(7), 1.0, None) is lost
    result = answer(START, 0.9)
    assert lag.weighed(result, blank(8).without_depth(), 1.1, None) is result


def test_a_refiner_that_has_looked_for_it_can_be_pickled() -> None:
    refiner = Refiner(BOX, preset="fast", threads=1)
    refiner.track(drawn(0), passing(0))
    assert pickle.loads(pickle.dumps(refiner)).mesh.diameter == BOX.diameter
