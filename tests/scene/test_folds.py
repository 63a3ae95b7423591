"""Turns that most of a surface has: discs with k holes, a notch in their rims."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import primitives, tube
from diffdope.geometry import so3
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.folds import folds_of, least_turn
from diffdope.scene.mesh import Mesh
from diffdope.scene.sampling import points_on
from tests.scene.flanges import flange, gear


def found(mesh: Mesh) -> tuple[int, float]:
    """How many turns, and the angle of the first in degrees."""
    folds = folds_of(points_on(mesh, 10_000), mesh.diameter)
    return len(folds), float(np.degrees(np.linalg.norm(so3.log(folds.R[1])))) if len(folds) > 1 else 0.0


@pytest.mark.parametrize("k", [3, 4, 5, 7])
def test_holes_of_a_notched_disc_are_counted(k: int) -> None:
    assert found(flange(k)) == (k, pytest.approx(360.0 / k))


@pytest.mark.parametrize("teeth", [12, 18, 23])
def test_teeth_are_counted_though_windows_and_a_keyway_are_more_than_a_few_points(teeth: int) -> None:
    mesh = gear(teeth)
    assert found(mesh) == (teeth, pytest.approx(360.0 / teeth))


def test_turns_are_about_the_disc_s_own_axis_wherever_the_model_s_frame_is() -> None:
    mesh = flange(5)
    moved = Mesh(mesh.vertices_m @ so3.exp(np.array([0.4, -1.1, 0.7])).T + [0.2, 0.1, -0.3], mesh.faces)
    folds = folds_of(points_on(moved, 10_000), moved.diameter)
    middle = np.array([0.2, 0.1, -0.3])
    assert len(folds) == 5
    assert np.allclose(folds.R @ middle + folds.t_m, middle, atol=0.01 * moved.diameter)


@pytest.mark.parametrize("name", ["cube", "sphere"])
def test_what_has_many_axes_has_no_folds(name: str) -> None:
    assert found(primitives()[name].mesh)[0] == 1


def test_a_box_of_three_lengths_has_no_folds() -> None:
    cube = primitives()["cube"].mesh
    assert found(Mesh(cube.vertices_m * [1.0, 0.8, 0.5], cube.faces))[0] == 1


def test_what_is_of_revolution_has_no_folds() -> None:
    assert found(Mesh(*tube(96, 12, 0.03, 0.1)))[0] == 1


def test_the_least_turn_takes_all_of_it_onto_itself() -> None:
    """A hexagonal nut and a square one, of which no side is painted, or one is, or two that are opposite."""
    for sides, painted, least in ((6, (), 60.0), (8, (), 45.0), (6, (0,), None), (6, (0, 3), 180.0)):
        angles = 2.0 * np.pi * np.arange(sides) / sides
        corners = 0.03 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        vertices, faces, colors = [], [], []
        for k in range(sides):
            a, b = corners[k], corners[(k + 1) % sides]
            first = len(vertices)
            vertices += [[*a, 0.0], [*b, 0.0], [*b, 0.01], [*a, 0.01], [0.0, 0.0, 0.0], [0.0, 0.0, 0.01]]
            faces += [[first + q for q in one] for one in ((0, 1, 2), (0, 2, 3), (0, 4, 1), (3, 2, 5))]
            colors += [[0.9, 0.1, 0.1] if k in painted else [0.2, 0.2, 0.8]] * 6
        at = np.array([0.2, 0.1, -0.3])
        mesh = Mesh(np.array(vertices) + at, np.array(faces), colors=np.array(colors))
        axis, angle = least_turn(folds_of(points_on(mesh, 10_000), mesh.diameter), Alikeness(mesh))
        if least is None:
            assert axis is None and angle == 0.0
            continue
        assert axis is not None and np.degrees(angle) == pytest.approx(least)
        assert np.abs(axis.direction[2]) == pytest.approx(1.0, abs=1e-3)
        assert np.allclose(axis.point_m[:2], at[:2], atol=0.01 * mesh.diameter)
