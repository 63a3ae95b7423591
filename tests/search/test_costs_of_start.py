"""What a film's frame cost where it began: read from its first round of steps, not drawn again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diffdope.experiments.shapes import mottled, painted, tube
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.search import ending


def test_a_photograph_that_was_followed_in_rounds_costs_as_much_as_if_it_were_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[Any, dict[str, Any]]] = []
    costs_of = ending.costs_of
    monkeypatch.setattr(ending, "costs_of", lambda *given, **how: asked.append((given, how)) or costs_of(*given, **how))
    can = painted("can", *tube(48, 12, 0.035, 0.1), lambda x: 0.55 + 0.4 * (mottled(x) - 0.5))
    refiner = Refiner(can, preset="fast", threads=1)
    for frame in range(3):
        pose = Pose(so3.exp(np.array([1.9, 0.25, 0.02 * frame])), np.array([0.01, 0.001 * frame, 0.5]))
        seen = picture([(can, pose)], np.random.default_rng(frame), noise=SensorNoise())
        asked.clear()
        refiner.track(Observation(CAMERA, rgb=seen.rgb), pose if frame == 0 else None)
    ((found, *others), how) = asked[-1]
    assert found.ended.begun is not None and found.ended.quadratics
    (costs, each) = costs_of(found, *others, **how)
    alone = replace(found, ended=replace(found.ended, begun=None))
    drawn_costs, drawn_each = costs_of(alone, *others, **how)
    assert np.allclose(costs, drawn_costs, rtol=1e-9) and np.allclose(each, drawn_each, rtol=1e-9)
    assert costs[0] > costs[1]
