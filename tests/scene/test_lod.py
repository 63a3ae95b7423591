"""Levels of detail keep shape and colours."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.lod import levels_of_detail, nearest_mean, sampled, welded
from diffdope.scene.mesh import Mesh
from diffdope.scene.packaged import packaged_example


@pytest.fixture(scope="module")
def carton() -> Mesh:
    return packaged_example()[0]


def distances_mm(points: np.ndarray, mesh: Mesh) -> np.ndarray:
    """From points to the nearest of many samples of a surface."""
    from scipy.spatial import cKDTree

    surface = sampled(mesh, 50_000)
    return np.asarray(1e3 * cKDTree(surface.points_m).query(points)[0])


def test_a_reduced_mesh_has_the_wanted_size_and_the_same_surface(carton: Mesh) -> None:
    levels = levels_of_detail(carton, (500, 1000))
    for count, mesh in levels.items():
        assert abs(len(mesh.faces) - count) <= 0.02 * count
        assert distances_mm(sampled(mesh, 2000).points_m, carton).max() < 2.5  # of 173
        assert mesh.is_closed


def test_colours_are_those_of_the_surface_nearby(carton: Mesh) -> None:
    mesh = levels_of_detail(carton, (500,))[500]
    assert mesh.colors is not None
    assert mesh.texture is None
    fine, coarse = sampled(carton, 40_000), sampled(mesh, 40_000)
    assert np.allclose(fine.colors.mean(axis=0), coarse.colors.mean(axis=0), atol=0.02)


def test_a_mesh_that_is_small_already_stays_itself(carton: Mesh) -> None:
    assert levels_of_detail(carton, (3000, 100_000)) == {3000: carton, 100_000: carton}


def test_without_colours_there_are_none(carton: Mesh) -> None:
    plain = Mesh(carton.vertices_m, carton.faces)
    assert not levels_of_detail(plain, (500,))[500].has_color


def test_the_result_is_the_same_every_time(carton: Mesh) -> None:
    first, second = (levels_of_detail(carton, (500,))[500] for _ in range(2))
    assert np.array_equal(first.vertices_m, second.vertices_m)
    assert first.colors is not None
    assert second.colors is not None
    assert np.array_equal(first.colors, second.colors)


def test_seams_are_welded(carton: Mesh) -> None:
    vertices_m, faces = welded(carton)
    assert len(vertices_m) < len(carton.vertices_m)
    assert len(np.unique(vertices_m, axis=0)) == len(vertices_m)
    assert faces.max() == len(vertices_m) - 1


def test_a_vertex_far_from_all_samples_takes_the_nearest_colour() -> None:
    from diffdope.scene.lod import Surface

    surface = Surface(np.array([[0.0, 0, 0], [0.1, 0, 0]]), np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    vertices_m = np.array([[0.0, 0, 0], [0.1, 0, 0], [5.0, 0, 0]])
    assert np.array_equal(nearest_mean(vertices_m, surface), [[1, 0, 0], [0, 1, 0], [0, 1, 0]])


def test_fewer_than_four_triangles_are_no_object(carton: Mesh) -> None:
    with pytest.raises(DiffDopeError, match="counts: expected at least 4 triangles, got 3"):
        levels_of_detail(carton, (3,))
