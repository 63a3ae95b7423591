"""The diameter of a point set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Int = NDArray[np.intp]
_FEW = 1024  # points of which all pairs are compared at once
_MOST_PAIRS = 2**22  # compared at a time, which bounds the memory


def diameter(points: F64) -> float:
    """Greatest distance between two points of (N, 3): among the corners of their convex hull, so exact."""
    return farthest_apart(hull_corners(points))


def farthest_apart(corners: F64) -> float:
    """`diameter` of points (N, 3) that are the corners of their convex hull."""
    # The pair is at least as far apart as any other; a point too near the middle cannot be one of it.
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    radius = np.linalg.norm(corners - middle, axis=1)
    far = corners[np.argmax(radius)]
    known = float(np.linalg.norm(corners - far, axis=1).max())
    corners = corners[radius >= (known - radius.max()) * (1 - 1e-12)]
    if len(corners) > _FEW:
        return max(known, _of_opposite_points(corners - middle, known))
    squared = np.sum(corners**2, axis=1)[:, None] + np.sum(corners**2, axis=1)[None] - 2 * corners @ corners.T
    row, column = np.unravel_index(np.argmax(squared), squared.shape)
    # The expanded square picks the pair; its own rounding must not be in the result.
    return max(known, float(np.linalg.norm(corners[row] - corners[column])))


def _of_opposite_points(points: F64, known: float) -> float:
    """Greatest distance between two points (N, 3) around the origin, at least `known`; quick for a ball, too.

    |p - q|^2 = 2 |p|^2 + 2 |q|^2 - |p + q|^2, so that a point q farther from p than what is known lies in a ball
    around -p, which is small where all points are about equally far from the origin.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    squares = np.sum(points**2, axis=1)
    away, opposite = tree.query(-points)
    best = max(known, float(np.linalg.norm(points - points[opposite], axis=1).max()))
    waiting = [np.arange(len(points))]
    while waiting:
        rows = waiting.pop()
        reach = np.sqrt(np.maximum(2.0 * (squares[rows] + squares.max()) - best**2, 0.0)) + 1e-9 * best
        rows, reach = rows[away[rows] <= reach], reach[away[rows] <= reach]
        if len(rows) == 0:
            continue
        counts = tree.query_ball_point(-points[rows], reach, return_length=True)
        if counts.sum() > _MOST_PAIRS and len(rows) > 1:
            waiting += np.array_split(rows, 2)
            continue
        others = np.concatenate([np.array(found, np.intp) for found in tree.query_ball_point(-points[rows], reach)])
        best = max(best, float(np.linalg.norm(np.repeat(points[rows], counts, axis=0) - points[others], axis=1).max()))
    return best


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
