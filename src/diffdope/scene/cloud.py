"""A cloud of points on a surface, and motions that are moved so that they take it onto itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.scene import cloud_kernels as kernels

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_CELL = 0.04  # of the diameter: some four of ten thousand points


class Motions(NamedTuple):
    """M motions x -> R x + t, (M, 3, 3) and (M, 3), and how far from the surface they take it on average (M,)."""

    R: F64
    t: F64
    away: F64

    def of(self, which: Int) -> Motions:
        """Some of them."""
        return Motions(self.R[which], self.t[which], self.away[which])


class Cells(NamedTuple):
    """Points sorted into cubes.

    order (P,): of the points by cell; start (C + 1,): first of each cell in that order; nearest (C,): the cell itself,
    or the nearest that is not empty; low (3,): corner of the first; size: length of their sides; shape (3,): how many.
    """

    order: Int
    start: Int
    nearest: Int
    low: F64
    size: float
    shape: Int


def cells_of(points: F64, size: float) -> Cells:
    """Points (P, 3) in cubes of a side."""
    from scipy.ndimage import distance_transform_edt

    low = points.min(axis=0)
    cells = ((points - low) / size).astype(np.intp)
    shape = cells.max(axis=0) + 1
    number = np.ravel_multi_index(tuple(cells.T), tuple(shape))
    counts = np.bincount(number, minlength=int(shape.prod()))
    nearest = distance_transform_edt(counts.reshape(shape) == 0, return_distances=False, return_indices=True)
    start = np.concatenate([[0], np.cumsum(counts)])
    every = np.ravel_multi_index(tuple(nearest), tuple(shape)).ravel()
    return Cells(np.argsort(number, kind="stable"), start, every, low, size, shape)


class Cloud:
    """Points on a surface, in cells.

    Args:
        points: (P, 3), centred, of a surface of diameter 1.
        count: how many of them are moved.
    """

    def __init__(self, points: F64, count: int) -> None:
        self._some = np.ascontiguousarray(points[:: max(1, len(points) // count)])
        self._middle = self._some.mean(axis=0)
        self._cells = cells_of(points, _CELL)
        self._points = np.ascontiguousarray(points[self._cells.order])

    def measured(self, R: F64, t: F64) -> tuple[Motions, Motions]:
        """Motions, and what they become by one step of iterated closest points (Besl and McKay 1992; Kabsch 1976)."""
        count, cells = len(R), self._cells
        away, goal, product = np.empty(count), np.empty((count, 3)), np.empty((count, 3, 3))
        kernels.match(
            np.ascontiguousarray(R), np.ascontiguousarray(t), self._some, self._points, cells.start, cells.nearest,
            cells.low, cells.size, cells.shape, away, goal, product,
        )  # fmt: skip
        U, _, Vt = np.linalg.svd(product - goal[:, :, None] * self._middle)
        U[:, :, 2] *= np.sign(np.linalg.det(U @ Vt))[:, None]
        better = U @ Vt
        return Motions(R, t, away), Motions(better, goal - better @ self._middle, away)
