"""Creases of shapes whose edges are known."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box
from diffdope.scene.creases import Creases
from diffdope.scene.mesh import Mesh

SIDES = np.array([0.05, 0.075, 0.10])


def cylinder(facets: int) -> Mesh:
    angle = 2.0 * np.pi * np.arange(facets) / facets
    ring = np.stack([0.02 * np.cos(angle), 0.02 * np.sin(angle)], axis=1)
    vertices = np.concatenate([np.column_stack([ring, np.full(facets, z)]) for z in (0.0, 0.1)])
    vertices = np.concatenate([vertices, [[0.0, 0.0, 0.0], [0.0, 0.0, 0.1]]])
    i, j = np.arange(facets), (np.arange(facets) + 1) % facets
    low, high = np.full(facets, 2 * facets), np.full(facets, 2 * facets + 1)
    faces = [(i, j, facets + j), (i, facets + j, facets + i), (low, j, i), (high, facets + i, facets + j)]
    return Mesh(vertices, np.concatenate([np.stack(one, axis=1) for one in faces]))


@pytest.mark.parametrize("welded", [True, False])
def test_a_box_has_its_twelve_edges_however_fine_its_faces_are(welded: bool) -> None:
    vertices, faces = grid_box(SIDES, 5)
    if not welded:  # as an STL file has it
        vertices, faces = vertices[faces].reshape(-1, 3), np.arange(3 * len(faces)).reshape(-1, 3)
    creases = Creases.of(Mesh(vertices, faces))
    assert creases.lengths.sum() == pytest.approx(4.0 * SIDES.sum())
    on_sides = np.isclose(np.abs(creases.points), 0.5 * SIDES).sum(axis=1)
    assert (on_sides == 2).all()
    along = np.abs(creases.directions).argmax(axis=1)
    off = np.abs(creases.points) < 0.5 * SIDES - 1e-9
    assert off[np.arange(len(creases)), along].all()
    assert np.allclose(np.linalg.norm(creases.directions, axis=1), 1.0)


def test_a_cylinder_has_rims_and_nothing_along_it() -> None:
    creases = Creases.of(cylinder(24))
    assert creases.lengths.sum() == pytest.approx(2 * 24 * 0.04 * np.sin(np.pi / 24))
    assert np.isin(creases.points[:, 2], [0.0, 0.1]).all()


def test_a_sheet_has_the_rim_that_belongs_to_one_face_only() -> None:
    corners = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.1, 0.05, 0.0], [0.0, 0.05, 0.0]])
    creases = Creases.of(Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]])))
    assert creases.lengths.sum() == pytest.approx(0.3)


def test_a_mesh_that_is_sharp_everywhere_keeps_a_bounded_number_of_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffdope.scene.creases._MOST", 100)
    creases = Creases.of(cylinder(12))  # 30 degrees between its facets
    assert len(creases) <= 200
    total = 2 * 12 * 0.04 * np.sin(np.pi / 12) + 12 * 0.1
    assert creases.lengths.sum() == pytest.approx(total, rel=0.05)
