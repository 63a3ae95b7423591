"""Nearest points on a surface: a tree of boxes over its triangles in the order of a space-filling curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.scene import nearest_kernels as kernels

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

_BITS = 10  # of each coordinate in the curve's order
_CELLS = 128  # a side, at most: queries beyond them do without


class Nearest(NamedTuple):
    """Of N queries: squared distance (N,), infinite where nothing was near; face (N,), else -1; weights (N, 3)."""

    square: F64
    face: I32
    weights: F64


class TreeArrays(NamedTuple):
    """What the kernels take: points (P, 3), faces (F, 3) in their order, boxes (2 L, 6), and room for the way down."""

    points: F64
    faces: I32
    boxes: F64
    stack: I64
    bound: F64


class Tree:
    """Triangles that can be asked for what is nearest to a point.

    Args:
        points: (P, 3).
        faces: (F, 3) indices of points, at least one.
    """

    def __init__(self, points: F64, faces: I32) -> None:
        a, b, c = (points.take(faces[:, corner], axis=0) for corner in range(3))
        low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
        self._order = np.argsort(curve_of(low + high), kind="stable")
        self._places = np.empty(len(faces), np.int32)
        self._places[self._order] = np.arange(len(faces))
        boxes = boxes_of(low[self._order], high[self._order])
        self.arrays = TreeArrays(
            np.ascontiguousarray(points), np.ascontiguousarray(faces[self._order]), boxes,
            np.empty(kernels.DEPTH, np.int64), np.empty(kernels.DEPTH),
        )  # fmt: skip

    def nearest(
        self, queries: F64, limit: float, *, any_will_do: bool = False, beside: I32 | None = None
    ) -> Nearest:  # fmt: skip
        """What is nearest to queries (N, 3), where something is within `limit`.

        Args:
            queries: (N, 3).
            limit: greatest distance.
            any_will_do: take any triangle within `limit`, which is faster.
            beside: (N,) faces that are near by, which is faster, too; None where none are known.
        """
        count = len(queries)
        square, weights = np.empty(count), np.zeros((count, 2))
        face = np.full(count, -1, np.int32) if beside is None else self._places[beside]
        own = self.arrays._replace(stack=np.empty(kernels.DEPTH, np.int64), bound=np.empty(kernels.DEPTH))
        kernels.nearest(np.ascontiguousarray(queries), limit, any_will_do, *own, square, face, weights)
        found = np.where(face >= 0, self._order[face], -1).astype(np.int32)
        return Nearest(square, found, np.column_stack([1.0 - weights.sum(axis=1), weights]))


class Near:
    """Counts points that are off a surface by more than a distance: the same distance each time, and many points.

    Args:
        tree: of the surface.
        limit: the distance, more than 0.
    """

    def __init__(self, tree: Tree, limit: float) -> None:
        self._arrays, self._limit = tree.arrays, limit
        low, high = tree.arrays.boxes[1, :3], tree.arrays.boxes[1, 3:]
        self._low = low - limit
        self._cells = np.zeros(np.minimum(np.ceil((high - low) / limit) + 2, _CELLS).astype(np.intp), np.int32)

    def count_off(self, points: F64, most: int | None = None) -> int:
        """How many of points (N, 3) have nothing within the distance.

        Args:
            points: (N, 3).
            most: counting ends at the first beyond so many; None for all.
        """
        own = self._arrays._replace(stack=np.empty(kernels.DEPTH, np.int64), bound=np.empty(kernels.DEPTH))
        most = len(points) if most is None else most
        return int(kernels.count_off(np.ascontiguousarray(points), self._limit, most, self._low, self._cells, *own))


def curve_of(points: F64) -> I64:
    """Places of points (N, 3) on a curve that fills their box: Morton 1966."""
    low = points.min(axis=0)
    extent = max(float(np.ptp(points, axis=0).max()), 1e-300)
    cells = ((points - low) * ((2**_BITS - 1) / extent)).astype(np.int64)
    for shift, kept in ((16, 0x30000FF), (8, 0x300F00F), (4, 0x30C30C3), (2, 0x9249249)):
        cells = (cells | cells << shift) & kept
    return np.asarray(cells[:, 0] | cells[:, 1] << 1 | cells[:, 2] << 2)


def boxes_of(low: F64, high: F64) -> F64:
    """A complete binary tree (2 L, 6) of boxes: least and greatest corners, node 1 the root, L leaves last."""
    leaves = 1
    while leaves * kernels.LEAF < len(low):
        leaves *= 2
    boxes = np.empty((2 * leaves, 6))
    boxes[:, :3], boxes[:, 3:] = np.inf, -np.inf
    starts = np.arange(0, len(low), kernels.LEAF)
    used = slice(leaves, leaves + len(starts))
    boxes[used, :3] = np.minimum.reduceat(low, starts)
    boxes[used, 3:] = np.maximum.reduceat(high, starts)
    while leaves > 1:
        level, parents = boxes[leaves : 2 * leaves], slice(leaves // 2, leaves)
        boxes[parents, :3] = np.minimum(level[0::2, :3], level[1::2, :3])
        boxes[parents, 3:] = np.maximum(level[0::2, 3:], level[1::2, 3:])
        leaves //= 2
    return boxes
