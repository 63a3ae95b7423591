"""A plain smooth object leaves the picture, and comes back turned: scripted, and drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.estimate.fit_quality import FitQuality
from diffdope.experiments.shapes import grid_box, icosphere, painted, plain
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.settings import PRESETS, TrackingSettings
from diffdope.pipelines.tracking.competing_poses import CompetingPoses
from diffdope.pipelines.tracking.tracker import Tracker
from diffdope.pipelines.tracking.tracker_parts import FrameSearches
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from tests.pipelines.test_tracker import START, answer, grey

GONE, BACK, FRAMES = 4, 8, 16


@pytest.fixture(scope="module")
def body() -> Mesh:
    """An egg with two knobs, without colours."""
    outwards, faces = icosphere(4, 1.0)
    knobs = 0.45 * np.exp(6.0 * (outwards @ [0.6, 0.0, 0.8] - 1.0))
    knobs += 0.25 * np.exp(8.0 * (outwards @ [-0.9, 0.1, 0.42] - 1.0))
    radius_m = 0.045 * (1.0 + knobs + 0.1 * outwards[:, 0] * outwards[:, 1])
    return Mesh(outwards * radius_m[:, None] * [1.0, 0.8, 0.9], faces, name="egg")


class Basins:
    """A search of which each start ends in one of two poses half a turn apart, with these confidences."""

    def __init__(self, mesh: Mesh, right: float, wrong: float) -> None:
        self.meshes, self.right, self.wrong = MeshLevels(mesh), right, wrong
        self.other = START.retract([0, 0, 0, 0.9, 0, 0])

    def attempt(self, preset: object, observation: Observation, start: Pose) -> Attempt:
        near = start.angle_to(START) < start.angle_to(self.other)
        return Attempt(answer(START, self.right) if near else answer(self.other, self.wrong), None)


def weighed(body: Mesh, right: float, wrong: float) -> RefinementResult:
    basins = Basins(body, right, wrong)
    rivals = CompetingPoses(basins, PRESETS["fast"])  # type: ignore[arg-type]
    return rivals.weighed(Attempt(answer(basins.other, wrong), None), grey(), START).result


def test_a_surer_pose_near_by_takes_the_place_of_the_one_that_was_found(body: Mesh) -> None:
    found = weighed(body, 0.99, 0.8)
    assert found.pose.angle_to(START) == 0.0 and found.confidence is not None
    assert np.isclose(found.confidence, 99.0 / (1.0 + 99.0 + 4.0))


def test_of_two_that_are_as_sure_none_is(body: Mesh) -> None:
    assert weighed(body, 0.9, 0.88).confidence == 0.0


def test_what_a_wider_search_was_surer_of_counts_unless_colours_were_learned(body: Mesh) -> None:
    basins = Basins(body, 0.5, 0.3)  # from a start close by, with few steps
    rivals = CompetingPoses(basins, PRESETS["fast"])  # type: ignore[arg-type]
    found = answer(basins.other, 0.99)
    kept = rivals.weighed(Attempt(found, None), grey(), START).result
    assert kept.pose.angle_to(basins.other) == 0.0 and (kept.confidence or 0.0) > 0.9
    learned = replace(found, evidence=FitQuality(learned=0.9))
    again = rivals.weighed(Attempt(learned, None), grey(), START).result
    assert again.pose.angle_to(START) == 0.0 and (again.confidence or 0.0) <= 0.5


def drawn(body: Mesh, frame: int) -> Observation:
    there = frame < GONE or frame >= BACK
    other = painted("other", *grid_box(np.array([0.02, 0.02, 0.02]), 2), plain)
    part = (body, moved(frame)) if there else (other, Pose(np.eye(3), np.array([-0.1, 0.0, 0.6])))
    return picture([part], np.random.default_rng(frame), noise=SensorNoise()).without_mask()


def moved(frame: int) -> Pose:
    """To the right and back; it turns by 66 degrees while it is away."""
    turn = 0.02 * frame + (1.1 if frame >= BACK else 0.0)
    x = 0.02 + 0.02 * (frame if frame < BACK else (FRAMES - frame) / 4)
    start = Pose(np.eye(3), np.array([x, 0.01, 0.45])).retract([0, 0, 0, 0.3, 0.4, 0])
    return start.retract([0, 0, 0, turn, 0.3 * turn, 0])


def test_what_comes_back_turned_is_lost_or_right(body: Mesh) -> None:
    refiner = Refiner(body, CAMERA, preset="fast", threads=1)
    results = [refiner.track(drawn(body, k), moved(0) if k == 0 else None) for k in range(FRAMES)]
    assert all(one.status is Status.LOST for one in results[GONE:BACK])
    errors = [one.pose.angle_to(moved(k)) for k, one in enumerate(results)]
    for one, error in zip(results[BACK:], errors[BACK:], strict=True):
        assert one.status is Status.LOST or (one.confidence or 0.0) < 0.5 or error < np.radians(10.0)
    assert results[-1].ok and errors[-1] < np.radians(5.0)


def test_nothing_is_learned_until_it_has_been_followed_for_some_frames(body: Mesh) -> None:
    def seen(confidence: float, depth: float) -> RefinementResult:
        quality = FitQuality(depth_inliers=depth)
        return replace(answer(START, confidence), evidence=quality)

    script = [seen(0.9, 1.0), seen(0.0, 1.0), *[seen(0.9, 0.8)] * 5]
    wide = seen(0.9, 0.8)
    tracker = Tracker(
        body,
        TrackingSettings(),
        FrameSearches(lambda observation, start: Attempt(script.pop(0), None), lambda *_: Attempt(wide, None)),
    )
    usual = []
    for k in range(7):
        tracker.track(grey(), START if k == 0 else None)
        usual.append(tracker._usual._shares["depth without a mask"])
    assert usual[0] == usual[3] == 1.0 and usual[4] < 1.0
