"""Boxes, cylinders, capsules and balls as triangles, about their middle: what robot descriptions call primitives."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Triangles = tuple[F64, I64]
"""Vertices (V, 3) and indices of them (F, 3), wound outwards."""

_AROUND = 64  # sides of what is round: a cylinder's outline is then off by at most 0.12 % of its radius


def joined(parts: Iterable[Triangles]) -> Triangles:
    """Several as one, in their order; none of no parts."""
    vertices, faces, first = [np.empty((0, 3))], [np.empty((0, 3), np.int64)], 0
    for points, triangles in parts:
        vertices.append(points)
        faces.append(triangles + first)
        first += len(points)
    return np.concatenate(vertices), np.concatenate(faces)


def box(size_m: tuple[float, float, float]) -> Triangles:
    """A box with sides along the axes.

    Args:
        size_m: lengths along x, y and z, metres.
    """
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))]
    return 0.5 * signs * np.asarray(size_m), np.array(faces)


def cylinder(radius_m: float, length_m: float) -> Triangles:
    """A cylinder along z."""
    angle = 2.0 * np.pi * np.arange(_AROUND) / _AROUND
    ring = radius_m * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    low, high = (np.column_stack([ring, np.full(_AROUND, side * 0.5 * length_m)]) for side in (-1.0, 1.0))
    ends = np.array([[0.0, 0.0, -0.5 * length_m], [0.0, 0.0, 0.5 * length_m]])
    i = np.arange(_AROUND)
    k, bottom, top = (i + 1) % _AROUND, np.full(_AROUND, 2 * _AROUND), np.full(_AROUND, 2 * _AROUND + 1)
    faces = [(i, k, k + _AROUND), (i, k + _AROUND, i + _AROUND), (bottom, k, i), (top, i + _AROUND, k + _AROUND)]
    return np.concatenate([low, high, ends]), np.concatenate([np.stack(part, axis=1) for part in faces])


def ball(radius_m: float) -> Triangles:
    """A ball, in circles of latitude."""
    rows = _AROUND // 2
    down = np.pi * np.arange(1, rows) / rows
    vertices, faces = _revolved(np.sin(down), np.cos(down), 1.0)
    return radius_m * vertices, faces


def capsule(radius_m: float, length_m: float) -> Triangles:
    """A cylinder along z between two halves of a ball; `length_m` is the cylinder's."""
    quarter = _AROUND // 4
    down = 0.5 * np.pi * np.arange(1, quarter + 1) / quarter
    radii, heights = radius_m * np.sin(down), radius_m * np.cos(down) + 0.5 * length_m
    return _revolved(np.r_[radii, radii[::-1]], np.r_[heights, -heights[::-1]], radius_m + 0.5 * length_m)


def _revolved(radii: F64, heights: F64, pole: float) -> Triangles:
    """Circles about z, from above to below, closed by points at both ends.

    Args:
        radii: (N,) of the circles.
        heights: (N,) their z.
        pole: z of the upper end; the lower one is as far below 0.
    """
    around = 2.0 * np.pi * np.arange(_AROUND) / _AROUND
    circles = np.stack(
        [np.outer(radii, np.cos(around)), np.outer(radii, np.sin(around)), np.outer(heights, np.ones(_AROUND))],
        axis=-1,
    ).reshape(-1, 3)
    north, south = len(circles), len(circles) + 1
    i = np.arange(_AROUND)
    k, last = (i + 1) % _AROUND, (len(radii) - 1) * _AROUND
    faces = [np.stack([np.full(_AROUND, north), i, k], axis=1)]
    for row in range(len(radii) - 1):
        a, b = row * _AROUND, (row + 1) * _AROUND
        faces += [np.stack([a + i, b + i, b + k], axis=1), np.stack([a + i, b + k, a + k], axis=1)]
    faces.append(np.stack([np.full(_AROUND, south), last + k, last + i], axis=1))
    return np.concatenate([circles, [[0.0, 0.0, pole], [0.0, 0.0, -pole]]]), np.concatenate(faces)
