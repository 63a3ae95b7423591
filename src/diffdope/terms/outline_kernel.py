"""Points of a drawn outline, between pixels."""

# mypy: allow-untyped-defs

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR
from diffdope.terms.smoothing_kernel import clamped

LEAST_POINTS = 20
"""Of an outline: fewer say nothing."""
_INSIDE_PX = 2.0  # of an outline, where the object is that it belongs to


@njit(**SCALAR)
def on_border(coverage, depth, v, u):
    """Whether a covered pixel is next to one that is not; not for those on the picture's own border."""
    if coverage[v, u] <= 0.5 or depth[v, u] <= 0.0:
        return False
    return not (
        coverage[v - 1, u] > 0.5 and coverage[v + 1, u] > 0.5 and coverage[v, u - 1] > 0.5 and coverage[v, u + 1] > 0.5
    )


@njit(**KERNEL)
def smoothed_around(coverage, gauss, v, u):
    """Smoothed coverage at a pixel, and its first moments by column and row."""
    height, width = coverage.shape
    n = len(gauss) // 2
    level, across, down = 0.0, 0.0, 0.0
    if n <= v < height - n and n <= u < width - n:
        for j in range(-n, n + 1):
            own, moment = 0.0, 0.0
            for i in range(-n, n + 1):
                value = coverage[v + j, u + i] * gauss[i + n]
                own += value
                moment += value * i
            level += gauss[j + n] * own
            across += gauss[j + n] * moment
            down += gauss[j + n] * own * j
        return level, across, down
    for j in range(-n, n + 1):
        for i in range(-n, n + 1):
            value = coverage[clamped(v + j, height), clamped(u + i, width)] * gauss[j + n] * gauss[i + n]
            level += value
            across += value * i
            down += value * j
    return level, across, down


@njit(**KERNEL)
def trace_outline(coverage, depth, gauss, variance, fx, fy, cx, cy, place, normal, point):
    """Fills points of a rendered outline, sub-pixel: place and outward normal (N, 2), camera-frame point (N, 3).

    They are covered pixels next to one that is not, away from the picture's own border, moved along the slope of the
    smoothed coverage to where that is a half. gauss (2 n + 1,): weights of the smoothing, of that variance. Returns
    how many there are.
    """
    height, width = coverage.shape
    found = 0
    for v in range(1, height - 1):
        for u in range(1, width - 1):
            if not on_border(coverage, depth, v, u):
                continue
            level, across, down = smoothed_around(coverage, gauss, v, u)
            # The derivative of a Gaussian is itself times the offset over the variance.
            across, down = across / variance, down / variance
            length = max(np.sqrt(across * across + down * down), 1e-6)
            normal[found, 0], normal[found, 1] = -across / length, -down / length
            off = min(max((level - 0.5) / length, -1.5), 1.5)
            place[found, 0], place[found, 1] = u + off * normal[found, 0], v + off * normal[found, 1]
            z = depth[v, u]
            point[found, 0] = (place[found, 0] - cx) / fx * z
            point[found, 1] = (place[found, 1] - cy) / fy * z
            point[found, 2] = z
            found += 1
    return found


@njit(**ENTRY)
def count_outline(coverage, depth):
    """How many points the outline of a rendering (H, W) has."""
    found = 0
    for v in range(1, coverage.shape[0] - 1):
        for u in range(1, coverage.shape[1] - 1):
            if on_border(coverage, depth, v, u):
                found += 1
    return found


@njit(**ENTRY)
def find_outline(coverage, depth, gauss, variance, fx, fy, cx, cy, place, normal, point):
    """`trace_outline`, for who wants nothing else."""
    return trace_outline(coverage, depth, gauss, variance, fx, fy, cx, cy, place, normal, point)


@njit(**KERNEL)
def _is_shown(shown, place, normal, i):
    """Whether an image (H, W) is not 0 where the object is that a point of its outline belongs to."""
    u = clamped(int(np.floor(place[i, 0] - _INSIDE_PX * normal[i, 0] + 0.5)), shown.shape[1])
    v = clamped(int(np.floor(place[i, 1] - _INSIDE_PX * normal[i, 1] + 0.5)), shown.shape[0])
    return shown[v, u] != 0


@njit(**ENTRY)
def mark_shown(shown, place, normal, points, least, chosen):
    """Fills chosen (N,) with which of the first `points` places and normals (N, 2) an image (H, W) shows.

    All, if it shows less than `least`, or has no pixels.
    """
    found = 0
    if shown.shape[0] > 0:
        for i in range(points):
            chosen[i] = _is_shown(shown, place, normal, i)
            found += chosen[i]
    if found < least:
        for i in range(points):
            chosen[i] = True


@njit(**KERNEL)
def keep_shown(shown, place, normal, point, points, least):
    """Leaves out points of an outline as `mark_shown` does; returns how many are left."""
    found = 0
    for i in range(points):
        if _is_shown(shown, place, normal, i):
            found += 1
    if found < least:
        return points
    kept = 0
    for i in range(points):
        if _is_shown(shown, place, normal, i):
            for c in range(2):
                place[kept, c], normal[kept, c] = place[i, c], normal[i, c]
            for c in range(3):
                point[kept, c] = point[i, c]
            kept += 1
    return kept
