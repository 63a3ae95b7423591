"""A film of photographs alone: the distance of an object that comes and goes is followed."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation

FRAMES = 12
LIGHT = np.array([0.45, 0.45, 0.7, 0.7, 1.0, 1.0])  # of the six faces
VERTICES_M, FACES = grid_box(np.array([0.12, 0.08, 0.04]), 12)


def colours(vertices_m: np.ndarray) -> np.ndarray:
    return 0.55 + 0.6 * (mottled(vertices_m) - 0.5)


def truth(frame: int) -> Pose:
    s = frame / 30.0
    at = np.array([0.02 * np.sin(5.0 * s), 0.01 * np.sin(7.0 * s), 0.6 + 0.04 * np.sin(6.0 * s)])
    return Pose(np.eye(3), at).retract([0, 0, 0, 2.4, 0.5, 0.3]).retract([0, 0, 0, 0, 0.8 * s, 0.6 * s])


def test_it_does_not_lag_behind_along_the_view() -> None:
    lit = painted("lit", VERTICES_M, FACES, lambda x: colours(x) * np.repeat(LIGHT, len(x) // 6)[:, None])
    refiner = Refiner(painted("box", VERTICES_M, FACES, colours), preset="fast", threads=1)
    off_mm = []
    for frame in range(FRAMES):
        seen = picture([(lit, truth(frame))], np.random.default_rng(3), noise=SensorNoise())
        pose = refiner.track(Observation(CAMERA, rgb=seen.rgb), truth(0) if frame == 0 else None).pose
        off_mm.append(1e3 * float(pose.t_m2c[2] - truth(frame).t_m2c[2]))
    # The first picture alone is 10 mm off. With few steps a frame, that grew to 40.
    assert max(np.abs(off_mm[3:])) < 6.0
