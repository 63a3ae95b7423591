"""A handle that is hidden does not tell the turn of a cup, and one that is seen does."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

CAMERA = Camera(600.0, 600.0, 159.5, 119.5, 320, 240)
_UPRIGHT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # the axis up, its front towards the camera


def cup() -> Mesh:
    """A can of 60 mm, 100 mm high, with a grip at 0 degrees."""
    can = trimesh.creation.cylinder(0.03, 0.1, sections=48).subdivide()
    grip = trimesh.creation.box([0.018, 0.006, 0.045])
    grip.apply_translation([0.038, 0.0, 0.0])
    both = trimesh.util.concatenate([can, grip])
    return Mesh(np.asarray(both.vertices), np.asarray(both.faces))


def with_grip_at(degrees: float) -> Pose:
    turn = so3.exp(np.radians([0.0, 0.0, degrees]))
    return Pose(_UPRIGHT @ turn, np.array([0.01, -0.005, 0.5]))


def seen(mesh: Mesh, pose: Pose) -> Observation:
    """Depth with noise, and the mask."""
    images = Renderer(mesh, CAMERA).render(pose.R_m2c, pose.t_m2c)
    mask = images.coverage[0] > 0.5
    noise = 0.0005 * np.random.default_rng(1).normal(size=mask.shape)
    return Observation(CAMERA, depth=(np.where(mask, images.depth[0], 0.9) + noise).astype(np.float32), mask=mask)


@pytest.mark.parametrize("preset", ["default", "fast"])
@pytest.mark.parametrize("degrees, hidden", [(90.0, True), (180.0, False)])
def test_a_turn_is_as_sure_as_the_handle_is_seen(degrees: float, hidden: bool, preset: str) -> None:
    """Eight degrees beside the truth nothing looks different where the grip is behind the cup."""
    mesh, truth = cup(), with_grip_at(degrees)
    result = Refiner(mesh, preset=PRESETS[preset], threads=1).refine(seen(mesh, truth), with_grip_at(degrees + 8.0))
    assert result.confidence is not None
    assert (result.confidence < 0.5) == hidden
    if not hidden:
        assert result.pose.angle_to(truth) < np.radians(3.0)


@pytest.mark.parametrize("degrees", [30.0, 180.0])
def test_a_start_that_was_located_tells_no_turn(degrees: float) -> None:
    """From half a turn beside it: a user's start is better evidence than a shape that is nearly round."""
    mesh, truth = cup(), with_grip_at(degrees)
    observation = seen(mesh, truth).without_mask()
    refiner = Refiner(mesh, threads=1)
    searcher, start = refiner._searcher(observation), with_grip_at(degrees + 180.0)
    given, located = (
        searcher.attempt(refiner.preset, observation, start, located=one).result.pose for one in (False, True)
    )
    assert given.angle_to(start) < np.radians(3.0)
    assert located.angle_to(truth) < np.radians(3.0)
