"""Photographs alone, begun far from where the object is: keypoints propose poses where the near search is lost."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.bop.metrics import add
from diffdope.experiments.synthetic import picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.search import stages
from diffdope.search.features import feature_search
from diffdope.search.features.feature_poses import feature_poses_around
from tests.pipelines.test_locate_in_photograph import MESH, TRUTHS

AXES = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.6, 0.0, 0.8]])


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    pytest.importorskip("cv2")
    return Refiner(MESH)


def photographed(truth: Pose, *, depth: bool = False, seed: int = 0) -> Observation:
    seen = picture([(MESH, truth)], np.random.default_rng(seed))
    return Observation(seen.camera, rgb=seen.rgb, depth=seen.depth if depth else None)


def turned(truth: Pose, number: int, angle_deg: float, far_m: float) -> Pose:
    R = so3.exp(np.radians(angle_deg) * AXES[number]) @ truth.R_m2c
    return Pose(R, truth.t_m2c + far_m * np.roll(AXES[number], 1))


def unasked(*_: object, **__: object) -> None:
    raise AssertionError("keypoints were looked for")


@pytest.mark.parametrize("number", range(len(TRUTHS)))
def test_a_painted_object_is_found_from_forty_degrees_by_keypoints(refiner: Refiner, number: int) -> None:
    truth = TRUTHS[number]
    result = refiner.refine(photographed(truth), turned(truth, number, 40.0, 0.016))
    assert result.ok and 1e3 * add(result.pose, truth, MESH.vertices_m) < 5.0
    assert result.evidence is not None and result.evidence.matched is not None and result.evidence.matched > 10


def test_only_poses_within_reach_of_the_start_are_proposed(refiner: Refiner) -> None:
    given = refiner._meshes, photographed(TRUTHS[0])
    features = refiner.preset.search.features
    near = turned(TRUTHS[0], 0, 20.0, 0.01)
    found = feature_poses_around(*given, near, features, angle_rad=np.radians(45.0), distance_m=0.03)
    assert found and min(1e3 * add(Pose(one.R, one.t), TRUTHS[0], MESH.vertices_m) for one in found) < 10.0
    assert all(Pose(one.R, one.t).angle_to(near) < np.radians(45.0) for one in found)
    assert all(np.linalg.norm(one.t - near.t_m2c) < 0.03 for one in found)
    assert not feature_poses_around(*given, near, features, angle_rad=np.radians(10.0), distance_m=0.03)
    assert not feature_poses_around(*given, near, features, angle_rad=np.radians(45.0), distance_m=0.005)


def test_keypoints_are_left_out_where_the_near_search_convinces_or_there_is_more_to_go_by(
    refiner: Refiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_search, "feature_poses_around", unasked)
    refiner.refine(photographed(TRUTHS[0]), turned(TRUTHS[0], 0, 3.0, 0.002))
    far = turned(TRUTHS[0], 0, 40.0, 0.016)
    refiner.refine(photographed(TRUTHS[0], depth=True), far)
    Refiner(MESH, preset="fast").refine(photographed(TRUTHS[0]), far)
    Refiner(MESH).track(photographed(TRUTHS[0]), far)
    with pytest.raises(AssertionError, match="keypoints"):
        refiner.refine(photographed(TRUTHS[0]), far)


def test_without_opencv_the_far_search_is_the_one_around_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_search, "feature_poses_around", unasked)
    monkeypatch.setattr(stages, "tells_by_pattern", lambda *_: False)
    result = Refiner(MESH).refine(photographed(TRUTHS[0]), turned(TRUTHS[0], 0, 40.0, 0.016))
    assert result.evidence is not None and result.evidence.matched is None
