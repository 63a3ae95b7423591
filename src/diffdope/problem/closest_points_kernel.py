"""Steps of iterated closest points, compiled: each pose makes all of its own, and none depends on another."""

# mypy: allow-untyped-defs

from __future__ import annotations

import math

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit
from diffdope.scene.cloud_kernels import sum_planes
from diffdope.solve.linear_algebra import turn


@njit(**EXACT_INNER)
def solve_damped(matrix, slope, damping, root, step):
    """-(matrix + damping I)^-1 slope (6,), by Cholesky's root (6, 6) of a positive matrix."""
    for i in range(6):
        for k in range(i + 1):
            total = matrix[i, k] + (damping if i == k else 0.0)
            for j in range(k):
                total -= root[i, j] * root[k, j]
            root[i, k] = math.sqrt(total) if i == k else total / root[k, k]
    for i in range(6):
        total = -slope[i]
        for j in range(i):
            total -= root[i, j] * step[j]
        step[i] = total / root[i, i]
    for i in range(5, -1, -1):
        total = step[i]
        for j in range(i + 1, 6):
            total -= root[j, i] * step[j]
        step[i] = total / root[i, i]


@njit(**EXACT_INNER)
def move(R, t, step, back, turned):
    """Moves a pose so that seen points lie moved by (a, omega) (6,) in the model's frame; the rest is room (3, 3)."""
    for i in range(3):
        for k in range(3):
            back[k, i] = R[i, k]
    turn(step[3], step[4], step[5], back, turned)
    for i in range(3):
        for k in range(3):
            R[i, k] = turned[k, i]
    for i in range(3):
        t[i] -= R[i, 0] * step[0] + R[i, 1] * step[1] + R[i, 2] * step[2]


@njit(**EXACT_ENTRY)
def descend_planes(seen, R, t, surface, rules, away, room, curvature, slope):
    """Gauss-Newton steps of poses on the distances of seen points from the planes of their nearest points.

    Args:
        seen: (N, 3) in the camera's frame, metres.
        R: (M, 3, 3); the result takes its place.
        t: (M, 3), metres; the same.
        surface: points, normals, and start, nearest_cell, low, size, shape of their cells; see `sum_planes`.
        rules: (6,) steps; half the diameter, in which shifts compare with radians; damping as a share of the mean
            curvature; scale as a multiple of the mean distance, the least one, and the largest, metres.
        away: (M,) mean distances, metres: at first, then before the last step.
        room: (3, 6, 6) room.
        curvature: (M, 6, 6) before the last step, by shares of half the diameter and radians.
        slope: (M, 6) the same.
    """
    points, normals, start, nearest, low, size, shape = surface
    steps, unit, limit = int(rules[0]), rules[1], rules[5]
    row, step, back, turned = room[0, 0], room[0, 1], room[1, :3, :3], room[1, 3:, 3:]
    for m in range(len(t)):
        H, g = curvature[m], slope[m]
        for _ in range(steps):
            scale = min(max(rules[3] * away[m], rules[4]), limit)
            away[m] = sum_planes(
                seen, R[m], t[m], points, normals, start, nearest, low, size, shape, scale, limit, row, H, g
            )  # fmt: skip
            trace = 0.0
            for i in range(6):
                own = unit if i < 3 else 1.0
                g[i] *= own
                for k in range(6):
                    H[i, k] *= own * (unit if k < 3 else 1.0)
                trace += H[i, i]
            solve_damped(H, g, rules[2] / 6.0 * trace + 1e-12, room[2], step)
            for i in range(3):
                step[i] *= unit
            move(R[m], t[m], step, back, turned)
