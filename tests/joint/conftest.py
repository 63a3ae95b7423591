"""A small scene that three cameras see: two painted things, one of them partly behind the other in the first view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.scene import SceneObject
from diffdope.scene.view import View
from tests.oracle import shapes

CAMERA = Camera(260.0, 260.0, 95.5, 71.5, 192, 144)
MIDDLE = np.array([0.0, 0.0, 0.5])


@dataclass(frozen=True)
class Drawn:
    """What there is, where, and how it is seen: views without masks, masks by view and object."""

    meshes: tuple[Mesh, ...]
    truth: tuple[Pose, ...]
    views: tuple[View, ...]
    masks: dict[tuple[int, int], NDArray[np.bool_]]


def painted(shape: shapes.Shape, name: str) -> Mesh:
    colors = 0.5 + 0.4 * np.sin(shape.vertices_m @ np.array([[190.0, 20, 40], [10, 170, 20], [30, 0, 180]]))
    return Mesh(shape.vertices_m, shape.faces, colors=colors, name=name)


def around(yaw_deg: float, pitch_deg: float = 0.0) -> Pose:
    """World to camera: turned about the middle of the scene."""
    yaw, pitch = np.radians([yaw_deg, pitch_deg])
    R = so3.exp(np.array([pitch, 0.0, 0.0])) @ so3.exp(np.array([0.0, yaw, 0.0]))
    return Pose(R, MIDDLE - R @ MIDDLE)


def draw(meshes: tuple[Mesh, ...], poses: list[Pose], rng: np.random.Generator) -> tuple[Observation, list]:
    """Photograph and depth by one camera, and the visible pixels of each object."""
    height, width = CAMERA.height, CAMERA.width
    rgb, depth, owner = (
        rng.uniform(0.3, 0.5, (height, width, 3)),
        np.full((height, width), 1.0),
        np.full((height, width), -1),
    )
    for number, (mesh, pose) in enumerate(zip(meshes, poses, strict=True)):
        drawn = Renderer(mesh, CAMERA, threads=1).render(pose.R_m2c, pose.t_m2c)
        front = (drawn.triangle_id[0] >= 0) & (drawn.depth[0] < depth)
        depth[front], owner[front] = drawn.depth[0][front], number
        rgb[front] = np.clip(drawn.rgb[0][front] / np.maximum(drawn.coverage[0][front], 0.3)[:, None], 0.0, 1.0)
    rgb = np.clip(rgb + rng.normal(0.0, 0.01, rgb.shape), 0.0, 1.0)
    depth = depth + rng.normal(0.0, 0.0005, depth.shape)
    return Observation(CAMERA, rgb=rgb, depth=depth), [owner == n for n in range(len(meshes))]


def drawn_from(places: list[Pose], *, depth: bool = True) -> Drawn:
    rng = np.random.default_rng(3)
    meshes = (painted(shapes.box((0.06, 0.08, 0.05), cells=6), "box"), painted(shapes.torus(24, 12), "ring"))
    truth = (
        Pose(so3.exp(np.array([0.5, 0.4, -0.6])), np.array([-0.015, 0.01, 0.47])),
        Pose(so3.exp(np.array([0.3, -0.4, 0.6])), np.array([0.025, 0.0, 0.55])),
    )
    views, masks = [], {}
    for number, place in enumerate(places):
        seen, shown = draw(meshes, [place @ pose for pose in truth], rng)
        if not depth:
            seen = Observation(CAMERA, rgb=seen.rgb)
        views.append(View(seen, place, name=f"camera {number}"))
        masks |= {(number, n): mask for n, mask in enumerate(shown)}
    return Drawn(meshes, truth, tuple(views), masks)


PLACES = [around(0.0), around(50.0), around(-45.0, 20.0)]


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    """With depth."""
    return drawn_from(PLACES)


@pytest.fixture(scope="session")
def photographed() -> Drawn:
    """Without depth."""
    return drawn_from(PLACES, depth=False)


@pytest.fixture(scope="session")
def refiner(drawn: Drawn) -> SceneRefiner:
    """Of both objects."""
    return SceneRefiner([SceneObject(mesh) for mesh in drawn.meshes], threads=1)


def starts(drawn: Drawn, seed: int = 0) -> list[Pose]:
    """In the world, off by a few degrees and millimetres."""
    rng = np.random.default_rng(seed)
    return [
        pose.retract([*(0.003 * v for v in rng.normal(size=3)), *(0.08 * v for v in rng.normal(size=3))])
        for pose in drawn.truth
    ]
