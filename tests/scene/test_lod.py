"""Levels of detail keep shape and colours."""

from __future__ import annotations

import numpy as np
import pytest
from diffdope.scene.lod_texture import Skin, charts_of, continued, smaller

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


def soup(mesh: Mesh) -> Mesh:
    """The same, each triangle with vertices of its own."""
    assert mesh.uv is not None
    corners = mesh.faces.ravel()
    own = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    return Mesh(mesh.vertices_m[corners], own, uv=mesh.uv[corners], texture=mesh.texture)


def color_errors(mesh: Mesh, other: Mesh) -> np.ndarray:
    """Absolute differences (N,) between the colours of one surface and those of the nearest point of another."""
    from scipy.spatial import cKDTree

    one, two = sampled(mesh, 5000), sampled(other, 100_000)
    nearest = cKDTree(two.points_m).query(one.points_m)[1]
    return np.asarray(np.abs(one.colors - two.colors[nearest]).mean(axis=1))


def test_a_reduced_mesh_keeps_its_texture_in_its_place(carton: Mesh) -> None:
    for mesh in levels_of_detail(carton, (500, 1000)).values():
        assert mesh.texture is not None
        errors = color_errors(mesh, carton)
        assert np.median(errors) < 0.02
        assert errors.mean() < 0.1  # of 0.3, the mean deviation of the colours
        assert (
            errors.mean()
            < 0.3 * np.abs(sampled(carton, 5000).colors - sampled(carton, 5000).colors.mean(axis=0)).mean()
        )


def test_a_texture_in_pieces_smaller_than_the_triangles_becomes_colours(carton: Mesh) -> None:
    mesh = levels_of_detail(soup(carton), (500,))[500]
    assert mesh.texture is None
    assert mesh.colors is not None
    fine, coarse = sampled(carton, 40_000), sampled(mesh, 40_000)
    assert np.allclose(fine.colors.mean(axis=0), coarse.colors.mean(axis=0), atol=0.02)


def test_charts_are_the_pieces_between_seams() -> None:
    faces = np.array([[0, 1, 2], [1, 2, 3], [4, 5, 6]], np.int32)
    charts = charts_of(faces, 7)
    assert charts[0] == charts[1] != charts[2]


def test_coordinates_go_on_in_the_plane_of_the_triangle_but_not_far() -> None:
    vertices_m = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    uv = np.array([[0.2, 0.2], [0.4, 0.2], [0.2, 0.4]])
    skin = Skin(vertices_m, np.array([[0, 1, 2]], np.int32), uv, np.zeros(1, np.intp), vertices_m, np.zeros(3, np.intp))
    places = np.array([[0.5, 0.25, 0], [0.5, 0.25, 0.7], [1.2, 0, 0], [9.0, 0, 0]])
    assert np.allclose(
        continued(skin, np.zeros(4, np.intp), places), [[0.3, 0.25], [0.3, 0.25], [0.44, 0.2], [0.5, 0.2]]
    )


def test_a_large_texture_is_averaged() -> None:
    texture = np.zeros((1024, 2048, 3), np.uint8)
    texture[::2] = 200
    assert smaller(texture).shape == (256, 512, 3)
    assert np.unique(smaller(texture)).tolist() == [100]
    assert smaller(texture[:512, :512]).shape == (512, 512, 3)


def test_a_mesh_that_is_small_already_stays_itself(carton: Mesh) -> None:
    assert levels_of_detail(carton, (3000, 100_000)) == {3000: carton, 100_000: carton}


def test_without_colours_there_are_none(carton: Mesh) -> None:
    plain = Mesh(carton.vertices_m, carton.faces)
    assert not levels_of_detail(plain, (500,))[500].has_color


def test_the_result_is_the_same_every_time(carton: Mesh) -> None:
    first, second = (levels_of_detail(carton, (500,))[500] for _ in range(2))
    assert np.array_equal(first.vertices_m, second.vertices_m)
    assert first.uv is not None
    assert second.uv is not None
    assert np.array_equal(first.uv, second.uv)


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
