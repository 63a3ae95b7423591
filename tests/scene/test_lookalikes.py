"""Turns after which a shape is nearly the same, found without being told."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from diffdope.experiments.shapes import primitives
from diffdope.geometry import so3
from diffdope.scene.lookalikes import lookalikes
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]
TURN, SHIFT = so3.exp(np.array([0.4, -0.9, 0.3])), np.array([0.3, -0.1, 0.2])


def mesh_of(solid: trimesh.Trimesh, *, moved: bool = False) -> Mesh:
    vertices = np.asarray(solid.vertices, np.float64)
    if moved:
        vertices = vertices @ TURN.T + SHIFT
    return Mesh(vertices, np.asarray(solid.faces, np.int32))


def box(*, moved: bool) -> Mesh:
    return mesh_of(trimesh.creation.box([0.05, 0.075, 0.10]), moved=moved)


def angles_deg(R: F64) -> F64:
    return np.degrees(np.linalg.norm(so3.log(R), axis=-1))


@pytest.mark.parametrize("moved", [False, True])
def test_a_box_has_three_half_turns_wherever_its_frame_is(moved: bool) -> None:
    mesh = box(moved=moved)
    found = lookalikes(mesh)
    assert np.allclose(angles_deg(found.R), [0, 180, 180, 180], atol=1.5)
    for R, t_m in zip(found.R, found.t_m, strict=True):  # corners onto corners
        away = np.linalg.norm((mesh.vertices_m @ R.T + t_m)[:, None] - mesh.vertices_m, axis=2).min(axis=1)
        assert away.max() < 0.01 * mesh.diameter


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("size", [(0.04, 0.024, 0.05), (0.04, 0.026, 0.06), (0.04, 0.02, 0.03)])
def test_halves_a_quarter_turn_apart_are_exchanged_by_half_turns_between_their_axes(
    size: tuple[float, float, float], moved: bool
) -> None:
    both = [np.array([[0.0, sign, 0.0], [sign, 0.0, 0.0], [0.0, 0.0, -1.0]]) for sign in (1.0, -1.0)]
    one = trimesh.creation.box(size)
    one.apply_translation([0.0, 0.0, 0.5 * size[2]])
    other = trimesh.Trimesh(one.vertices @ both[0].T, one.faces)
    turn = TURN if moved else np.eye(3)
    found = turn.T @ lookalikes(mesh_of(trimesh.util.concatenate([one, other]), moved=moved)).R @ turn
    assert max(angles_deg(exchanged.T @ found).min() for exchanged in both) < 6.0  # the same pose, for a search


def test_a_cube_has_all_its_turns_and_a_can_turns_about_its_axis() -> None:
    shapes = primitives()
    assert len(lookalikes(shapes["cube"].mesh)) == 24
    about_z = [R for R in lookalikes(shapes["cylinder"].mesh).R if R[2, 2] > 0.99]
    assert len(about_z) == 12
    turned = np.sort([np.degrees(np.arctan2(R[1, 0], R[0, 0])) % 360 for R in about_z])
    assert np.abs(np.diff(turned) - 30).max() < 4


def test_paint_does_not_matter() -> None:
    assert len(lookalikes(primitives()["box, label"].mesh)) == 4


def test_an_object_without_any_is_left_alone() -> None:
    cuboid, knob = trimesh.creation.box([0.05, 0.075, 0.10]), trimesh.creation.box([0.05, 0.03, 0.03])
    knob.apply_translation([0.05, 0.02, 0.03])
    assert len(lookalikes(mesh_of(trimesh.util.concatenate([cuboid, knob])))) == 1


def test_a_flat_sheet_is_no_trouble() -> None:
    square = Mesh(
        np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.06, 0], [0, 0.06, 0]], np.float64), np.array([[0, 1, 2], [0, 2, 3]])
    )
    found = lookalikes(square).R
    for half_turn in np.diag([1.0, -1.0, -1.0]), np.diag([-1.0, 1.0, -1.0]), np.diag([-1.0, -1.0, 1.0]):
        assert np.abs(found - half_turn).max(axis=(1, 2)).min() < 0.05


def test_they_are_the_same_every_time() -> None:
    one, two = lookalikes(box(moved=True)), lookalikes(box(moved=True))
    assert np.array_equal(one.R, two.R)
    assert np.array_equal(one.t_m, two.t_m)


def motions_apart(mesh: Mesh, one: tuple[F64, F64], other: tuple[F64, F64]) -> float:
    """Greatest distance, over motions of one, to the nearest motion of the other: by where they take vertices."""
    points = mesh.vertices_m[:: max(1, len(mesh.vertices_m) // 100)]
    first, second = (points @ R.transpose(0, 2, 1) + t[:, None] for R, t in (one, other))
    return float(np.linalg.norm(first[:, None] - second[None], axis=3).max(axis=2).min(axis=1).max())


SOLIDS = {
    "cube": trimesh.creation.box((0.06, 0.06, 0.06)),
    "prism of 5": trimesh.creation.cylinder(0.03, 0.06, sections=5),
    "prism of 6": trimesh.creation.cylinder(0.03, 0.05, sections=6),
    "prism of 12": trimesh.creation.cylinder(0.03, 0.1, sections=12),
    "cylinder": trimesh.creation.cylinder(0.03, 0.1, sections=48),
    "ball": trimesh.creation.icosphere(3, 0.04),
}


@pytest.mark.parametrize("name", list(SOLIDS))
def test_they_do_not_depend_on_where_the_origin_is(name: str) -> None:
    mesh, shift_m = mesh_of(SOLIDS[name]), np.array([0.7, -1.3, 2.0])
    here = lookalikes(mesh)
    there = lookalikes(Mesh(mesh.vertices_m + shift_m, mesh.faces))
    back = there.R, there.t_m + there.R @ shift_m - shift_m
    assert len(here) == len(there)
    assert motions_apart(mesh, (here.R, here.t_m), back) < 1e-3 * mesh.diameter


@pytest.mark.parametrize(("name", "count"), [("cube", 24), ("prism of 5", 10), ("prism of 6", 12)])
def test_solids_have_the_turns_of_their_group(name: str, count: int) -> None:
    mesh = mesh_of(SOLIDS[name])
    found = lookalikes(mesh)
    assert len(found) == count
    for R, t_m in zip(found.R, found.t_m, strict=True):
        away = np.linalg.norm((mesh.vertices_m @ R.T + t_m)[:, None] - mesh.vertices_m, axis=2).min(axis=1)
        assert away.max() < 0.06 * mesh.diameter  # at corners; the surfaces are within 1.5 % on average


def test_the_work_for_a_ball_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffdope.scene.cloud import Cloud

    matched: list[int] = []
    measured = Cloud.measured

    def counted(self: Cloud, R: F64, t: F64) -> object:
        matched.append(len(R))
        return measured(self, R, t)

    monkeypatch.setattr(Cloud, "measured", counted)
    assert len(lookalikes(mesh_of(SOLIDS["ball"]))) == 40
    assert sum(matched) < 1000  # motions held against the surface; each takes a tenth of a millisecond
