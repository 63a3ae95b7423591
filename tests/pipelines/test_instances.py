"""Several instances of one object in a depth image that no mask divides."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from tests.search.test_cut_masks import tee

CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
TABLE_M = 0.56
HALF = Pose(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # under which a tee looks the same
# They touch in the picture: the second lies across the first, the third beside both. The fourth is nearly hidden.
TRUTHS = (
    Pose(so3.exp(np.array([1.2, 0.3, 0.2])), np.array([-0.04, 0.0, 0.53])),
    Pose(so3.exp(np.array([0.4, 1.3, -0.6])), np.array([0.03, 0.02, 0.48])),
    Pose(so3.exp(np.array([-1.4, 0.2, 0.8])), np.array([0.10, -0.03, 0.52])),
    Pose(so3.exp(np.array([0.4, 1.3, -0.6])), np.array([0.035, 0.022, 0.535])),
)


def heap(mesh: Mesh, poses: tuple[Pose, ...]) -> Observation:
    """Depth of instances on a table, with a camera's noise."""
    depth = np.full((CAMERA.height, CAMERA.width), TABLE_M)
    for pose in poses:
        images = Renderer(mesh, CAMERA).render(pose.R_m2c[None], pose.t_m2c[None])
        drawn = images.depth[0] / np.maximum(images.coverage[0], 0.5)
        depth = np.where((images.coverage[0] > 0.5) & (drawn < depth), drawn, depth)
    noise = np.random.default_rng(1).normal(0.0, 0.0007, depth.shape)
    return Observation(CAMERA, depth=(depth + noise).astype(np.float32))


def is_of(result: RefinementResult, truth: Pose) -> bool:
    turn = min(result.pose.angle_to(truth), result.pose.angle_to(truth @ HALF))
    return turn < np.radians(3.0) and result.pose.distance_to(truth) < 0.003


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(tee(), seed=0, threads=1)


@pytest.fixture(scope="module")
def found(refiner: Refiner) -> list[RefinementResult]:
    return refiner.locate_all(heap(refiner.mesh, TRUTHS))


def test_each_that_lies_on_top_is_found_once(found: list[RefinementResult]) -> None:
    assert [sum(is_of(one, truth) for one in found) for truth in TRUTHS[:3]] == [1, 1, 1]
    assert all((one.confidence or 0.0) > 0.5 for one in found if any(is_of(one, truth) for truth in TRUTHS[:3]))


def test_nothing_else_is_sure(found: list[RefinementResult]) -> None:
    assert [one for one in found if (one.confidence or 0.0) > 0.5 and not any(is_of(one, t) for t in TRUTHS)] == []


def test_the_surest_comes_first(found: list[RefinementResult]) -> None:
    sure = [one.confidence or 0.0 for one in found]
    assert sure == sorted(sure, reverse=True)


def test_no_more_are_looked_for_than_were_asked_for(refiner: Refiner) -> None:
    found = refiner.locate_all(heap(refiner.mesh, TRUTHS), most=1)
    assert len(found) == 1
    assert any(is_of(found[0], truth) for truth in TRUTHS)


def test_an_empty_table_shows_none(refiner: Refiner) -> None:
    assert refiner.locate_all(heap(refiner.mesh, ())) == []


def test_depth_is_needed(refiner: Refiner) -> None:
    grey = Observation(CAMERA, rgb=np.full((CAMERA.height, CAMERA.width, 3), 0.5, np.float32))
    with pytest.raises(DiffDopeError, match="observation: expected depth, got rgb; depth tells"):
        refiner.locate_all(grey)
