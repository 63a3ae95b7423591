"""Depth without a mask: what stands out of an object is not turned away behind what is measured."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box, tube
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
TILT = so3.exp(np.array([-1.9, 0.0, 0.0]))
AXIS = np.array([0.0, 0.0, 1.0])


def cup() -> Mesh:
    """A closed cylinder about z with a tab at its side."""
    (body, shell), (tab, sides) = tube(48, 2, 0.035, 0.1), grid_box(np.array([0.05, 0.02, 0.02]), 1)
    return Mesh(np.concatenate([body, tab + np.array([0.055, 0.0, 0.02])]), np.concatenate([shell, sides + len(body)]))


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(cup(), threads=1)


def turned(degrees: float) -> Pose:
    return Pose(TILT @ so3.exp(np.radians(degrees) * AXIS), np.array([0.0, 0.0, 0.5]))


def seen(truth: Pose) -> Observation:
    """Depth of the cup before a wall, with noise of a millimetre; a block stands before what is right of it."""
    images = Renderer(cup(), CAMERA).render(truth.R_m2c, truth.t_m2c)
    depth = np.where(images.coverage[0] > 0.5, images.depth[0], 0.8)
    depth[60:200, 182:240] = np.minimum(depth[60:200, 182:240], 0.44)
    noise = 0.001 * np.random.default_rng(0).normal(size=depth.shape)
    return Observation(CAMERA, depth=(depth + noise).astype(np.float32))


@pytest.mark.parametrize(("truth_deg", "off_deg"), [(90.0, -40.0), (90.0, 60.0), (45.0, -40.0), (45.0, 0.0)])
def test_a_tab_is_not_turned_behind_a_block_where_it_is_measured(
    refiner: Refiner, truth_deg: float, off_deg: float
) -> None:
    truth = turned(truth_deg)
    result = refiner.refine(seen(truth), turned(truth_deg + off_deg))
    assert result.pose.angle_to(truth) < np.radians(4.0)  # 40 to 60 degrees off, one of them at 0.9
    assert result.ok and (result.confidence or 0.0) > 0.8


def test_a_tab_that_is_hidden_stays_where_it_may_be(refiner: Refiner) -> None:
    truth = turned(0.0)  # behind the block
    result = refiner.refine(seen(truth), turned(10.0))
    assert result.pose.angle_to(truth) < np.radians(30.0)
    assert (result.confidence or 0.0) < 0.5  # no image tells the turn
