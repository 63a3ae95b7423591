"""The diameter of a point set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.farthest_pair import farthest_pair

F64 = NDArray[np.float64]
Int = NDArray[np.intp]
_FEW = 512  # points of which all pairs are compared at once


def diameter(points: F64) -> float:
    """Greatest distance between two points of (N, 3): among the corners of their convex hull, so exact."""
    return farthest_apart(hull_corners(points))


def farthest_apart(corners: F64) -> float:
    """`diameter` of points (N, 3) that are the corners of their convex hull."""
    if len(corners) > _FEW:
        return farthest_pair(corners)
    squared = np.sum(corners**2, axis=1)[:, None] + np.sum(corners**2, axis=1)[None] - 2 * corners @ corners.T
    row, column = np.unravel_index(np.argmax(squared), squared.shape)
    # The expanded square picks the pair; its own rounding must not be in the result.
    return float(np.linalg.norm(corners[row] - corners[column]))


def hull_corners(points: F64) -> F64:
    """Points (M, 3) of (N, 3) with the same convex hull: its corners, or all where that cannot be computed."""
    return points[hull_of(points)]


def hull_of(points: F64) -> Int:
    """Which points (M,) of (N, 3) have the same convex hull: its corners, or all where that cannot be computed."""
    every = np.arange(len(points))
    centered = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centered.T @ centered)
    # A flat set has a hull in its plane only, a straight one only two ends.
    flat = centered @ axes.T
    extent = np.ptp(flat, axis=0)
    rank = int(np.count_nonzero(extent > 1e-9 * max(extent.max(), 1e-300)))
    if len(points) <= 3 or rank <= 1:
        return every if len(points) <= 3 else np.array([np.argmin(flat[:, 0]), np.argmax(flat[:, 0])])
    from scipy.spatial import ConvexHull, QhullError

    try:
        return np.asarray(ConvexHull(flat[:, :rank]).vertices, np.intp)
    except QhullError:  # nearly flat sets can defeat it; all points are a superset of the corners
        return every
