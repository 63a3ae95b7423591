"""Colours of vertices, averaged over pixels."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.scene.lod import levels_of_detail
from diffdope.scene.mesh import Mesh
from diffdope.scene.vertex_colors import averaged_colors

COUNT = 121


def sheet(colors: np.ndarray, *, bent: bool = False) -> Mesh:
    """A square metre of COUNT x COUNT vertices, painted row by row."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(0.0, 1.0, COUNT), np.linspace(0.0, 1.0, COUNT)))
    vertices = np.stack([x, y, 0.3 * (x > 0.5) * (x - 0.5) if bent else 0.0 * x], axis=1)
    k = np.arange(COUNT * COUNT).reshape(COUNT, COUNT)
    a, b, c, d = (part.ravel() for part in (k[:-1, :-1], k[:-1, 1:], k[1:, 1:], k[1:, :-1]))
    return Mesh(vertices, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]), colors=colors)


def painted(left: float = 0.2, right: float = 0.8) -> np.ndarray:
    """Two halves of different grey."""
    columns = np.tile(np.arange(COUNT), COUNT)
    return np.repeat(np.where(columns < COUNT // 2, left, right)[:, None], 3, axis=1)


def test_an_edge_becomes_as_wide_as_a_tent_of_two_pixels() -> None:
    mesh, pixel = sheet(painted()), 0.03
    found = averaged_colors(mesh, pixel)
    assert found.colors is not None
    row = found.colors.reshape(COUNT, COUNT, 3)[COUNT // 2, :, 0]
    step = np.diff(row) / 0.6  # how likely an edge is moved by so much
    at = np.arange(COUNT - 1.0)
    spread_m = np.sqrt(step @ (at - step @ at) ** 2) / (COUNT - 1)
    assert abs(step.sum() - 1.0) < 1e-6
    assert spread_m == pytest.approx(pixel * mesh.diameter / np.sqrt(6.0), rel=0.15)


def test_what_has_triangles_larger_than_pixels_stays_as_it_is() -> None:
    mesh = sheet(painted())
    assert averaged_colors(mesh, 0.2 / COUNT) is mesh
    plain = sheet(painted(0.5, 0.5))
    assert averaged_colors(plain, 0.1) is plain
    grey = Mesh(mesh.vertices_m, mesh.faces)
    assert averaged_colors(grey, 0.1) is grey


def test_colours_do_not_cross_a_seam_but_do_cross_repeated_vertices() -> None:
    mesh = sheet(painted())
    corners = mesh.faces.ravel()
    middle = mesh.vertices_m[mesh.faces][:, :, 0].mean(axis=1)
    half = np.where(middle < 0.5, 0.2, 0.8)
    own = np.arange(len(corners)).reshape(-1, 3)
    apart = Mesh(mesh.vertices_m[corners], own, colors=np.repeat(half, 3)[:, None] * np.ones(3))
    found = averaged_colors(apart, 0.05)
    assert found.colors is not None and apart.colors is not None
    assert np.abs(found.colors - apart.colors).max() < 1e-9
    assert mesh.colors is not None
    repeated = Mesh(mesh.vertices_m[corners], own, colors=mesh.colors[corners])
    found, joined = averaged_colors(repeated, 0.05), averaged_colors(mesh, 0.05)
    assert found.colors is not None and joined.colors is not None
    assert np.abs(found.colors - joined.colors[corners]).max() < 1e-9


def test_levels_of_a_painted_mesh_have_fewer_triangles_and_its_colours_from_afar() -> None:
    random = np.random.default_rng(0).random((12, 12, 3))
    square = np.minimum(np.arange(COUNT) * 12 // COUNT, 11)
    mesh = sheet(random[square][:, square].reshape(-1, 3), bent=True)
    levels = levels_of_detail(mesh, [500, 2000])
    assert len(levels[500].faces) < len(levels[2000].faces) < len(mesh.faces)
    for level in levels.values():
        assert level.colors is not None and mesh.colors is not None
        assert np.abs(level.colors.mean(axis=0) - mesh.colors.mean(axis=0)).max() < 0.05
        assert level.colors.std() < mesh.colors.std()
