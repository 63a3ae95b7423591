"""Which motions of an object depth sees."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.shapes import grid_box
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.checks.depth_observability import DepthObservability


def test_depth_sees_every_motion_of_a_box_from_its_corner_but_not_from_its_front() -> None:
    mesh = Mesh(*grid_box(np.array([0.12, 0.08, 0.06]), 4))
    front = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
    corner = front.retract([0, 0, 0, 0.6, 0.6, 0.0])
    for pose, held in ((front, False), (corner, True)):
        seen = picture([(mesh, pose)], np.random.default_rng(0), noise=SensorNoise())
        observation = Observation(CAMERA, depth=seen.depth)
        assert DepthObservability.of(mesh).all_of_them(observation, pose, 0.1) is held
