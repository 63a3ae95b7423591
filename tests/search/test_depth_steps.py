"""Where a measured surface ends: depth that is off contradicts its own steps, a mask that is off does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from diffdope import Mesh, NoteCode, Observation, Pose, RefinementResult, Refiner
from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry.so3 import exp
from diffdope.render.renderer import Renderer
from diffdope.search.checks.depth_steps import share_on_steps
from diffdope.search.mesh_levels import MeshLevels

TABLE = painted("table", *grid_box(np.array([0.8, 0.6, 0.01]), 60), mottled)
TILTED = exp(np.array([-0.9, 0.0, 0.0]))
ON_TABLE = Pose(TILTED, np.array([0.0, 0.02, 0.7]))
STANDS = Pose(TILTED @ exp(np.array([0.0, 0.0, 0.5])), ON_TABLE.t_m2c + TILTED @ np.array([0.03, -0.02, -0.04]))


def stand() -> Mesh:
    """A block."""
    return painted("stand", *grid_box(np.array([0.09, 0.06, 0.07]), 24), mottled)


@pytest.fixture(scope="module")
def image() -> Observation:
    return picture(
        [(stand(), STANDS), (TABLE, ON_TABLE)], np.random.default_rng(5), noise=SensorNoise(0.0, 0.0005, 0.0, 0.0)
    )


def shown(image: Observation) -> np.ndarray:
    drawn = Renderer(stand(), image.camera, threads=1).render(STANDS.R_m2c, STANDS.t_m2c)
    return drawn.coverage[0] > 0.5


def farther(pose: Pose, times: float) -> Pose:
    return Pose(pose.R_m2c, times * pose.t_m2c)


def test_a_right_pose_ends_where_the_surface_does(image: Observation) -> None:
    meshes = MeshLevels(stand())
    right = share_on_steps(meshes, image, STANDS)
    assert right is not None and right > 0.8
    for times in (0.93, 1.07):
        wrong = share_on_steps(meshes, image, farther(STANDS, times))
        assert wrong is None or wrong < right - 0.2


@pytest.mark.parametrize("times", [0.93, 1.07])
def test_depth_that_is_off_ends_where_an_object_of_another_size_does(image: Observation, times: float) -> None:
    meshes, depth = MeshLevels(stand()), np.asarray(image.depth) * np.float32(times)
    off = Observation(image.camera, depth=depth)
    found = farther(STANDS, times)
    here, there = share_on_steps(meshes, off, found, 1.0, found), share_on_steps(meshes, off, STANDS, times, found)
    assert here is not None and there is not None and there > here + 0.2


def test_a_shadow_without_depth_beside_the_object_hides_no_end(image: Observation) -> None:
    depth, mask = np.array(image.depth), shown(image)
    depth[ndimage.binary_dilation(mask, iterations=3) & ~mask] = 0.0
    share = share_on_steps(MeshLevels(stand()), Observation(image.camera, depth=depth), STANDS)
    assert share is not None and share > 0.8


def test_nothing_is_told_without_steps(image: Observation) -> None:
    meshes = MeshLevels(stand())
    assert share_on_steps(meshes, Observation(image.camera, rgb=image.rgb), STANDS) is None
    assert share_on_steps(meshes, image, Pose(TILTED, np.array([5.0, 0.0, 0.7]))) is None


def refined(image: Observation, mask: np.ndarray, times: float = 1.0) -> RefinementResult:
    depth = np.asarray(image.depth) * np.float32(times)
    start = Pose(exp(np.array([0.0, 0.1, 0.0])) @ STANDS.R_m2c, times * STANDS.t_m2c)
    return Refiner(Mesh(stand().vertices_m, stand().faces), threads=1).refine(
        Observation(image.camera, depth=depth, mask=mask), start
    )


@pytest.mark.parametrize("wider_px", [2, 3, -2, -3])
def test_a_mask_that_is_off_does_not_contradict_depth(image: Observation, wider_px: int) -> None:
    change = ndimage.binary_dilation if wider_px > 0 else ndimage.binary_erosion
    found = refined(image, change(shown(image), iterations=abs(wider_px)))
    assert found.pose.distance_to(STANDS) < 0.002 and found.status.ok and found.confidence > 0.5
    assert NoteCode.DEPTH_SCALE not in found.note_codes


@pytest.mark.parametrize("times", [0.95, 1.05])
def test_depth_that_is_off_contradicts_a_mask(image: Observation, times: float) -> None:
    found = refined(image, shown(image), times)
    assert found.confidence < 0.5
    assert {NoteCode.DEPTH_SCALE, NoteCode.DEPTH_SCALE_UNSURE} & set(found.note_codes)
