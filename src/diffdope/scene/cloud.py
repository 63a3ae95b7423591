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


class Cloud:
    """Points on a surface, in cells.

    Args:
        points: (P, 3), centred, of a surface of diameter 1.
        count: how many of them are moved.
    """

    def __init__(self, points: F64, count: int) -> None:
        from scipy.ndimage import distance_transform_edt

        self._some = np.ascontiguousarray(points[:: max(1, len(points) // count)])
        self._middle = self._some.mean(axis=0)
        self._low = points.min(axis=0)
        cells = ((points - self._low) / _CELL).astype(np.intp)
        self._shape = cells.max(axis=0) + 1
        number = np.ravel_multi_index(tuple(cells.T), tuple(self._shape))
        self._points = np.ascontiguousarray(points[np.argsort(number, kind="stable")])
        counts = np.bincount(number, minlength=int(self._shape.prod()))
        self._start = np.concatenate([[0], np.cumsum(counts)])
        nearest = distance_transform_edt(counts.reshape(self._shape) == 0, return_distances=False, return_indices=True)
        self._nearest_cell = np.ravel_multi_index(tuple(nearest), tuple(self._shape)).ravel()

    def measured(self, R: F64, t: F64) -> tuple[Motions, Motions]:
        """Motions, and what they become by one step of iterated closest points (Besl and McKay 1992; Kabsch 1976)."""
        count = len(R)
        away, goal, product = np.empty(count), np.empty((count, 3)), np.empty((count, 3, 3))
        kernels.match(
            np.ascontiguousarray(R), np.ascontiguousarray(t), self._some, self._points, self._start, self._nearest_cell,
            self._low, _CELL, self._shape, away, goal, product,
        )  # fmt: skip
        U, _, Vt = np.linalg.svd(product - goal[:, :, None] * self._middle)
        U[:, :, 2] *= np.sign(np.linalg.det(U @ Vt))[:, None]
        better = U @ Vt
        return Motions(R, t, away), Motions(better, goal - better @ self._middle, away)
