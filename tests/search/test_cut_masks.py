"""A mask that lacks a part of the object: its border makes the right pose dear, and depth tells it."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import tube
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

CAMERA = Camera(300.0, 300.0, 79.5, 59.5, 160, 120)
UP, ALONG_X = np.eye(3), so3.exp(np.array([0.0, 0.5 * np.pi, 0.0]))
# Radius and length of each, which way it points, and where its middle is: two pipes with collars.
PARTS = (
    (0.016, 0.10, UP, (0.0, 0.0, 0.0)),
    (0.021, 0.02, UP, (0.0, 0.0, 0.04)),
    (0.021, 0.02, UP, (0.0, 0.0, -0.04)),
    (0.016, 0.05, ALONG_X, (0.025, 0.0, 0.0)),
    (0.021, 0.02, ALONG_X, (0.045, 0.0, 0.0)),
)
CUT_M = 0.03  # along the arm


def tee() -> Mesh:
    """A pipe with an arm along x."""
    vertices: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    for radius_m, length_m, R, middle_m in PARTS:
        points, triangles = tube(24, 2, radius_m, length_m)
        faces.append(triangles + sum(len(some) for some in vertices))
        vertices.append(points @ R.T + np.array(middle_m))
    return Mesh(np.concatenate(vertices), np.concatenate(faces))


def with_the_arm_cut_off(mesh: Mesh, pose: Pose) -> Observation:
    """Depth of the object on a table, and a mask without the outer part of the arm."""
    images = Renderer(mesh, CAMERA).render(pose.R_m2c[None], pose.t_m2c[None])
    drawn = images.coverage[0] > 0.5
    up = -np.array([0.0, 0.6, 0.8])
    rays = CAMERA.back_project(np.ones((CAMERA.height, CAMERA.width)))
    table_m = float((pose.apply(mesh.vertices_m) @ up).min()) / (rays @ up)
    depth = np.where(drawn, images.depth[0] / np.maximum(images.coverage[0], 0.5), table_m)
    depth += np.random.default_rng(1).normal(0.0, 0.001, depth.shape)
    along_arm_m = ((CAMERA.back_project(depth) - pose.t_m2c) @ pose.R_m2c)[..., 0]
    return Observation(CAMERA, depth=depth.astype(np.float32), mask=drawn & (along_arm_m < CUT_M))


@pytest.mark.parametrize("seed", [6, 9, 13])
def test_an_arm_that_the_mask_lacks_is_not_turned_away(seed: int) -> None:
    mesh = tee()
    truth = Pose(so3.exp(np.random.default_rng(seed).normal(size=3)), np.array([0.0, 0.0, 0.35]))
    result = Refiner(mesh, seed=0, threads=1).locate(with_the_arm_cut_off(mesh, truth))
    turned = Pose(truth.R_m2c @ np.diag([1.0, -1.0, -1.0]), truth.t_m2c)  # which looks the same
    assert min(result.pose.angle_to(truth), result.pose.angle_to(turned)) < np.radians(2.0)
    assert (result.confidence or 0.0) > 0.5
