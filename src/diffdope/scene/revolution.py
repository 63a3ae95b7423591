"""Axes of revolution: about which a surface may be turned by any angle and is where it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3

F64 = NDArray[np.float64]

_POINTS, _TURNED = 8000, 1000  # points are some 1 % of the diameter apart
_SLIDES = 0.15  # RMS motion off the surface, as a share of all motion: candidates only, which are then turned
_ANGLES_RAD = np.radians([17.0, 45.0, 77.0, 90.0])  # no regular polygon of few corners covers itself at all of these
_OFF = 0.02  # share of the diameter, beyond the points' own spacing: knobs, handles and corners are farther
_FEW = 0.02  # share of the points that may be farther off: seams, dents of a scan


def axes_of_revolution(points_m: F64, normals: F64, length_m: float) -> F64:
    """Directions (K, 3), orthonormal, of the axes through the surface's middle about which any turn goes unnoticed.

    A turn about such an axis moves points within the surface only (slippable motions: Gelfand and Guibas, Symposium on
    Geometry Processing 2004). Turns that nearly do are tried by finite angles: a thin square plate slides within
    itself, and its corners still show how it is turned. A body has none of them, one, or, if it is a ball, three.

    Args:
        points_m: (N, 3) spread evenly over the surface, metres.
        normals: (N, 3) unit normals there.
        length_m: the diameter.
    """
    from scipy.spatial import cKDTree

    away = points_m - points_m.mean(axis=0)
    across = np.cross(away, normals)  # n . (phi x x) = phi . (x x n)
    off = across.T @ across / len(away)
    every = np.eye(3) * np.mean(np.sum(away**2, axis=1)) - away.T @ away / len(away)
    _, directions = np.linalg.eigh(off)
    slides = [axis for axis in directions.T if axis @ off @ axis < _SLIDES**2 * (axis @ every @ axis)]
    if not slides:
        return np.empty((0, 3))
    tree = cKDTree(away)
    some = away[:: max(len(away) // _TURNED, 1)]
    spacing_m = float(np.median(tree.query(some, 2)[0][:, 1]))
    found = [axis for axis in slides if _unnoticed(tree, some, axis, _OFF * length_m + spacing_m)]
    return np.array(found).reshape(-1, 3)


def _unnoticed(tree: object, points_m: F64, axis: F64, off_m: float) -> bool:
    turned = np.concatenate([points_m @ so3.exp(angle * axis).T for angle in _ANGLES_RAD])
    distance = tree.query(turned)[0].reshape(len(_ANGLES_RAD), -1)  # type: ignore[attr-defined]
    return bool(np.all(np.mean(distance > off_m, axis=1) < _FEW))
