"""Meshes, points and pictures on their way to a browser keep place and colour."""

from __future__ import annotations

import io

import numpy as np
import pytest

from diffdope import Camera, Mesh, Observation
from diffdope.scene.packaged import packaged_example
from diffdope.viewer.assets import MOST_FACES, Plane, colored, corners_of, light_mesh, linear, points_of


def test_textures_are_shown_as_they_are_drawn() -> None:
    """What lies between the charts has their colours: a browser's own reduced levels mix it in."""
    texture = np.zeros((64, 64, 3), np.uint8)
    texture[8:40, 8:40] = 255
    corners = np.array([[10.0, 10.0], [38.0, 10.0], [10.0, 38.0]]) / 64.0
    mesh = Mesh(0.1 * np.eye(3), np.array([[0, 1, 2]], np.int32), corners, texture)
    assert texture.min() == 0
    assert np.asarray(colored(mesh).visual.material.baseColorTexture).min() == 255


@pytest.fixture
def off_centre() -> Camera:
    return Camera(50.0, 60.0, 10.5, 25.0, 64, 48)


def test_each_pixel_of_the_photograph_lies_on_its_ray(off_centre: Camera) -> None:
    corners = corners_of(off_centre, 2.5)
    u, v = off_centre.project(corners)
    assert np.allclose(u, [-0.5, 63.5, 63.5, -0.5]) and np.allclose(v, [-0.5, -0.5, 47.5, 47.5])
    plane = Plane.of(Observation(off_centre, rgb=np.zeros((48, 64, 3))), 2.5)
    assert plane is not None
    size = [plane.width_m, plane.height_m]
    assert np.allclose(plane.middle_m[:2] - 0.5 * np.array(size), corners[0, :2])
    assert np.allclose(plane.middle_m[:2] + 0.5 * np.array(size), corners[2, :2])


def test_a_large_photograph_is_reduced_and_every_pixel_stays_on_its_ray() -> None:
    large = Camera(2000.0, 2000.0, 1500.0, 1000.0, 3001, 2003)
    rgb = np.zeros((2003, 3001, 3), np.uint8)
    rgb[900:903, 1200:1203] = 255
    plane = Plane.of(Observation(large, rgb=rgb), 2.0)
    assert plane is not None
    height, width = plane.picture.shape[:2]
    assert 900 < width <= 1280 and 600 < height <= 720
    light = plane.picture[..., 0] / plane.picture[..., 0].sum()
    column, row = (light.sum(axis=0) @ np.arange(width), light.sum(axis=1) @ np.arange(height))
    x = plane.middle_m[0] + plane.width_m * ((column + 0.5) / width - 0.5)
    y = plane.middle_m[1] + plane.height_m * ((row + 0.5) / height - 0.5)
    u, v = large.project([x, y, 2.0])
    assert (u, v) == (pytest.approx(1201.0, abs=0.02), pytest.approx(901.0, abs=0.02))


def test_depth_alone_is_shown_in_grey(off_centre: Camera) -> None:
    depth = np.full((48, 64), 1.0)
    depth[:, 32:], depth[0] = 2.0, 0.0
    plane = Plane.of(Observation(off_centre, depth=depth), 3.0)
    assert plane is not None
    assert plane.picture[0].max() == 0 and plane.picture[20, 5, 0] > plane.picture[20, 50, 0] > 0
    assert Plane.of(Observation(off_centre, mask=np.ones((48, 64), bool)), 3.0) is None


def test_points_are_those_of_the_depth_image(off_centre: Camera, rng: np.random.Generator) -> None:
    depth = rng.uniform(0.5, 2.0, (48, 64)) * (rng.random((48, 64)) > 0.3)
    rgb = rng.random((48, 64, 3))
    points = points_of(Observation(off_centre, rgb=rgb, depth=depth))
    assert points is not None and len(points.x_c) == np.count_nonzero(depth)
    u, v = off_centre.project(points.x_c)
    columns, rows = np.round(u).astype(int), np.round(v).astype(int)
    assert np.allclose(points.x_c[:, 2], depth[rows, columns])
    assert np.abs(points.colors - 255.0 * rgb[rows, columns]).max() < 1.0
    few = points_of(Observation(off_centre, depth=depth), most=100)
    assert few is not None and 20 < len(few.x_c) <= 120 and few.spacing_m > 3 * points.spacing_m
    assert points_of(Observation(off_centre, rgb=rgb)) is None


def test_colours_at_vertices_are_linear_in_gltf() -> None:
    import trimesh

    level = 0.5
    box = trimesh.creation.box((0.1, 0.1, 0.1))
    mesh = Mesh(np.asarray(box.vertices), np.asarray(box.faces), colors=np.full((8, 3), level))
    stored = colored(mesh).visual.vertex_colors[0, :3]
    assert np.abs(stored - 255.0 * ((level + 0.055) / 1.055) ** 2.4).max() < 1.0
    assert np.allclose(linear(np.array([0.0, 0.04045, 1.0])), [0.0, 0.04045 / 12.92, 1.0])


def test_a_texture_comes_through_gltf_the_right_way_up() -> None:
    import trimesh

    texture = np.zeros((2, 2, 3), np.uint8)
    texture[0, 0] = (255, 0, 0)  # top left
    quad = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) * 0.1
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], float)
    mesh = Mesh(quad, np.array([[0, 1, 2], [0, 2, 3]]), uv=uv, texture=texture)
    data = colored(mesh).export(file_type="glb")
    back = Mesh.from_trimesh(trimesh.load_scene(io.BytesIO(data), file_type="glb", process=False))
    assert back.texture is not None and back.uv is not None
    assert tuple(back.texture[0, 0]) == (255, 0, 0)
    corner = int(np.argmin(np.linalg.norm(back.vertices_m - [0, 0.1, 0], axis=1)))
    assert np.allclose(back.uv[corner], [0, 0], atol=0.01)


def test_only_large_meshes_are_reduced() -> None:
    mesh = packaged_example().mesh
    assert light_mesh(mesh) is mesh
    small = light_mesh(mesh, 800)
    assert len(small.faces) < len(mesh.faces) < MOST_FACES
