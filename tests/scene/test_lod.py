"""Levels of detail are the same object, as seen in an image of the size that they are for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.vectors import areas
from diffdope.render.renderer import Renderer
from diffdope.scene.lod import level_of_detail, levels_of_detail, tolerance_of
from diffdope.scene.lod_check import Original, colors_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.packaged import packaged_example
from diffdope.scene.sampling import Samples, spread_over
from tests.scene.solids import SOLIDS, distances_m, mesh_of

COUNTS = (500, 2000)


@pytest.fixture(scope="module")
def levels() -> dict[str, tuple[Mesh, dict[int, Mesh]]]:
    meshes = {name: make() for name, make in SOLIDS.items()} | {"carton": packaged_example()[0]}
    return {name: (mesh, levels_of_detail(mesh, COUNTS)) for name, mesh in meshes.items()}


@pytest.mark.parametrize("name", [*SOLIDS, "carton"])
@pytest.mark.parametrize("count", COUNTS)
def test_each_surface_is_within_half_a_pixel_of_the_other(levels, name: str, count: int) -> None:
    mesh, level = levels[name][0], levels[name][1][count]
    spacing_m = 3.0 * np.sqrt(areas(mesh.vertices_m, mesh.faces).sum() / 200_000)  # of the cloud
    limit_m = tolerance_of(count) * mesh.diameter + spacing_m
    assert distances_m(mesh, level).max() <= limit_m
    assert distances_m(level, mesh).max() <= limit_m
    kept = areas(level.vertices_m, level.faces).sum() / areas(mesh.vertices_m, mesh.faces).sum()
    assert 0.95 < kept < 1.02


@pytest.mark.parametrize("name", [*SOLIDS, "carton"])
@pytest.mark.parametrize(("count", "pixels"), [(500, 40), (2000, 80)])
def test_silhouettes_are_within_half_a_pixel(levels, name: str, count: int, pixels: int) -> None:
    mesh, level = levels[name][0], levels[name][1][count]
    fine = 8  # pixels of the pictures that are compared, by pixel of the crop
    size, distance_m = pixels * fine, 20.0 * mesh.diameter
    focal = size * distance_m / mesh.diameter
    camera = Camera(focal, focal, size * 0.55, size * 0.55, int(size * 1.1), int(size * 1.1))
    for turn in np.random.default_rng(1).normal(size=(4, 3)) * 2.0:
        R = so3.exp(turn)
        t_m = np.array([0.0, 0.0, distance_m]) - R @ mesh.center_m
        one, other = (Renderer(m, camera).render(R, t_m).coverage[0] > 0.5 for m in (mesh, level))
        for inside, drawn in ((one, other), (other, one)):
            assert distance_transform_edt(~drawn)[inside].max() <= 0.5 * fine + 1.5


@pytest.mark.parametrize("name", ["carton", "painted", "self_meeting_chart"])
def test_colours_stay_where_they_were(levels, name: str) -> None:
    mesh = levels[name][0]
    for level in levels[name][1].values():
        samples = spread_over(level.vertices_m, level.faces, 3000)
        original = Original(mesh)
        points = original.in_diameters(samples.of(level.vertices_m, level.faces))
        nearest = original.tree.nearest(points, 1.0)
        there = Samples(nearest.face.astype(np.intp), nearest.weights)
        here, right = colors_of(level, samples, level.texture), colors_of(mesh, there, mesh.texture)
        assert np.abs(here - right).mean() < 0.05  # texel by texel; a pixel's average is checked where levels are made
        assert np.abs(here.mean(axis=0) - right.mean(axis=0)).max() < 0.02


@pytest.mark.parametrize("name", ["ring", "needle_fans", "unwelded", "with_t_junctions", "self_meeting_chart"])
def test_what_can_be_reduced_is(levels, name: str) -> None:
    mesh, made = levels[name]
    assert len(made[500].faces) <= 0.7 * len(mesh.faces)
    assert len(made[500].faces) <= 1000


def test_a_level_that_is_not_the_object_is_refused() -> None:
    mesh = SOLIDS["ring"]()
    original = Original(mesh)
    assert original.is_shown_by(mesh, 1e-6)
    assert not original.is_shown_by(mesh_of(mesh.vertices_m, mesh.faces[: len(mesh.faces) * 9 // 10]), 0.01)  # a hole
    spike = np.concatenate([mesh.vertices_m, [[0.0, 0.0, 0.05]]])
    face = [[0, len(spike) - 1, 1]]
    assert not original.is_shown_by(mesh_of(spike, np.concatenate([mesh.faces, face])), 0.01)  # a triangle too many


def test_wrong_colours_are_refused() -> None:
    mesh = SOLIDS["painted"]()
    assert mesh.colors is not None
    other = mesh_of(mesh.vertices_m, mesh.faces, colors=np.roll(mesh.colors, 1, axis=1))
    assert Original(mesh).is_shown_by(mesh, 0.01)
    assert not Original(mesh).is_shown_by(other, 0.01)


def test_a_tighter_tolerance_keeps_more_triangles() -> None:
    mesh = SOLIDS["unwelded"]()
    coarse, fine = (len(level_of_detail(mesh, 100, tolerance).faces) for tolerance in (0.02, 0.002))
    assert coarse < fine <= len(mesh.faces)


def test_a_mesh_that_is_small_already_stays_itself() -> None:
    carton = packaged_example()[0]
    assert levels_of_detail(carton, (3000, 100_000)) == {3000: carton, 100_000: carton}


def test_without_colours_there_are_none() -> None:
    assert not levels_of_detail(SOLIDS["ring"](), (500,))[500].has_color


def test_the_result_is_the_same_every_time() -> None:
    carton = packaged_example()[0]
    first, second = (level_of_detail(carton, 500, 0.0125) for _ in range(2))
    assert np.array_equal(first.vertices_m, second.vertices_m)
    assert np.array_equal(first.faces, second.faces)


def test_a_million_triangles_are_no_trouble() -> None:
    n = 708
    x, y = np.meshgrid(np.linspace(-0.1, 0.1, n), np.linspace(-0.1, 0.1, n))
    z = 0.01 * np.sin(30 * x) * np.cos(20 * y)
    first = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    faces = np.concatenate([
        np.stack([first, first + 1, first + n + 1], axis=1), np.stack([first, first + n + 1, first + n], axis=1)
    ])  # fmt: skip
    mesh = mesh_of(np.stack([x, y, z], axis=-1).reshape(-1, 3), faces)
    level = level_of_detail(mesh, 2000, tolerance_of(2000))
    assert len(level.faces) <= 2000
    assert distances_m(level, mesh).max() < tolerance_of(2000) * mesh.diameter + 0.001


@pytest.mark.parametrize(
    ("counts", "tolerances", "message"),
    [
        ((3,), None, "counts: expected at least 4 triangles, got 3"),
        ((500,), (0.0,), "tolerances: expected shares of the diameter above 0, got 0.0"),
        ((500,), (0.1, 0.2), "tolerances: expected one for each of the 1 counts, got 2"),
    ],
)
def test_what_makes_no_level_is_refused(counts, tolerances, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        levels_of_detail(packaged_example()[0], counts, tolerances)
