"""Turns about an axis after which most of a surface is where it was: gears, flanges, wheels, hubs with k holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.revolution import Axis

F64 = NDArray[np.float64]

_TURNED = 400  # points that are turned
_ALIKE = 0.05  # share by which the spread of points may differ between two directions across an axis
_FLATTEST = 0.1  # share by which that along it must differ, or the axis is any: a ball, a cube
_MOST = 36  # folds: turns of less than 10 degrees are as near as a descent reaches
_OFF = 0.01  # share of the diameter, beyond the points' own spacing, that is somewhere else
_FEW = 0.06  # share of the points that may be somewhere else whatever the turn: it is of revolution
_MOST_OFF = 0.2  # share of the points that may be after the turns: holes, a keyway, a notch, a pin
_BETWEEN = 0.5  # of those that are half way between these turns, at most
_STEP_DEG = 1.0  # between turns that are tried: a tooth of 10 degrees is seen at the third of it


def folds_of(points_m: F64, length_m: float) -> Symmetries:
    """The turns by 360 / k degrees and their multiples that take most of a surface onto itself; k as large as it gets.

    A body of k > 2 folds spreads alike in all directions across the axis, so that one that does not is left at once.
    What is not alike (a keyway and some holes of a gear) may be more than teeth are: then the turns stand out from
    those half way between them.

    Args:
        points_m: (N, 3) spread evenly over the surface, metres.
        length_m: the diameter.

    Returns:
        k motions, the identity first; the identity alone where there is no such axis, or any turn will do.
    """
    middle = points_m.mean(axis=0)
    away = (points_m - middle) / length_m
    spread, directions = np.linalg.eigh(away.T @ away / len(away))
    along = 0 if spread[2] - spread[1] < spread[1] - spread[0] else 2
    low, high = np.delete(spread, along)
    if high - low > _ALIKE * high or abs(spread[along] - high) < _FLATTEST * high:
        return Symmetries.none()
    axis = directions[:, along]
    angles_deg, off = _off_after_turns(away, axis)
    if off.max() < _FEW:  # it is of revolution
        return Symmetries.none()
    for k in range(_MOST, 2, -1):
        turns = 360.0 / k * np.arange(k)
        at, between = (float(np.mean(np.interp(one, angles_deg, off))) for one in (turns[1:], turns + 180.0 / k))
        if at < min(_MOST_OFF, _BETWEEN * between) and between > _FEW:
            R = so3.exp(np.radians(turns)[:, None] * axis)
            return Symmetries(R, middle - R @ middle)
    return Symmetries.none()


def least_turn(folds: Symmetries, alikeness: Alikeness) -> tuple[Axis | None, float]:
    """Axis and angle [rad] of the least of the turns of `folds_of` that goes unnoticed; None and 0 where none does.

    Args:
        folds: of an object.
        alikeness: of it: all of it counts, colours included, and not most of it.
    """
    k = len(folds)
    for step in range(1, k // 2 + 1):
        if k % step == 0 and alikeness.unnoticed(folds.R[step], folds.t_m[step]):
            turn = so3.log(folds.R[step])
            angle = float(np.linalg.norm(turn))
            middle = np.linalg.lstsq(np.eye(3) - folds.R[step], folds.t_m[step], rcond=1e-6)[0]
            return Axis(turn / angle, middle), angle
    return None, 0.0


def _off_after_turns(away: F64, axis: F64) -> tuple[F64, F64]:
    """Angles (K,) of turns about an axis through the middle, degrees, and shares (K,) of points that are off after."""
    from scipy.spatial import cKDTree

    tree = cKDTree(away, balanced_tree=False)
    some = away[:: max(len(away) // _TURNED, 1)]
    off = _OFF + float(np.median(tree.query(some, 2)[0][:, 1]))
    half = np.arange(0.0, 180.0 + 0.5 * _STEP_DEG, _STEP_DEG)  # as many are off after a turn as after its inverse
    turned = some @ so3.exp(np.radians(half)[:, None] * axis).transpose(0, 2, 1)
    distance = tree.query(turned.reshape(-1, 3), distance_upper_bound=off)[0].reshape(len(half), -1)
    share = np.mean(~np.isfinite(distance), axis=1)
    return np.concatenate([half, 360.0 - half[-2::-1]]), np.concatenate([share, share[-2::-1]])
