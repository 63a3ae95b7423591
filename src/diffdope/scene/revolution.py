"""Axes of revolution: about which a surface may be turned by any angle and is where it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

F64 = NDArray[np.float64]

AXIS_POINTS = 8000
"""Of a surface, by which its axes are told: some 1 % of the diameter apart."""
_TURNED = 1000  # of them, at most
_SLIDES = 0.15  # RMS motion off the surface, as a share of all motion: candidates only, which are then turned
_ANGLES_RAD = np.radians([17.0, 45.0, 77.0, 90.0])  # no regular polygon of few corners covers itself at all of these
_OFF = 0.02  # share of the diameter, beyond the points' own spacing: knobs, handles and corners are farther
_FEW = 0.02  # share of the points that may be farther off: seams, dents of a scan

_MOST_OFF = 0.2
"""Share of the points that may be farther off where only most of the surface is asked for. Handle and spout of pots,
kettles and watering cans are an eighth to a seventh of it; corners of hexagons and teeth are a quarter."""
_STANDS_OUT, _LEAST = 0.04, 0.005
"""Share of the diameter by which something stands out, beyond the points' own spacing, and of the points that do. Of
scanned cans and jars seams, lids and dents are 0.003, of a cup with a small tab that is 0.007."""
_LOOSE = 0.02  # share of the diameter: lines that pass the axis at such a distance count half
_ROUNDS = 12  # of reweighting lines by how far from the axis they pass
_RIDGE = 1e-6  # of normals that all lie in a plane
_PARALLEL = 0.95  # cosine from which on two directions are one axis: 18 degrees
_PARTS = 5  # in which points are turned
_BEYOND = 1.01  # of a distance: what is farther is not measured, whatever is rounded


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


class Axis(NamedTuple):
    """A line: a unit direction (3,) and a point (3,) on it, metres."""

    direction: F64
    point_m: F64

    def turns(self, angles_rad: F64) -> tuple[F64, F64]:
        """The motions x -> R x + t of turns (K,) about it: R (K, 3, 3) and t (K, 3), metres."""
        R = so3.exp(np.asarray(angles_rad)[:, None] * self.direction)
        return R, self.point_m - R @ self.point_m


def axis_of_most(points_m: F64, normals: F64, length_m: float) -> Axis | None:
    """The axis about which most of a surface is of revolution; None where there is none, or it is a ball.

    Handles, knobs, labels that stand out and dents are the rest; so are the corners of a thin square plate. Normals
    of a surface of revolution all meet its axis: with x x n and n as their line coordinates, a . (x x n) + m . n =
    0 for the axis (a, m) (linear complexes: Pottmann and Wallner, Computational Line Geometry, 2001). That is
    solved by weighted least squares, in which what does not agree loses its weight, and then tried by finite turns.

    Args:
        points_m: (N, 3) spread evenly over the surface, metres.
        normals: (N, 3) unit normals there.
        length_m: the diameter.
    """
    spread, found = _Spread.of(points_m, length_m), list[Axis]()
    for axis in _candidates(spread.points, normals):
        if not _is_known(axis, found) and spread.stays(axis, _OFF, _MOST_OFF):
            found.append(axis)
    return spread.in_metres(found[0]) if len(found) == 1 else None  # of none, and of a ball


def _candidates(points: F64, normals: F64) -> Iterator[Axis]:
    """Axes that the normals (N, 3) of points (N, 3) about their middle meet, found from three directions."""
    lines = np.concatenate([np.cross(points, normals), normals], axis=1)
    for start in range(3):
        direction, moment = _robust_axis(lines, start)
        yield Axis(direction, np.cross(direction, moment))


def _is_known(axis: Axis, found: Sequence[Axis]) -> bool:
    """Whether one of those that were found is parallel to it."""
    return any(abs(axis.direction @ other.direction) >= _PARALLEL for other in found)


class _Spread(NamedTuple):
    """Points of a surface about their middle, in diameters, some of which are turned.

    Attributes:
        points: (N, 3).
        some: (K, 3), those that are turned.
        tree: of all.
        spacing: how far apart they are.
        middle_m: (3,), metres.
        length_m: the diameter.
    """

    points: F64
    some: F64
    tree: cKDTree
    spacing: float
    middle_m: F64
    length_m: float

    @classmethod
    def of(cls, points_m: F64, length_m: float) -> _Spread:
        """Of points (N, 3), metres."""
        from scipy.spatial import cKDTree

        middle_m = points_m.mean(axis=0)
        points = (points_m - middle_m) / length_m
        tree = cKDTree(points, balanced_tree=False)  # which is made sooner, and answers the same
        some = points[:: max(len(points) // _TURNED, 1)]
        return cls(points, some, tree, float(np.median(tree.query(some, 2)[0][:, 1])), middle_m, length_m)

    def in_metres(self, axis: Axis) -> Axis:
        """An axis of these points, in the frame of the surface."""
        return Axis(axis.direction, self.middle_m + self.length_m * axis.point_m)

    def stays(self, axis: Axis, off: float, share: float) -> bool:
        """Whether after each turn about an axis less than a share of the points is farther off than `off` and spacing.

        Asked of some points after the other: of most axes, a few tell.
        """
        R, t = axis.turns(_ANGLES_RAD)
        count, off = np.zeros(len(R), np.intp), off + self.spacing
        for first in range(_PARTS):
            turned = self.some[first::_PARTS] @ R.transpose(0, 2, 1) + t[:, None]
            away = self.tree.query(turned.reshape(-1, 3), distance_upper_bound=_BEYOND * off)[0].reshape(len(R), -1)
            count += np.count_nonzero(away > off, axis=1)
            if count.max() / len(self.some) >= share:
                return False
        return True


def axes_of_parts(points_m: F64, normals: F64, length_m: float) -> tuple[Axis, ...]:
    """Axes about which parts of a surface are of revolution, or nearly: three at most, no two of them parallel.

    See `axis_of_most`. Those about which all of it is of revolution are left out, for nothing that stands out tells
    such turns.

    Args:
        points_m: (N, 3) spread evenly over the surface, metres.
        normals: (N, 3) unit normals there.
        length_m: the diameter.
    """
    spread, found = _Spread.of(points_m, length_m), list[Axis]()
    for axis in _candidates(spread.points, normals):
        if not _is_known(axis, found):
            found.append(axis)
    return tuple(spread.in_metres(axis) for axis in found if not spread.stays(axis, _STANDS_OUT, _LEAST))


def _robust_axis(lines: F64, start: int) -> tuple[F64, F64]:
    """Direction (3,) and moment (3,) of an axis that lines (N, 6) meet; `start`: from which of three directions."""
    weight = np.ones(len(lines))
    direction, moment = np.zeros(3), np.zeros(3)
    for number in range(_ROUNDS):
        form = (lines * weight[:, None]).T @ lines / weight.sum()
        held = np.linalg.solve(form[3:, 3:] + _RIDGE * np.eye(3), form[3:, :3])
        _, every = np.linalg.eigh(form[:3, :3] - form[:3, 3:] @ held)
        best = start if number == 0 else int(np.argmax(np.abs(every.T @ direction)))
        direction = every[:, best]
        moment = -held @ direction
        moment -= (direction @ moment) * direction  # a turn, no screw
        off = lines @ np.concatenate([direction, moment])
        weight = 1.0 / (1.0 + (off / _LOOSE) ** 2)
    return direction, moment
