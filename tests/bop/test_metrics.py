from __future__ import annotations

import numpy as np
import pytest

from diffdope.bop.metrics import add, add_s
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

SQUARE = np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]]) * 0.1


def test_add_of_a_shift_is_its_length() -> None:
    truth = Pose(np.eye(3), np.array([0.0, 0.0, 1.0]))
    moved = Pose(np.eye(3), np.array([0.003, 0.004, 1.0]))
    assert add(moved, truth, SQUARE) == pytest.approx(0.005)
    assert add_s(moved, truth, SQUARE) == pytest.approx(0.005)


def test_add_s_forgives_a_symmetry_and_add_does_not() -> None:
    truth = Pose(np.eye(3), np.array([0.0, 0.0, 1.0]))
    turned = Pose(so3.exp(np.array([0.0, 0.0, np.pi / 2])), truth.t_m2c)
    assert add(turned, truth, SQUARE) == pytest.approx(0.2)  # each corner moves along one side of the square
    assert add_s(turned, truth, SQUARE) == pytest.approx(0.0, abs=1e-12)
