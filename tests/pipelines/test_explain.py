"""Why a result failed is looked for, or not; the result is the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import diffdope as dd
from diffdope.pipelines.diagnosis import failure_reasons
from diffdope.scene.packaged import packaged_example

EXAMPLE = packaged_example()


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often other kinds of input were tried."""
    tried: Counter[str] = Counter()
    for name in ("mirror_image", "of_other_kinds"):
        plain = getattr(failure_reasons, name)

        def counted(*given, plain=plain, name=name, **how):
            tried[name] += 1
            return plain(*given, **how)

        monkeypatch.setattr(failure_reasons, name, counted)
    return tried


def test_without_reasons_pose_and_confidence_are_the_same(searched: Counter[str]) -> None:
    mask = np.zeros((EXAMPLE.observation.camera.height, EXAMPLE.observation.camera.width), bool)
    mask[20:120, 20:120] = True  # of something else
    observation = EXAMPLE.observation.with_mask(mask)
    ray = observation.camera.back_project(np.full(mask.shape, EXAMPLE.truth.t_m2c[2]))[70, 70]
    start = dd.Pose(EXAMPLE.truth.R_m2c, ray)
    silent = dd.Refiner(EXAMPLE.mesh, preset="fast", explain=False).refine(observation, start)
    assert not silent.ok and not searched
    told = dd.Refiner(EXAMPLE.mesh, preset="fast").refine(observation, start)
    assert searched["mirror_image"] == 1
    assert np.array_equal(told.pose.matrix, silent.pose.matrix)
    assert (told.status, told.confidence, told.cost) == (silent.status, silent.confidence, silent.cost)
