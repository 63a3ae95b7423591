"""A mask that is shifted takes the object with it; the photograph's edges show that it is, or that they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.checks.mask_border import border_of
from diffdope.search.checks.mask_shift import Steps, shift_of
from diffdope.search.mesh_levels import MeshLevels

MESH, OBSERVATION, START, TRUTH = packaged_example()
SHIFT_PX = 2.0
ANGLES = np.linspace(0.0, 2.0 * np.pi, 600, endpoint=False)
NORMAL = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
REACH_PX = 10.0


def steps_beside(shift: tuple[float, float], outside_px: float = 0.0, clear: float = 0.6) -> Steps:
    """Edges of an object in a mask that is shifted; as many as are not clear lie anywhere."""
    rng = np.random.default_rng(0)
    place = -outside_px - NORMAL @ np.array(shift) + rng.normal(0.0, 0.5, len(NORMAL))
    other = rng.random(len(NORMAL)) > clear
    place[other] = rng.uniform(-REACH_PX, REACH_PX, int(other.sum()))
    return Steps(place, np.full(len(NORMAL), clear), NORMAL, REACH_PX, along(place))


def along(*places: np.ndarray) -> np.ndarray:
    """Steps of edges at these places, in a photograph that is smoothed by a pixel, over their mean."""
    offsets = np.linspace(-REACH_PX, REACH_PX, 41)
    steps = sum(np.exp(-0.5 * (offsets - place[:, None]) ** 2) for place in places)
    return np.asarray(steps / np.mean(steps, axis=1, keepdims=True))


@pytest.mark.parametrize("shift", [(3.0, 0.0), (-1.5, 2.0), (0.0, -4.0)])
@pytest.mark.parametrize("outside_px", [0.0, 2.0])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_edges_tell_how_far_a_mask_is_shifted(shift: tuple[float, float], outside_px: float, scale: float) -> None:
    steps = steps_beside((scale * shift[0], scale * shift[1]), scale * outside_px)
    found = shift_of(steps, outside_px, SHIFT_PX, scale).aside_px
    assert found == pytest.approx(np.linalg.norm(shift) / np.sqrt(2.0), rel=0.25)


def test_edges_at_the_border_tell_that_it_is_where_it_should_be() -> None:
    assert shift_of(steps_beside((0.0, 0.0)), 0.0, SHIFT_PX, 1.0).aside_px < 0.1 * SHIFT_PX


def test_a_shadow_that_is_sharper_than_the_objects_end_is_no_shift() -> None:
    end = np.zeros(len(NORMAL))
    shadow = np.where(NORMAL[:, 0] > 0.0, 3.0 * NORMAL[:, 0], 0.0)
    within = np.where(NORMAL[:, 0] < 0.0, 3.0 * NORMAL[:, 0], 0.0)  # as bright as the table, with an edge inside of it
    steps = Steps(shadow + within, np.full(len(NORMAL), 0.6), NORMAL, REACH_PX, along(shadow + within, end))
    alone = steps._replace(along=along(shadow + within))
    assert shift_of(steps, 0.0, SHIFT_PX, 1.0).aside_px < 0.25 * SHIFT_PX
    assert shift_of(alone, 0.0, SHIFT_PX, 1.0).aside_px > 0.7 * SHIFT_PX  # where nothing is at its border


def test_edges_anywhere_tell_nothing() -> None:
    nothing = steps_beside((0.0, 0.0), clear=1e-6)
    empty = Steps(np.empty(0), np.empty(0), np.empty((0, 2)), REACH_PX, np.empty((0, 41)))
    for steps in (nothing, empty):
        found = shift_of(steps, 0.0, SHIFT_PX, 1.0).aside_px
        assert found == pytest.approx(np.sqrt(0.5) * SHIFT_PX, rel=0.1)  # shifted or not, one as likely as the other


def shifted(by_px: int, rgb: np.ndarray) -> Observation:
    assert OBSERVATION.mask is not None
    return Observation(OBSERVATION.camera, rgb=rgb, mask=np.roll(OBSERVATION.mask, by_px, axis=1))


def test_a_shifted_mask_makes_a_pose_unsure_across_the_view_by_as_much() -> None:
    mesh, grey = replace(MESH, colors=None, uv=None, texture=None), np.full_like(OBSERVATION.rgb, 0.5)
    default = PRESETS["default"]
    noise = replace(default.search.noise, mask_shift_px=0.0)
    sure = replace(default, search=replace(default.search, noise=noise))
    pixel_m = TRUTH.t_m2c[2] / OBSERVATION.camera.fx
    refiner = Refiner(mesh, threads=1)
    held = refiner.refine(shifted(4, grey), START)
    refiner.preset = sure
    believed = refiner.refine(shifted(4, grey), START)
    assert held.pose.distance_to(believed.pose) < 1e-6  # the pose stays
    assert held.covariance is not None and believed.covariance is not None
    added = held.covariance[:3, :3] - believed.covariance[:3, :3]
    ray = held.pose.t_m2c / np.linalg.norm(held.pose.t_m2c)
    across = np.cross(ray, [0.0, 1.0, 0.0])
    across /= np.linalg.norm(across)
    assert np.sqrt(across @ added @ across) == pytest.approx(np.sqrt(0.5) * SHIFT_PX * pixel_m, rel=0.1)
    assert abs(ray @ added @ ray) < 1e-3 * (across @ added @ across)


def test_the_photograph_tells_a_mask_that_is_shifted() -> None:
    assert OBSERVATION.mask is not None
    meshes = MeshLevels(MESH, threads=1)
    bright = np.where(OBSERVATION.mask[..., None] > 0.5, 0.8, 0.3) * np.ones(3)
    moved = Pose(TRUTH.R_m2c, TRUTH.t_m2c + np.array([4.0 * TRUTH.t_m2c[2] / OBSERVATION.camera.fx, 0.0, 0.0]))
    there = border_of(meshes, shifted(0, bright), 1.5, TRUTH, SHIFT_PX)
    beside = border_of(meshes, shifted(4, bright), 1.5, moved, SHIFT_PX)
    assert there is not None and beside is not None
    assert there.shift.aside_px < 0.3
    assert beside.shift.aside_px == pytest.approx(4.0 / np.sqrt(2.0), rel=0.2)
    unseen = border_of(meshes, shifted(0, np.full_like(bright, 0.5)), 1.5, TRUTH, SHIFT_PX)
    assert unseen is not None and unseen.shift.aside_px == pytest.approx(np.sqrt(0.5) * SHIFT_PX, rel=0.1)
