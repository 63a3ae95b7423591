"""What is refined again because others hide it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.joint.each_view import ObjectQuery
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.search.drawn import depth_of_others, drawing_of
from tests.joint.conftest import CAMERA, Drawn

RING = 1  # partly behind the box in the first view


@pytest.fixture
def box_in_front(photographed: Drawn, refiner: SceneRefiner) -> NDArray[np.float32]:
    drawings = [
        drawing_of(one.meshes, one.frame.enter(pose), CAMERA)
        for one, pose in zip(refiner.refiners, photographed.truth, strict=True)
    ]
    others = depth_of_others(drawings, RING, CAMERA)
    assert others is not None
    return others


def off(pose: Pose) -> Pose:
    return pose.retract(np.array([0.002, -0.001, 0.0, 0.0, 0.0, 0.05]))


def test_a_pose_stays_where_knowing_others_finds_none_that_fits_better(
    photographed: Drawn, refiner: SceneRefiner, box_in_front: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    observation = photographed.views[0].observation.with_mask(photographed.masks[0, RING])
    query = ObjectQuery(refiner.refiners[RING], observation, photographed.truth[RING])
    good = query.first()
    bad = replace(good, pose=off(good.pose))

    def again(found: RefinementResult, before: RefinementResult) -> RefinementResult:
        with monkeypatch.context() as patch:
            patch.setattr(Refiner, "refine", lambda *_, **__: found)
            return query.again(before, box_in_front)

    assert again(bad, before=good).pose is good.pose
    assert again(good, before=bad).pose is good.pose
    kept = again(bad, before=good)
    assert kept.evidence is not None and kept.evidence.visible < 0.95  # of what the box is known to hide
