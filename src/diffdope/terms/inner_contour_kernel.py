"""The loops of `terms/inner_contour.py`: which creases of a drawn object can be seen, and where."""

# mypy: allow-untyped-defs

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL

_EDGE = 2  # pixels next to the picture's border that are left out
_COVERED = 0.99  # of a pixel that no outline passes


@njit(**KERNEL)
def _shown(coverage, depth, v, u, nearest):
    """Whether a point at least as far as `nearest` [m] can be seen at a pixel, away from the outline."""
    farthest = 0.0
    for j in range(-1, 2):
        for i in range(-1, 2):
            if coverage[v + j, u + i] < _COVERED:
                return False  # the outline's own points are there
            farthest = max(farthest, np.float64(depth[v + j, u + i]))
    return farthest >= nearest


@njit(**KERNEL)
def trace_creases(
    points, directions, lengths, R, t, fx, fy, cx, cy, coverage, depth, margin_m, place, normal, point
):  # fmt: skip
    """Fills place and normal (N, 2) in pixels and camera-frame point (N, 3) of creases that are seen.

    points, directions (M, 3), lengths (M,): of `Creases`; coverage, depth (H, W): as drawn; margin_m: by which a point
    may lie behind what was drawn. There is about one point a pixel of crease. Returns how many there are.
    """
    height, width = coverage.shape
    found, most, owed = 0, len(place), 0.0
    for k in range(len(points)):
        x = R[0, 0] * points[k, 0] + R[0, 1] * points[k, 1] + R[0, 2] * points[k, 2] + t[0]
        y = R[1, 0] * points[k, 0] + R[1, 1] * points[k, 1] + R[1, 2] * points[k, 2] + t[1]
        z = R[2, 0] * points[k, 0] + R[2, 1] * points[k, 1] + R[2, 2] * points[k, 2] + t[2]
        if z <= 1e-6:
            continue
        u, v = fx * x / z + cx, fy * y / z + cy
        if not (_EDGE <= u < width - _EDGE - 1 and _EDGE <= v < height - _EDGE - 1):
            continue
        if not _shown(coverage, depth, int(v + 0.5), int(u + 0.5), z - margin_m):
            continue
        dx = R[0, 0] * directions[k, 0] + R[0, 1] * directions[k, 1] + R[0, 2] * directions[k, 2]
        dy = R[1, 0] * directions[k, 0] + R[1, 1] * directions[k, 1] + R[1, 2] * directions[k, 2]
        dz = R[2, 0] * directions[k, 0] + R[2, 1] * directions[k, 1] + R[2, 2] * directions[k, 2]
        across, down = fx * (dx - x / z * dz) / z, fy * (dy - y / z * dz) / z
        length = np.sqrt(across * across + down * down)
        owed += min(length * lengths[k], 1.0)
        if owed < 1.0 or found == most or length <= 0.0:
            continue
        owed -= 1.0
        place[found, 0], place[found, 1] = u, v
        normal[found, 0], normal[found, 1] = -down / length, across / length
        point[found, 0], point[found, 1], point[found, 2] = x, y, z
        found += 1
    return found


@njit(**ENTRY)
def project_creases(
    points, directions, lengths, R, t, fx, fy, cx, cy, coverage, depth, margin_m, place, normal, point, count
):  # fmt: skip
    """`trace_creases`, for who wants nothing else; count: (1,)."""
    count[0] = trace_creases(
        points, directions, lengths, R, t, fx, fy, cx, cy, coverage, depth, margin_m, place, normal, point
    )  # fmt: skip
