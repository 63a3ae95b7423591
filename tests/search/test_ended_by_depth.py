"""In depth alone, a box does not slide along its face over what is seen behind it."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.checks.depth_steps import stepped

CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
BOX = Mesh(*grid_box(np.array([0.1, 0.07, 0.04]), 2))
BEHIND_M = 0.8


def seen(truth: Pose) -> Observation:
    """Depth of the box before a wall, with noise of a millimetre."""
    images = Renderer(BOX, CAMERA).render(truth.R_m2c, truth.t_m2c)
    depth = np.where(images.coverage[0] > 0.5, images.depth[0], BEHIND_M)
    noise = 0.001 * np.random.default_rng(0).normal(size=depth.shape)
    return Observation(CAMERA, depth=(depth + noise).astype(np.float32))


@pytest.mark.parametrize("turn", [[0.1, 0.15, 0.2], [0.3, 0.1, 0.2]])
def test_a_box_that_begins_beside_its_place_ends_there(turn: list[float]) -> None:
    truth = Pose(so3.exp(np.array(turn)), np.array([0.01, -0.01, 0.5]))
    start = Pose(truth.R_m2c, truth.t_m2c + truth.R_m2c @ np.array([0.015, 0.0045, 0.0]))
    result = Refiner(BOX, threads=1).refine(seen(truth), start)
    assert result.pose.distance_to(truth) < 0.001  # 6 mm where it slid along its face
    assert result.ok and (result.confidence or 0.0) > 0.9
    assert result.modalities == ("depth",)


def test_a_picture_of_depth_is_grey_around_the_object_and_white_where_nothing_is_measured() -> None:
    depth = np.array([[0.4, 0.5, 0.6, 0.0, 5.0, 0.1]], np.float32)
    grey = stepped(Observation(Camera(300.0, 300.0, 2.5, 0.0, 6, 1), depth=depth), Pose(np.eye(3), [0, 0, 0.5]), 0.2)
    assert grey.rgb is not None
    np.testing.assert_allclose(grey.rgb[0, :, 0], [0.25, 0.5, 0.75, 1.0, 1.0, 0.0], atol=1e-6)
