"""A film of a box whose faces are lit differently: one light for all of them does not hold it."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.observation import Observation
from tests.oracle.painted_box import VERTICES_M, box, box_lit

FRAMES = 16
LIGHT = np.array([0.25, 0.25, 0.55, 0.55, 1.0, 1.0])  # of the six faces


def truth(frame: int) -> Pose:
    s = frame / 30.0
    sway = Pose(np.eye(3), np.array([0.03 * np.sin(5.0 * s), 0.02 * np.sin(7.0 * s), 0.5]))
    return sway.retract([0, 0, 0, 2.4, 0.5, 0.3]).retract([0, 0, 0, 0, 0.8 * s, 0.6 * s])


def test_edges_keep_its_flat_faces_from_sliding_along_themselves() -> None:
    lit, refiner = box_lit(LIGHT), Refiner(box(), preset="fast", threads=1)
    start, off_mm = truth(0).retract([0.002, 0.001, 0.0, 0.01, 0.0, 0.0]), []
    for frame in range(FRAMES):
        seen = picture([(lit, truth(frame))], np.random.default_rng(3), noise=SensorNoise())
        observation = Observation(CAMERA, rgb=seen.rgb, depth=seen.depth)
        pose = refiner.track(observation, start if frame == 0 else None).pose
        away = np.linalg.norm(pose.apply(VERTICES_M) - truth(frame).apply(VERTICES_M), axis=1)
        off_mm.append(1e3 * float(away.mean()))
    assert max(off_mm) < 1.5  # 1 % of the diameter; without edges, it was 2.6
