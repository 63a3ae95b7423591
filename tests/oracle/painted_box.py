"""Boxes with a mottled print, and the way of one before a camera that takes photographs alone."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh

VERTICES_M, FACES = grid_box(np.array([0.12, 0.08, 0.04]), 12)


def box() -> Mesh:
    """As its model has it."""
    return painted("box", VERTICES_M, FACES, _colours)


def box_lit(light: np.ndarray) -> Mesh:
    """The same where each of its six faces is in another light (6,)."""
    return painted("lit", VERTICES_M, FACES, lambda x: _colours(x) * np.repeat(light, len(x) // 6)[:, None])


def dark_box() -> Mesh:
    """Another, of 6 x 10 x 8 cm, darker than a bright ground."""
    return painted("box", *grid_box(np.array([0.06, 0.1, 0.08]), 6), lambda x: 0.3 + 0.3 * mottled(x))


def _colours(vertices_m: np.ndarray) -> np.ndarray:
    return 0.55 + 0.6 * (mottled(vertices_m) - 0.5)


def swaying(frame: int) -> Pose:
    """The first one's pose in a frame, 30 in a second: it comes and goes along the view, and turns."""
    s = frame / 30.0
    at = np.array([0.02 * np.sin(5.0 * s), 0.01 * np.sin(7.0 * s), 0.6 + 0.04 * np.sin(6.0 * s)])
    return Pose(np.eye(3), at).retract([0, 0, 0, 2.4, 0.5, 0.3]).retract([0, 0, 0, 0, 0.8 * s, 0.6 * s])
