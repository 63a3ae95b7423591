"""Objects that are painted vertex by vertex, with triangles smaller than a pixel."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

CAMERA, FINE = Camera(600.0, 600.0, 159.5, 119.5, 320, 240), 3
TRUTH = Pose(so3.exp(np.array([1.9, 0.3, -0.2])), np.array([0.01, -0.005, 0.45]))
AROUND, UP, RADIUS_M, HEIGHT_M = 240, 160, 0.033, 0.12


@pytest.fixture(scope="module")
def can() -> Mesh:
    """A can with 9 x 4 patches of random colours, sharp to a vertex."""
    angle, z = np.meshgrid(2.0 * np.pi * np.arange(AROUND) / AROUND, HEIGHT_M * np.linspace(-0.5, 0.5, UP))
    wall = np.stack([RADIUS_M * np.cos(angle), RADIUS_M * np.sin(angle), z], axis=-1).reshape(-1, 3)
    here, there = np.arange(AROUND), (np.arange(AROUND) + 1) % AROUND
    faces = []
    for low in AROUND * np.arange(UP - 1):
        a, b, c, d = low + here, low + there, low + AROUND + there, low + AROUND + here
        faces += [np.stack([a, b, c], 1), np.stack([a, c, d], 1)]
    ends, top = len(wall) + np.arange(2), (UP - 1) * AROUND
    faces += [np.stack([there, here, np.full(AROUND, ends[0])], 1)]
    faces += [np.stack([top + here, top + there, np.full(AROUND, ends[1])], 1)]
    vertices = np.concatenate([wall, [[0.0, 0.0, -0.5 * HEIGHT_M], [0.0, 0.0, 0.5 * HEIGHT_M]]])
    column = (np.arctan2(vertices[:, 1], vertices[:, 0]) % (2.0 * np.pi) / (2.0 * np.pi) * 9).astype(int) % 9
    row = np.clip(((vertices[:, 2] / HEIGHT_M + 0.5) * 4).astype(int), 0, 3)
    colors = np.random.default_rng(3).random((9, 4, 3))[column, row]
    return Mesh(vertices, np.concatenate(faces), colors=colors)


@pytest.fixture(scope="module")
def seen(can: Mesh) -> Observation:
    """As a camera sees it: pixels are means over their area."""
    c, k = CAMERA, FINE
    camera = Camera(k * c.fx, k * c.fy, k * (c.cx + 0.5) - 0.5, k * (c.cy + 0.5) - 0.5, k * c.width, k * c.height)
    images = Renderer(can, camera).render(TRUTH.R_m2c[None], TRUTH.t_m2c[None])

    def mean(image: np.ndarray) -> np.ndarray:
        return image.reshape(c.height, k, c.width, k, -1).mean(axis=(1, 3))

    coverage = mean(images.coverage[0])[..., 0]
    rgb = mean(images.rgb[0] * images.coverage[0][..., None]) + 0.3 * (1.0 - coverage[..., None])
    mask, depth = coverage > 0.5, images.depth[0][k // 2 :: k, k // 2 :: k]
    return Observation(CAMERA, rgb=rgb.astype(np.float32), depth=np.where(mask, depth, 0.0), mask=mask)


@pytest.mark.parametrize("given", ["rgb-d", "rgb"])
def test_a_print_of_sharp_patches_turns_the_can(can: Mesh, seen: Observation, given: str) -> None:
    observation = seen if given == "rgb-d" else seen.without_depth()
    refiner = Refiner(can)
    start = Pose(TRUTH.R_m2c @ so3.exp(np.radians([3.0, 4.0, 8.0])), TRUTH.t_m2c + np.array([3e-3, -2e-3, 2e-3]))
    for result in (refiner.refine(observation, start), refiner.locate(observation)):
        assert np.degrees(result.pose.angle_to(TRUTH)) < 0.3
        assert result.ok
