"""Turns about an axis after which most of a surface is where it was: gears, flanges, wheels, hubs with k holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.symmetry import Symmetries

F64 = NDArray[np.float64]

_TURNED = 1000  # points that are turned
_ALIKE = 0.05  # share by which the spread of points may differ between two directions across an axis
_FLATTEST = 0.1  # share by which that along it must differ, or the axis is any: a ball, a cube
_MOST = 24  # folds: turns of less than 15 degrees are as near as a descent reaches
_OFF = 0.01  # share of the diameter, beyond the points' own spacing, that is somewhere else
_FEW = 0.06  # share of the points that may be: a keyway, a notch, a pin


def folds_of(points_m: F64, length_m: float) -> Symmetries:
    """The turns by 360 / k degrees and their multiples that take most of a surface onto itself; k as large as it gets.

    A body of k > 2 folds spreads alike in all directions across the axis, so that one that does not is left at once.

    Args:
        points_m: (N, 3) spread evenly over the surface, metres.
        length_m: the diameter.

    Returns:
        k motions, the identity first; the identity alone where there is no such axis, or any turn will do.
    """
    from scipy.spatial import cKDTree

    middle = points_m.mean(axis=0)
    away = (points_m - middle) / length_m
    spread, directions = np.linalg.eigh(away.T @ away / len(away))
    along = 0 if spread[2] - spread[1] < spread[1] - spread[0] else 2
    low, high = np.delete(spread, along)
    if high - low > _ALIKE * high or abs(spread[along] - high) < _FLATTEST * high:
        return Symmetries.none()
    axis = directions[:, along]
    tree = cKDTree(away)
    some = away[:: max(len(away) // _TURNED, 1)]
    off = _OFF + float(np.median(tree.query(some, 2)[0][:, 1]))

    def alike(k: int) -> bool:
        turned = some @ so3.exp(2.0 * np.pi / k * axis).T
        return bool(np.mean(tree.query(turned, distance_upper_bound=off)[0] > off) < _FEW)

    for k in range(_MOST, 2, -1):
        if alike(k):
            if alike(k - 1):
                break  # it is of revolution
            R = so3.exp(2.0 * np.pi / k * np.arange(k)[:, None] * axis)
            return Symmetries(R, middle - R @ middle)
    return Symmetries.none()
