"""The diameter of a point set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
_BLOCK = 1024


def diameter(points: F64) -> float:
    """Greatest distance between two points of (N, 3): among the corners of their convex hull, so exact."""
    corners = hull_corners(points)
    # The pair is at least as far apart as any other; a point too near the middle cannot be one of it.
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    radius = np.linalg.norm(corners - middle, axis=1)
    far = corners[np.argmax(radius)]
    known = float(np.linalg.norm(corners - far, axis=1).max())
    corners = corners[radius >= (known - radius.max()) * (1 - 1e-12)]
    best = known
    for start in range(0, len(corners), _BLOCK):  # in blocks, because all pairs at once may not fit into memory
        rows, others = corners[start : start + _BLOCK], corners[start:]
        squared = np.sum(rows**2, axis=1)[:, None] + np.sum(others**2, axis=1)[None] - 2 * rows @ others.T
        row, column = np.unravel_index(np.argmax(squared), squared.shape)
        # The expanded square picks the pair; its own rounding must not be in the result.
        best = max(best, float(np.linalg.norm(rows[row] - others[column])))
    return best


def hull_corners(points: F64) -> F64:
    """Points (M, 3) of (N, 3) with the same convex hull: its corners, or all where that cannot be computed."""
    centered = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centered.T @ centered)
    # A flat set has a hull in its plane only, a straight one only two ends.
    flat = centered @ axes.T
    extent = np.ptp(flat, axis=0)
    rank = int(np.count_nonzero(extent > 1e-9 * max(extent.max(), 1e-300)))
    if len(points) <= 3 or rank <= 1:
        return points if len(points) <= 3 else points[[np.argmin(flat[:, 0]), np.argmax(flat[:, 0])]]
    from scipy.spatial import ConvexHull, QhullError

    try:
        corners: F64 = points[ConvexHull(flat[:, :rank]).vertices]
    except QhullError:  # nearly flat sets can defeat it; all points are a superset of the corners
        return points
    return corners
