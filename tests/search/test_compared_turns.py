"""Turns that are compared with a pose: of what is nearly square, and where what sticks out moves a box's middle."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box
from diffdope.geometry.so3 import exp
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.box_axes import turns_of_box
from diffdope.scene.mesh import Mesh
from diffdope.scene.revolution import Axis
from diffdope.search.alternatives.compared_turns import compared_turns
from diffdope.search.mesh_levels import MeshLevels

TILTED = exp(np.array([0.4, -0.7, 0.2]))
Z = Axis(np.array([0.0, 0.0, 1.0]), np.zeros(3))


def degrees_of(R: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip(0.5 * (np.trace(R, axis1=1, axis2=2) - 1.0), -1.0, 1.0)))


def corners(*sides: float) -> np.ndarray:
    signs = np.array(np.meshgrid(*[[-0.5, 0.5]] * 3)).reshape(3, -1).T
    return signs * sides @ TILTED.T + [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("sides", "quarters"),
    [((0.06, 0.03, 0.02), 0), ((0.06, 0.03, 0.03), 2), ((0.06, 0.03, 0.034), 2), ((0.04,) * 3, 6)],
)
def test_quarter_turns_of_what_is_nearly_square(sides: tuple[float, ...], quarters: int) -> None:
    points = corners(*sides)
    R, t = turns_of_box(points)
    degrees = degrees_of(R)
    assert np.count_nonzero(np.abs(degrees - 90.0) < 1e-6) == quarters
    assert np.count_nonzero(np.abs(degrees - 180.0) < 1e-4) == 3
    middle = points.mean(axis=0)
    np.testing.assert_allclose(R @ middle + t, np.broadcast_to(middle, t.shape), atol=1e-9)


def test_points_without_a_hull_have_none() -> None:
    R, t = turns_of_box(np.zeros((8, 3)))
    assert R.shape == (0, 3, 3) and t.shape == (0, 3)


def test_a_box_turns_only_where_no_symmetry_does() -> None:
    half = exp(np.array([0.0, 0.0, np.pi]))
    box = np.stack([half, exp(np.array([np.pi, 0.0, 0.0]))]), np.array([[0.01, 0.0, 0.0], [0.0, 0.0, 0.0]])
    symmetries = Symmetries(np.stack([np.eye(3), half]), np.zeros((2, 3)))
    R, t = compared_turns(box, None, symmetries)
    np.testing.assert_allclose(R, [half, box[0][1]])
    np.testing.assert_allclose(t, np.zeros((2, 3)))  # the symmetry's place, not that of the box


def test_a_body_of_revolution_turns_by_quarters() -> None:
    box = exp(np.array([[np.pi, 0.0, 0.0]])), np.zeros((1, 3))
    some = exp(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5]]))  # about its axis, which the quarters stand for
    R, _ = compared_turns(box, Z, Symmetries(some, np.zeros((2, 3))))
    assert sorted(degrees_of(R)) == pytest.approx([90.0, 90.0, 180.0, 180.0], abs=1e-3)


def test_what_sticks_out_does_not_move_the_turns() -> None:
    """A square bar with a plug at one side: its quarter turns are about the bar's axis, not about the box's."""
    parts = [((0.03, 0.03, 0.08), (0.0, 0.0, 0.0)), ((0.005, 0.01, 0.01), (0.0175, 0.0, 0.02))]
    vertices, faces = [], []
    for size, middle in parts:
        some, triangles = grid_box(np.array(size), 4)
        faces.append(triangles + sum(len(one) for one in vertices))
        vertices.append(some + np.array(middle))
    meshes = MeshLevels(Mesh(np.concatenate(vertices), np.concatenate(faces)), (0,))
    R, t = compared_turns(meshes.turns_of_box, meshes.axis, meshes.approximate_symmetries)
    quarters = [k for k in range(len(R)) if abs(R[k][2, 2] - 1.0) < 1e-3 and abs(np.trace(R[k]) - 1.0) < 0.05]
    assert len(quarters) == 2
    # The box's middle is 2.5 mm aside: a quarter turn about it moves the bar's axis by 3.5 mm.
    assert np.linalg.norm(t[quarters], axis=1).max() < 0.0015
