"""Turns of an object after which its shape is nearly the same: boxes, cans and cups whose label alone tells the front.

A pose estimator takes one for the other, and no descent leads from one to the other. Found from the shape alone, so
that nobody has to annotate anything; what is painted on it is left to decide between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.box_axes import box_axes
from diffdope.scene.cloud import Cloud, Motions
from diffdope.scene.mesh import Mesh
from diffdope.scene.sampling import points_on

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_POINTS, _QUERIES = 10_000, 250  # of the surface, some 1 % of the diameter apart; those of them that are turned
_ANGLES_DEG = (180, *range(30, 180, 30), 45)  # the inverse of what fits does, too
_FAR = 0.1  # shares of the diameter: mean distance of the surfaces before they are moved onto each other ...
_NEAR = 0.015  # ... and after
_STEPS = 6  # of iterative closest points
_EARLY, _HOPELESS = 2, 2.0 * _NEAR  # steps after which what is farther than this never gets near
_SAME_RAD = np.radians(26.0)  # turns that are nearer are one: what is tried is 30 degrees apart
_MOST = 40  # turns that are kept: something round has one at each step about its axis
_DIGITS = 6  # of distances that are compared: equal ones stay in their order, whatever is rounded
_FLAT = 1e-6  # variance across a sheet, of that along it
_SAME_AXIS_RAD = np.radians(3.0)  # lines that are nearer to parallel are one axis


def lookalikes(mesh: Mesh) -> Symmetries:
    """Motions of the model that move its surface onto itself, nearly: on average by less than 1.5 % of its diameter.

    Candidates are turns by 30, 45 and 90 degrees and their multiples about the axes of the model's frame, of inertia
    and of the smallest box around it; those that fit roughly are moved onto the surface (iterated closest points, Besl
    and McKay 1992). Products of what is found are candidates, too. Something round gives turns in steps of 30 degrees.

    Args:
        mesh: the object.

    Returns:
        the motions, the identity first, then the best fitting ones; never more than 40.
    """
    points = points_on(mesh, _POINTS)
    middle = points.mean(axis=0)
    points = (points - middle) / mesh.diameter
    found = Found(Cloud(points, _QUERIES))
    axes = axes_of(points)
    found.add(np.concatenate([so3.exp(np.radians(_ANGLES_DEG)[:, None] * axis) for axis in axes]))
    found.add(so3.exp(np.pi * between_axes(axes)))
    for one in found.turns()[1:]:  # the turns of a cube about its diagonals are products of those about its axes
        if len(found) >= _MOST:
            break
        found.add(one @ found.turns()[1:])
    R, t = found.best(_MOST)
    t_m = t * mesh.diameter
    return Symmetries(R, middle + t_m - R @ middle if len(R) > 1 else t_m)


class Found:
    """Motions that take a cloud onto itself; the first is the identity.

    Args:
        cloud: on the surface.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._R, self._t, self._away = [np.eye(3)], [np.zeros(3)], [0.0]

    def __len__(self) -> int:
        return len(self._R)

    def turns(self) -> F64:
        """Rotations (N, 3, 3)."""
        return np.stack(self._R)

    def best(self, most: int) -> tuple[F64, F64]:
        """Rotations and translations of the identity and of those that fit best."""
        order = [0, *(1 + np.argsort(np.round(self._away[1:], _DIGITS), kind="stable")[: most - 1])]
        return self.turns()[order], np.stack(self._t)[order]

    def add(self, R: F64) -> None:
        """Moves turns (M, 3, 3) onto the surface, and keeps those that fit and are new, and their inverses."""
        R = R[~self._known(R)]
        now, after = self._cloud.measured(R, np.zeros((len(R), 3)))
        rough, early = np.flatnonzero(now.away <= _FAR), R
        first, moved = R[rough], after.of(rough)
        for step in range(1, _STEPS):
            now, after = self._cloud.measured(moved.R, moved.t)
            if step == _EARLY:
                hopeful = np.flatnonzero((now.away <= _HOPELESS) & ~self._known(now.R))
                first, early, after = first[hopeful], now.R[hopeful], after.of(hopeful)
            moved = after
        last, _ = self._cloud.measured(moved.R, moved.t)
        for k in np.flatnonzero(last.away <= _NEAR):
            if not self._known(np.stack([first[k], early[k], last.R[k]])).any():
                self._keep(last, int(k))

    def _keep(self, motions: Motions, k: int) -> None:
        R, t, away = motions.R[k], motions.t[k], float(motions.away[k])
        self._append(R, t, away)
        if not self._known(R.T[None])[0]:
            self._append(R.T, -R.T @ t, away)

    def _append(self, R: F64, t: F64, away: float) -> None:
        self._R.append(R)
        self._t.append(t)
        self._away.append(away)

    def _known(self, R: F64) -> Bool:
        """Which turns (M, 3, 3) are close to one that was found."""
        traces = R.reshape(-1, 9) @ self.turns().reshape(-1, 9).T
        return np.asarray((traces > 1.0 + 2.0 * np.cos(_SAME_RAD)).any(axis=1))


def between_axes(axes: Sequence[F64]) -> F64:
    """Unit axes (M, 3) halfway between those at right angles to each other.

    Two equal halves, one a quarter turn on from the other, as forks of a joint: half a turn about such an axis takes
    one to the other, and no quarter turn does.
    """
    pairs = [(a, b) for k, a in enumerate(axes) for b in axes[:k] if abs(a @ b) < np.sin(_SAME_AXIS_RAD)]
    halves = [(a + sign * b) / np.linalg.norm(a + sign * b) for a, b in pairs for sign in (1.0, -1.0)]
    return np.reshape(halves, (-1, 3))


def axes_of(points: F64) -> list[F64]:
    """Unit axes about which a cloud (N, 3) might be turned: the frame's, those of inertia, and the smallest box's."""
    spread, inertia = np.linalg.eigh(np.cov(points.T))
    axes = [*np.eye(3), *inertia.T]
    if spread[0] > _FLAT * spread[2]:
        axes += [*box_axes(points[::10])]
    kept: list[F64] = []
    for axis in axes:
        if all(abs(axis @ other) < np.cos(_SAME_AXIS_RAD) for other in kept):
            kept.append(axis)
    return kept
