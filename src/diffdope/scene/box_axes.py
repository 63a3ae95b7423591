"""The axes of the smallest box around a cloud of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.vectors import areas

F64 = NDArray[np.float64]

_DIGITS = 1  # of normals: a face of the hull within some degrees of another gives the same box
_EVEN = 4  # digits to which areas and volumes are compared: the first of equal ones is taken, whatever is rounded
_FACES = 40  # of the hull, the largest: where all are small, any box is about as good
_TURNS = 30  # within a right angle: every three degrees
_AT_ONCE = 40  # boxes that are measured
_SQUARE = 1.25
"""Ratio of two sides up to which a box is nearly square across the third axis: a motor with its flanges is. What is a
quarter of a turn off there is apart from the right pose by less than this ratio, so that depth tells them apart by its
details alone."""
_FINER = np.radians(np.linspace(-3.0, 3.0, 31))  # steps of 0.2 degrees about the best one of those before


def box_axes(points: F64) -> F64:
    """Axes (3, 3), as rows, of the smallest box around points (N, 3); none (0, 3) where they have no hull.

    One face of it lies on a face of the convex hull or nearly so (O'Rourke 1985 has the exact conditions), so the large
    faces of the hull are tried, each with turns by three degrees, and the best turn once more by a fifth of one.
    """
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(points)
    except QhullError:
        return np.empty((0, 3))
    corners, normals = points[hull.vertices], hull.equations[:, :3]
    largest = normals[np.arange(len(normals)), np.abs(normals).argmax(axis=1)]
    normals = normals * np.sign(largest)[:, None]
    _, group = np.unique(np.round(normals, _DIGITS), axis=0, return_inverse=True)
    area = areas(points, hull.simplices)
    sums = np.stack([np.bincount(group.ravel(), area * normals[:, d]) for d in range(3)], axis=1)
    size = np.linalg.norm(sums, axis=1)
    largest_first = np.argsort(-np.round(size / size.max(), _EVEN), kind="stable")[:_FACES]
    normals = (sums / size[:, None])[largest_first]
    turns = np.linspace(0.0, np.pi / 2, _TURNS, endpoint=False)
    normal, angle = _smallest(corners, normals, turns)
    _, angle = _smallest(corners, normal[None], np.asarray(angle + _FINER, np.float64))
    x, y = _across(normal[None])
    one = np.cos(angle) * x[0] + np.sin(angle) * y[0]
    return np.stack([one, np.cross(normal, one), normal])


def smallest_box(points: F64) -> tuple[F64, F64, F64]:
    """Axes (3, 3), as rows, sides (3,) and middle (3,) of the smallest box around points (N, 3); see `box_axes`."""
    axes = box_axes(points)
    along = points @ axes.T
    low, high = along.min(axis=0), along.max(axis=0)
    return axes, high - low, 0.5 * (low + high) @ axes


def turns_of_box(points: F64) -> tuple[F64, F64]:
    """Motions R (K, 3, 3) and t (K, 3), x -> R x + t, that map the smallest box around points (N, 3) onto itself: by
    half a turn about each of its axes, and by a quarter to both sides about those across which it is nearly square;
    none where the points have no hull.
    """
    axes, sides, middle = smallest_box(points)
    motions = [2.0 * np.outer(axis, axis) - np.eye(3) for axis in axes]
    for k, axis in enumerate(axes):
        across = np.delete(sides, k)
        if across.max() <= _SQUARE * across.min():
            motions += [so3.exp(angle * axis) for angle in (0.5 * np.pi, -0.5 * np.pi)]
    R = np.reshape(motions, (-1, 3, 3))
    return R, middle - R @ middle


def _smallest(corners: F64, normals: F64, turns: F64) -> tuple[F64, float]:
    """The normal and the turn about it of the box with the least volume."""
    height = np.ptp(corners @ normals.T, axis=0)
    x, y = _across(normals)
    along, up = corners @ x.T, corners @ y.T
    area = np.empty((len(turns), len(normals)))
    cosine, sine, step = np.cos(turns)[:, None], np.sin(turns)[:, None], max(_AT_ONCE // len(normals), 1)
    along, up = along[:, None], up[:, None]
    for k in range(0, len(turns), step):  # which stays in the cache
        c, s = cosine[k : k + step], sine[k : k + step]
        area[k : k + step] = np.ptp(c * along + s * up, axis=0) * np.ptp(c * up - s * along, axis=0)
    volume = area * height
    turn, normal = np.unravel_index(np.argmax(volume <= volume.min() * (1.0 + 10.0**-_EVEN)), area.shape)
    return normals[normal], float(turns[turn])


def _across(normals: F64) -> tuple[F64, F64]:
    """Two unit vectors (N, 3) at right angles to each unit normal (N, 3) and to each other."""
    axis = np.eye(3)[np.abs(normals).argmin(axis=1)]
    x = np.cross(normals, axis)
    x /= np.linalg.norm(x, axis=1)[:, None]
    return x, np.cross(normals, x)
