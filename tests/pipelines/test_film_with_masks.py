"""Films of photographs whose masks are too wide in one frame and too narrow in the next."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.scene.signed_distance import signed_distance
from tests.oracle.painted_box import box, swaying

OFF_PX = (2.5, -2.5, 3.0, 0.0, -2.0, 2.5, -3.0, 2.0)
BOX = box()


def test_the_distance_does_not_follow_the_masks() -> None:
    refiner = Refiner(BOX, preset="fast", threads=1)
    off_mm = []
    for frame, off_px in enumerate(OFF_PX):
        seen = picture([(BOX, swaying(frame))], np.random.default_rng(frame), noise=SensorNoise())
        assert seen.mask is not None
        mask = signed_distance(seen.mask > 0.5) < off_px
        pose = refiner.track(Observation(CAMERA, rgb=seen.rgb, mask=mask), swaying(0) if frame == 0 else None).pose
        off_mm.append(1e3 * float(pose.t_m2c[2] - swaying(frame).t_m2c[2]))
    assert max(np.abs(off_mm)) < 10.0  # before, it followed them by up to 22
