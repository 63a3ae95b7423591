"""A film of photographs alone: the distance of an object that comes and goes is followed."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from tests.oracle.painted_box import box, box_lit, swaying

FRAMES = 12
LIGHT = np.array([0.45, 0.45, 0.7, 0.7, 1.0, 1.0])  # of the six faces


def test_it_does_not_lag_behind_along_the_view() -> None:
    lit, refiner = box_lit(LIGHT), Refiner(box(), preset="fast", threads=1)
    off_mm = []
    for frame in range(FRAMES):
        seen = picture([(lit, swaying(frame))], np.random.default_rng(3), noise=SensorNoise())
        pose = refiner.track(Observation(CAMERA, rgb=seen.rgb), swaying(0) if frame == 0 else None).pose
        off_mm.append(1e3 * float(pose.t_m2c[2] - swaying(frame).t_m2c[2]))
    # The first picture alone is 10 mm off. With few steps a frame, that grew to 40.
    assert max(np.abs(off_mm[3:])) < 6.0
