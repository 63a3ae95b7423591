"""Shapes whose texture has charts that lie apart, as those of unwrapped scans do."""

from __future__ import annotations

import numpy as np

from diffdope.experiments.shapes import icosphere
from diffdope.scene.mesh import Mesh


def charts_of_ball(size: int = 256, cells: int = 8, tone: int = 255) -> Mesh:
    """A ball of 8 cm in one colour: faces in each of `cells` by `cells` directions have a chart of their own, on black.

    Charts are half a cell wide.
    """
    vertices, faces = icosphere(4, 0.04)
    middle = vertices[faces].mean(axis=1)
    column = np.clip(((np.arctan2(middle[:, 1], middle[:, 0]) / np.pi + 1.0) / 2.0 * cells).astype(int), 0, cells - 1)
    row = np.clip(((middle[:, 2] / 0.04 + 1.0) / 2.0 * cells).astype(int), 0, cells - 1)
    corners = vertices[faces]  # (F, 3, 3): no vertex is shared by charts, nor within them
    turn = np.arctan2(corners[..., 1], corners[..., 0]) - np.arctan2(middle[:, 1], middle[:, 0])[:, None]
    turn = (turn + np.pi) % (2.0 * np.pi) - np.pi + np.arctan2(middle[:, 1], middle[:, 0])[:, None]
    u = np.clip((turn / np.pi + 1.0) / 2.0 * cells - column[:, None], 0.0, 1.0)
    v = np.clip((corners[..., 2] / 0.04 + 1.0) / 2.0 * cells - row[:, None], 0.0, 1.0)
    cell = size / cells
    x, y = (column[:, None] + 0.25 + 0.5 * u) * cell, (row[:, None] + 0.25 + 0.5 * v) * cell
    texture = np.zeros((size, size, 3), np.uint8)
    inside = (np.arange(size) % cell >= 0.25 * cell - 1) & (np.arange(size) % cell <= 0.75 * cell)
    texture[np.ix_(inside, inside)] = tone
    uv = np.stack([x.ravel(), y.ravel()], axis=1) / size
    return Mesh(corners.reshape(-1, 3), np.arange(3 * len(faces), dtype=np.int32).reshape(-1, 3), uv, texture)
