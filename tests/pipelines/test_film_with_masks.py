"""Films of photographs whose masks are too wide in one frame and too narrow in the next."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from diffdope.scene.signed_distance import signed_distance

OFF_PX = (2.5, -2.5, 3.0, 0.0, -2.0, 2.5, -3.0, 2.0)
BOX = painted("box", *grid_box(np.array([0.12, 0.08, 0.04]), 12), lambda x: 0.55 + 0.6 * (mottled(x) - 0.5))


def truth(frame: int) -> Pose:
    s = frame / 30.0
    at = np.array([0.02 * np.sin(5.0 * s), 0.01 * np.sin(7.0 * s), 0.6 + 0.04 * np.sin(6.0 * s)])
    return Pose(np.eye(3), at).retract([0, 0, 0, 2.4, 0.5, 0.3]).retract([0, 0, 0, 0, 0.8 * s, 0.6 * s])


def test_the_distance_does_not_follow_the_masks() -> None:
    refiner = Refiner(BOX, preset="fast", threads=1)
    off_mm = []
    for frame, off_px in enumerate(OFF_PX):
        seen = picture([(BOX, truth(frame))], np.random.default_rng(frame), noise=SensorNoise())
        assert seen.mask is not None
        mask = signed_distance(seen.mask > 0.5) < off_px
        pose = refiner.track(Observation(CAMERA, rgb=seen.rgb, mask=mask), truth(0) if frame == 0 else None).pose
        off_mm.append(1e3 * float(pose.t_m2c[2] - truth(frame).t_m2c[2]))
    assert max(np.abs(off_mm)) < 10.0  # before, it followed them by up to 22
