"""Axes of revolution: found of cans and balls, not of boxes, plates and cans with a handle."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from diffdope.scene.mesh import Mesh
from diffdope.scene.revolution import Axis, axes_of_parts, axes_of_revolution, axis_of_most
from diffdope.scene.sampling import surface_points


def axes_of(shape: trimesh.Trimesh) -> np.ndarray:
    mesh = Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))
    return axes_of_revolution(*surface_points(mesh, 8000), mesh.diameter)


def test_a_can_has_one_whatever_its_place_and_turn() -> None:
    can = trimesh.creation.cylinder(0.03, 0.1, sections=64)
    turn = trimesh.transformations.rotation_matrix(0.7, [1.0, 2.0, -0.5], [0.3, 0.0, 0.1])
    found = axes_of(can.apply_transform(turn))
    assert len(found) == 1
    assert abs(found[0] @ turn[:3, 2]) == pytest.approx(1.0, abs=1e-3)


def test_a_ball_has_three() -> None:
    found = axes_of(trimesh.creation.icosphere(4, 0.05))
    assert found @ found.T == pytest.approx(np.eye(3), abs=1e-6)


@pytest.mark.parametrize(
    "shape",
    [
        trimesh.creation.box([0.1, 0.06, 0.04]),
        trimesh.creation.box([0.1, 0.1, 0.1]),
        trimesh.creation.box([0.1, 0.1, 0.001]),
        trimesh.creation.cylinder(0.05, 0.02, sections=6),
    ],
    ids=["box", "cube", "square plate", "hexagonal nut"],
)
def test_corners_show_how_a_body_is_turned(shape: trimesh.Trimesh) -> None:
    assert axes_of(shape).shape == (0, 3)


def test_a_handle_shows_how_a_can_is_turned() -> None:
    can, handle = trimesh.creation.cylinder(0.03, 0.1, sections=64), trimesh.creation.box([0.02, 0.008, 0.06])
    handle.apply_translation([0.04, 0.0, 0.0])
    assert len(axes_of(trimesh.util.concatenate([can, handle]))) == 0


def with_handle(shape: trimesh.Trimesh, reach: float) -> trimesh.Trimesh:
    handle = trimesh.creation.box([0.02, 0.008, 0.06])
    handle.apply_translation([reach, 0.0, 0.0])
    return trimesh.util.concatenate([shape, handle])


def axis_of(shape: trimesh.Trimesh) -> Axis | None:
    mesh = Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))
    return axis_of_most(*surface_points(mesh, 8000), mesh.diameter)


def test_most_of_a_cup_has_an_axis_that_its_handle_does_not_move() -> None:
    cup = with_handle(trimesh.creation.cylinder(0.03, 0.1, sections=64), 0.04)
    turn = trimesh.transformations.rotation_matrix(0.7, [1.0, 2.0, -0.5], [0.3, 0.0, 0.1])
    found = axis_of(cup.apply_transform(turn))
    assert found is not None
    assert abs(found.direction @ turn[:3, 2]) == pytest.approx(1.0, abs=1e-3)
    assert np.linalg.norm(np.cross(found.point_m - turn[:3, 3], turn[:3, 2])) < 3e-4


def test_most_of_a_pot_has_an_axis_beside_its_handle_and_its_spout() -> None:
    """They are a seventh of the surface, more than a cup's handle is."""
    handle = trimesh.creation.torus(0.025, 0.0045)
    handle.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2.0, [1.0, 0.0, 0.0]))
    handle.apply_translation([-0.05, 0.0, 0.0])
    spout = trimesh.creation.cylinder(0.008, 0.06)
    spout.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 3.0, [0.0, 1.0, 0.0]))
    spout.apply_translation([0.06, 0.0, 0.02])
    pot = trimesh.util.concatenate([trimesh.creation.cylinder(0.045, 0.09, sections=64), handle, spout])
    assert 0.14 < (handle.area + spout.area) / pot.area < 0.18
    found = axis_of(pot)
    assert found is not None
    assert abs(found.direction[2]) == pytest.approx(1.0, abs=1e-3)
    assert np.linalg.norm(found.point_m[:2]) < 5e-4


def test_turns_leave_the_axis_where_it_is() -> None:
    axis = Axis(np.array([0.0, 0.6, 0.8]), np.array([0.1, -0.2, 0.05]))
    R, t = axis.turns(np.radians([30.0, 200.0]))
    for along_m in (0.0, 0.3):
        point = axis.point_m + along_m * axis.direction
        assert point @ R.transpose(0, 2, 1) + t == pytest.approx(np.stack([point, point]), abs=1e-12)
    assert np.trace(R, axis1=1, axis2=2) == pytest.approx(1.0 + 2.0 * np.cos(np.radians([30.0, 200.0])))


@pytest.mark.parametrize(
    "shape",
    [
        trimesh.creation.box([0.1, 0.06, 0.04]),
        trimesh.creation.box([0.1, 0.1, 0.1]),
        trimesh.creation.icosphere(4, 0.05),
        trimesh.creation.cylinder(0.022, 0.018, sections=6),
    ],
    ids=["box", "cube", "ball", "hexagon"],
)
def test_most_of_other_bodies_has_no_single_axis(shape: trimesh.Trimesh) -> None:
    assert axis_of(shape) is None


def test_a_pipe_has_its_axis_though_a_branch_is_much_of_it() -> None:
    pipe, branch = trimesh.creation.cylinder(0.02, 0.2, sections=64), trimesh.creation.cylinder(0.015, 0.1, sections=64)
    branch.apply_transform(trimesh.transformations.rotation_matrix(0.5 * np.pi, [0.0, 1.0, 0.0]))
    branch.apply_translation([0.07, 0.0, 0.03])
    shape = trimesh.util.concatenate([pipe, branch])
    assert axis_of(shape) is None
    mesh = Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))
    found = axes_of_parts(*surface_points(mesh, 8000), mesh.diameter)
    first = max(found, key=lambda one: abs(one.direction[2]))
    assert abs(first.direction[2]) > np.cos(np.radians(1.0))
    assert np.linalg.norm(first.point_m[:2]) < 0.001
    cosines = np.array([[abs(one.direction @ other.direction) for one in found] for other in found])
    assert np.all(cosines - np.eye(len(found)) < 0.95)


@pytest.mark.parametrize("handle", [False, True])
def test_axes_about_which_all_of_it_is_of_revolution_are_left_out_of_those_of_parts(handle: bool) -> None:
    shape = trimesh.creation.cylinder(0.03, 0.1, sections=64)
    if handle:
        grip = trimesh.creation.box([0.03, 0.012, 0.06], trimesh.transformations.translation_matrix([0.042, 0.0, 0.0]))
        shape = trimesh.util.concatenate([shape, grip])
    mesh = Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))
    found = axes_of_parts(*surface_points(mesh, 8000), mesh.diameter)
    assert any(abs(one.direction[2]) > 0.999 for one in found) is handle
