"""Creases within an outline, on pictures whose truth is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.render.renderer import Renderer
from diffdope.scene.creases import Creases
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.contour import ContourCorrespondences, ContourSettings
from diffdope.terms.inner_contour import InnerPoints, inner_factor

SIDES = np.array([0.05, 0.075, 0.10])
TRUTH = Pose(so3.exp(np.array([0.5, 0.3, 0.2])), np.array([0.01, -0.01, 0.5]))
DEFAULT = PRESETS["default"]


@pytest.fixture(scope="module")
def box() -> Mesh:
    vertices, faces = grid_box(SIDES, 4)
    return Mesh(vertices, faces)


@pytest.fixture(scope="module")
def photograph() -> Observation:
    """Each face has a brightness of its own, as light from one side gives it."""
    vertices, faces = grid_box(SIDES, 4)
    apart = vertices[faces].reshape(-1, 3)
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    shade = 0.5 + 0.3 * normals @ np.array([0.3, 0.5, -0.8])
    colors = np.repeat(shade, 3)[:, None] * np.ones(3)
    lit = Mesh(apart, np.arange(len(apart)).reshape(-1, 3), colors=colors)
    seen = picture([(lit, TRUTH)], np.random.default_rng(0), noise=SensorNoise(rgb=0.02))
    return Observation(CAMERA, rgb=seen.rgb)


def drawn_at(box: Mesh, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    images = Renderer(box, CAMERA).render(pose.R_m2c, pose.t_m2c)
    return images.coverage[0], images.depth[0]


def test_points_lie_on_edges_that_are_seen_within_the_outline(box: Mesh) -> None:
    coverage, depth = drawn_at(box, TRUTH)
    points = InnerPoints(Creases.of(box), TRUTH, coverage, depth, CAMERA, box.diameter)
    own = (points.X_c - TRUTH.t_m2c) @ TRUTH.R_m2c
    sides = np.isclose(np.abs(own), 0.5 * SIDES, atol=1e-9)
    assert (sides.sum(axis=1) == 2).all()
    # A corner is nearest to the camera; the three edges that meet there are within, the others on the outline.
    towards = np.sign(-(TRUTH.R_m2c.T @ TRUTH.t_m2c))
    assert (np.where(sides, np.sign(own) * towards, 1.0) > 0).all()
    assert set(np.flatnonzero((~sides).any(axis=0))) == {0, 1, 2}
    u, v = CAMERA.project(points.X_c)
    assert np.allclose(np.stack([u, v], axis=1), points.place, atol=1e-9)
    # The normal is across the projected edge, and there is about one point a pixel.
    edge = np.abs(own).argmax(axis=1)
    assert np.allclose(np.linalg.norm(points.normal, axis=1), 1.0)
    for side in range(3):
        one = np.flatnonzero(~sides[:, side])
        along = np.diff(points.place[one], axis=0)
        assert (np.abs((along * points.normal[one[1:]]).sum(axis=1)) < 0.05).all()
        assert 0.5 < np.median(np.linalg.norm(along, axis=1)) < 2.5
    assert len(edge) == len(points)


def test_creases_that_something_of_the_object_hides_are_left_out(box: Mesh) -> None:
    coverage, depth = drawn_at(box, TRUTH)
    creases = Creases.of(box)
    nearer = np.where(depth > 0.0, depth - 0.01, 0.0).astype(np.float32)
    assert len(InnerPoints(creases, TRUTH, coverage, depth, CAMERA, box.diameter)) > 20
    assert len(InnerPoints(creases, TRUTH, coverage, nearer, CAMERA, box.diameter)) == 0


def test_the_pull_turns_an_object_back_to_its_creases(box: Mesh, photograph: Observation) -> None:
    assert photograph.rgb is not None
    edges, creases = ContourCorrespondences(photograph.rgb, CAMERA, ContourSettings()), Creases.of(box)
    away = Pose(TRUTH.R_m2c, TRUTH.t_m2c + np.array([0.0015, -0.001, 0.0]))
    pull = inner_factor(edges, creases, *drawn_at(box, away), away, 4.0, box.diameter)
    assert pull is not None
    assert (np.linalg.eigvalsh(pull.curvature) > -1e-9).all()
    across = pull.curvature[:2, :2]
    step = np.linalg.solve(across, -pull.slope[:2])
    assert np.linalg.norm(away.t_m2c[:2] + step - TRUTH.t_m2c[:2]) < 0.35 * 0.0018
    still = inner_factor(edges, creases, *drawn_at(box, TRUTH), TRUTH, 4.0, box.diameter)
    assert still is not None and still.constant < 0.3 * pull.constant


def test_no_creases_no_pull(box: Mesh, photograph: Observation) -> None:
    assert photograph.rgb is not None
    edges = ContourCorrespondences(photograph.rgb, CAMERA, ContourSettings())
    off = ContourCorrespondences(photograph.rgb, CAMERA, ContourSettings(inner=0.0))
    nothing = np.zeros((CAMERA.height, CAMERA.width), np.float32)
    creases = Creases.of(box)
    assert inner_factor(edges, creases, nothing, nothing, TRUTH, 2.0, box.diameter) is None
    assert inner_factor(off, creases, *drawn_at(box, TRUTH), TRUTH, 2.0, box.diameter) is None


def test_what_a_mask_hides_is_not_looked_for(box: Mesh, photograph: Observation) -> None:
    assert photograph.rgb is not None
    coverage, depth = drawn_at(box, TRUTH)
    creases = Creases.of(box)
    points = InnerPoints(creases, TRUTH, coverage, depth, CAMERA, box.diameter)
    edges = ContourCorrespondences(photograph.rgb, CAMERA, ContourSettings())
    middle = round(float(np.median(points.place[:, 0])))
    mask = coverage.copy()
    mask[:, middle:] = 0.0
    grown = 0.03 * max(mask.shape) + 3.0
    shown = edges.within(mask).seen(points)
    assert shown[points.place[:, 0] < middle - 3].all()
    assert not shown[points.place[:, 0] > middle + grown].any()
    assert edges.seen(points).all() and edges.within(np.zeros_like(mask)).seen(points).all()


def test_a_mesh_without_colours_is_turned_better_with_its_creases(box: Mesh, photograph: Observation) -> None:
    search = replace(DEFAULT.search, outline=ContourSettings(inner=0.0))
    errors = {}
    for name, preset in (("with", DEFAULT), ("without", replace(DEFAULT, search=search))):
        refiner = Refiner(box, preset=preset)
        errors[name] = []
        for seed in range(6):
            axis = np.random.default_rng(seed).normal(size=3)
            turned = so3.exp(np.radians(8.0) * axis / np.linalg.norm(axis)) @ TRUTH.R_m2c
            start = Pose(turned, TRUTH.t_m2c + np.array([0.002, -0.002, 0.002]))
            result = refiner.refine(photograph, start, start_counts=False)  # what edges say, not what the start does
            errors[name].append(np.degrees(result.pose.angle_to(TRUTH)))
    assert np.mean(errors["with"]) < 0.8 * np.mean(errors["without"]), errors
