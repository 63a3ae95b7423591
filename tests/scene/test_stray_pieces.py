"""Specks far from the body: told where the diameter is theirs, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from diffdope.note_codes import NoteCode, codes_of, of_codes
from diffdope.scene.mesh import Mesh
from diffdope.scene.packaged import packaged_example


def body(*pieces: trimesh.Trimesh, welded: bool = True) -> Mesh:
    """A box of 100 x 60 x 40 mm with pieces beside it."""
    joined = trimesh.util.concatenate([trimesh.creation.box((0.1, 0.06, 0.04)), *pieces])
    corners = joined.vertices[joined.faces].reshape(-1, 3)
    return Mesh(joined.vertices, joined.faces) if welded else Mesh(corners, np.arange(len(corners)).reshape(-1, 3))


def cube(size_m: float, *place_m: float) -> trimesh.Trimesh:
    made = trimesh.creation.box((size_m,) * 3)
    made.apply_translation(place_m)
    return made


def told(mesh: Mesh) -> tuple[str, ...]:
    return of_codes(mesh.warnings, {NoteCode.MESH_STRAY})


SPECK, OTHER = cube(0.0005, 0.5, 0.0, 0.0), cube(0.0005, 0.0, -0.3, 0.0)


@pytest.mark.parametrize("welded", [True, False])
def test_a_speck_is_told_with_its_place_and_with_what_the_diameter_is_without(welded: bool) -> None:
    mesh = body(SPECK, welded=welded)
    assert mesh.diameter > 0.5  # as BOP has it
    (note,) = told(mesh)
    assert note.startswith("12 of 24 triangles lie apart from all others, at (500, ") and "without 123.3 mm" in note


def test_several_specks_are_found_one_after_the_other() -> None:
    (note,) = told(body(SPECK, OTHER, cube(0.0005, 0.0, 0.0, 0.2)))
    assert note.startswith("36 of 48 triangles") and ", at (500, 0, 0) mm, (0, -300, 0) mm, (0, 0, 200) mm, " in note
    assert "without 123.3 mm" in note


@pytest.mark.parametrize(
    "mesh",
    [
        body(),
        body(cube(0.0005, 0.054, 0.0, 0.0)),  # a crumb beside the box, which hardly counts
        body(cube(0.02, 0.3, 0.0, 0.0)),  # a part of the object
        body(trimesh.creation.cylinder(0.001, segment=[(0.04, 0.0, 0.0), (0.4, 0.0, 0.0)])),  # an aerial
    ],
    ids=["nothing", "near", "large", "joined"],
)
def test_nothing_is_told_of_what_belongs_to_the_object(mesh: Mesh) -> None:
    assert not told(mesh)


def test_the_note_is_of_the_mesh_as_it_is() -> None:
    mesh = body(SPECK)
    (scaled,) = told(mesh.scaled(2.0))
    assert "(1000" in scaled and "without 246.6 mm" in scaled
    box = mesh.faces < 8
    assert not told(replace(mesh, faces=mesh.faces[box.all(axis=1)]))
    example = packaged_example().mesh
    far = example.center_m + np.array([[0.5, 0.0, 0.0], [0.5003, 0.0, 0.0], [0.5, 0.0003, 0.0]])
    count = len(example.vertices_m)
    spoilt = Mesh(
        np.vstack([example.vertices_m, far]), np.vstack([example.faces, [[count, count + 1, count + 2]]]),
        np.vstack([example.uv, example.uv[:3]]), example.texture,
    )  # fmt: skip
    moved = spoilt.moved([0.1, 0.0, 0.0])  # the same file's, in another frame
    assert told(spoilt) == told(moved) == told(moved.in_grey()) == told(moved.turned_outside())
    assert codes_of(spoilt.warnings) == (NoteCode.MESH_STRAY,)
