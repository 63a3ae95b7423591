"""Turns that most of a surface has: discs with k holes, a notch in their rims."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import primitives, tube
from diffdope.geometry import so3
from diffdope.scene.folds import folds_of
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
