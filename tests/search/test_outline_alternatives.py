"""Poses beside one that was followed, on pictures of a stepped block whose truth is exact."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.experiments.shapes import grid_box, icosphere
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.outline_alternatives import Surroundings, outline_alternatives
from diffdope.search.mesh_levels import MeshLevels

STEPS = (((0.08, 0.05, 0.02), (0.0, 0.0, 0.0)), ((0.05, 0.05, 0.02), (-0.015, 0.0, 0.02)))
TRUTH = Pose(so3.exp(np.array([0.6, 0.5, 0.3])) @ so3.exp(np.array([np.pi, 0.0, 0.0])), np.array([0.0, 0.0, 0.35]))


def stepped() -> Mesh:
    return joined([grid_box(np.array(sides), 1)[0] + np.array(at) for sides, at in STEPS])


def plate_with_ramp() -> Mesh:
    """A plate with a ramp on one side, which the outline does not show."""
    plate, ramp = (grid_box(np.array(sides), 1)[0] for sides in ((0.08, 0.05, 0.01), (0.02, 0.03, 0.004)))
    return joined([plate, ramp @ so3.exp(np.array([0.0, 0.25, 0.0])).T + np.array([0.012, 0.0, 0.005])])


def joined(boxes: list[NDArray[np.float64]]) -> Mesh:
    """One mesh of vertices of `grid_box`, about the mean of their corners."""
    own, triangles = grid_box(np.ones(3), 1)
    vertices = np.concatenate(boxes)
    faces = np.concatenate([triangles + len(own) * k for k in range(len(boxes))]).astype(np.int32)
    return Mesh(vertices - vertices.mean(axis=0), faces)


def photographed(mesh: Mesh, background: float) -> Observation:
    """Each face has a brightness of its own, as light from one side gives it, in front of one grey."""
    vertices, faces = mesh.vertices_m, mesh.faces
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    shade = np.clip(0.5 + 0.4 * normals @ TRUTH.R_m2c.T @ np.array([0.5, -0.6, -0.4]), 0.05, 0.95)
    lit = Mesh(
        vertices[faces].reshape(-1, 3), np.arange(3 * len(faces)).reshape(-1, 3),
        colors=np.repeat(shade, 3)[:, None] * np.ones(3),
    )  # fmt: skip
    corners, triangles = grid_box(np.array([3.0, 3.0, 0.01]), 1)
    wall = Mesh(corners, triangles, colors=np.full((len(corners), 3), background))
    behind = Pose(np.eye(3), np.array([0.0, 0.0, 0.9]))
    seen = picture([(lit, TRUTH), (wall, behind)], np.random.default_rng(0), noise=SensorNoise(rgb=0.02))
    return Observation(CAMERA, rgb=seen.rgb)


@pytest.fixture(scope="module")
def meshes() -> MeshLevels:
    return MeshLevels(stepped(), (0,), threads=1)


@pytest.fixture(scope="module")
def photograph(meshes: MeshLevels) -> Observation:
    return photographed(meshes.mesh, 0.25)


def test_what_explains_more_edges_is_likelier(meshes: MeshLevels, photograph: Observation) -> None:
    turned = TRUTH.retract([0, 0, 0, 0.35, 0, 0])
    farther = Pose(TRUTH.R_m2c, 1.1 * TRUTH.t_m2c)
    aside = TRUTH.retract([0.02, 0.01, 0, 0, 0, 0])
    away = TRUTH.retract([10.0, 0, 0, 0, 0, 0])
    around = Surroundings(meshes, photograph, TRUTH, 128)
    found = around.log_likelihood([TRUTH, turned, farther, aside, away], 1.5)
    assert found[0] > 0.0
    assert (found[0] > found[1:]).all()
    assert found[4] == -np.inf  # nothing of it is drawn


def test_creases_tell_sides_of_the_same_outline_apart() -> None:
    meshes = MeshLevels(plate_with_ramp(), (0,), threads=1)
    turned = Pose(TRUTH.R_m2c @ so3.exp(np.array([np.pi, 0.0, 0.0])), TRUTH.t_m2c)
    around = Surroundings(meshes, photographed(meshes.mesh, 0.25), TRUTH, 320)
    right, wrong = around.log_likelihood([TRUTH, turned], 1.5)
    assert right > wrong + 1.0


def test_edges_lead_outline_and_creases_back(meshes: MeshLevels, photograph: Observation) -> None:
    beside = TRUTH.retract([0.001, -0.001, 0.003, 0.05, 0.03, -0.04])
    led = Surroundings(meshes, photograph, beside, 128).led(beside, (4.0, 2.0, 2.0))
    assert led.angle_to(TRUTH) < 0.4 * beside.angle_to(TRUTH)
    assert led.distance_to(TRUTH) < 0.6 * beside.distance_to(TRUTH)


def test_a_pose_beside_which_a_likelier_one_is_found_is_less_sure(meshes: MeshLevels, photograph: Observation) -> None:
    wrong = TRUTH.retract([0, 0, 0.03, 0.35, 0, 0])
    assert outline_alternatives(meshes, photograph, TRUTH).share > 0.8
    found = outline_alternatives(meshes, photograph, wrong)
    assert found.share < 0.2 and found.ahead > 2.0
    assert found.best.angle_to(TRUTH) < 0.2 * wrong.angle_to(TRUTH)


def test_where_nothing_is_seen_no_pose_is_sure(meshes: MeshLevels) -> None:
    nothing = Observation(CAMERA, rgb=np.full((CAMERA.height, CAMERA.width, 3), 0.5))
    assert outline_alternatives(meshes, nothing, TRUTH).share < 0.5


def test_a_mesh_without_creases_is_looked_for_by_its_outline(photograph: Observation) -> None:
    ball = MeshLevels(Mesh(*icosphere(3, 0.04)), (0,), threads=1)
    assert len(ball.creases) == 0
    assert 0.0 <= outline_alternatives(ball, photograph, TRUTH).share <= 1.0
