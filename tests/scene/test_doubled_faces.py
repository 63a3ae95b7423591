"""Triangles that stand twice in one place are told from backs of sheets, and from parts that only touch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from diffdope.scene.doubled_faces import _hashes, _of_equal_sums, first_of_doubled
from diffdope.scene.mesh import Mesh
from diffdope.scene.parts import Part, without_doubled

BOX = trimesh.creation.box((0.1, 0.2, 0.3))
VERTICES, FACES = np.array(BOX.vertices), np.array(BOX.faces)


def test_copies_are_found_however_their_corners_are_numbered(rng: np.random.Generator) -> None:
    copies = np.roll(FACES, 1, axis=1) + len(VERTICES)
    both = np.concatenate([VERTICES, VERTICES]) * [1.0, -1.0, 1.0] * -1.0  # 0 and -0 are one place
    order = rng.permutation(24)
    first = first_of_doubled(both, np.concatenate([FACES, copies])[order])
    assert first.sum() == 12
    assert sorted(order[first] % 12) == list(range(12))
    assert not any(first[k] for k in range(24) if order[k] % 12 in order[:k] % 12)  # the earlier one of two


def test_a_symmetric_mesh_has_few_candidates() -> None:
    ball = trimesh.creation.icosphere(4)  # each corner's mirror images are corners
    assert len(_of_equal_sums(_hashes(np.array(ball.vertices)), np.array(ball.faces))) == 0


def test_backs_of_sheets_and_neighbours_stay(rng: np.random.Generator) -> None:
    assert first_of_doubled(VERTICES, np.concatenate([FACES, FACES[:, ::-1]])).all()
    grid = np.round(rng.uniform(-1.0, 1.0, (500, 3)), 1)  # many in the same places, and many sums alike
    faces = rng.integers(0, 500, (20000, 3))
    first = first_of_doubled(grid, faces)
    seen: set[bytes] = set()
    for k, face in enumerate(faces):
        corners = min(np.roll(grid[face] + 0.0, -shift, axis=0).tolist() for shift in range(3))
        key = np.array(corners).tobytes()
        assert first[k] == (key not in seen)
        seen.add(key)


@pytest.mark.parametrize("ending", ["ply", "obj", "stl", "glb"])
def test_a_file_that_holds_a_box_twice_is_a_box(ending: str, tmp_path: Path) -> None:
    twice = trimesh.Trimesh(
        np.concatenate([VERTICES, VERTICES]), np.concatenate([FACES, FACES + len(VERTICES)]), process=False
    )
    twice.export(tmp_path / f"box.{ending}")
    mesh = Mesh.load(tmp_path / f"box.{ending}", unit="m")
    assert len(mesh.faces) == 12 and mesh.is_closed
    assert mesh.warnings == ("12 of 24 triangles stand in the place of others and were dropped",)
    assert Mesh.from_trimesh(twice).is_closed


def test_vertices_that_nothing_used_before_are_left_for_their_own_note() -> None:
    stray = np.concatenate([VERTICES, VERTICES, [[9.0, 9.0, 9.0]]])
    colors = np.linspace(0.0, 1.0, len(stray))[:, None] * np.ones(3)
    part, notes = without_doubled(Part(stray, np.concatenate([FACES, FACES + len(VERTICES)]), colors=colors))
    assert len(part.vertices) == len(VERTICES) + 1 and len(notes) == 1
    assert np.array_equal(part.vertices[part.faces], VERTICES[FACES])
    assert part.colors is not None and part.colors[-1, 0] == 1.0
