"""Turns of an object after which its shape is nearly the same: boxes, cans and cups whose label alone tells the front.

A pose estimator takes one for the other, and no descent leads from one to the other. Found from the shape alone, so
that nobody has to annotate anything; what is painted on it is left to decide between them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]

_POINTS, _QUERIES = 10_000, 250
_ANGLES_DEG = (180, *range(30, 180, 30), *range(210, 360, 30), 45, 315)
_FAR = 0.1  # shares of the diameter: mean distance of the surfaces before they are moved onto each other ...
_NEAR = 0.015  # ... and after
_STEPS = 6
_EARLY, _HOPELESS = 2, 2.0 * _NEAR  # steps after which what is farther than this never gets near
_SAME_RAD = np.radians(26.0)
_MOST = 40
_FLAT = 1e-6  # variance across a sheet, of that along it


def lookalikes(mesh: Mesh) -> Symmetries:
    """Motions of the model that move its surface onto itself, nearly: on average by less than 1.5 % of its diameter.

    Candidates are turns by 30, 45 and 90 degrees and their multiples about the axes of the model's frame, of inertia
    and of the smallest box around it; those that fit roughly are moved onto the surface (iterated closest points, Besl
    and McKay 1992). Something round gives turns in steps of 30 degrees.

    Args:
        mesh: the object.

    Returns:
        the motions, the identity first, then the best fitting ones; never more than 40.
    """
    from scipy.spatial import cKDTree

    from diffdope.scene.sampling import points_on

    points = points_on(mesh, _POINTS)
    middle = points.mean(axis=0)
    points = (points - middle) / mesh.diameter
    surface = Cloud(cKDTree(points), points, points[:: len(points) // _QUERIES])
    found: list[Fit] = [Fit(0.0, np.eye(3), np.zeros(3))]
    for axis in axes_of(points):
        for angle in np.radians(_ANGLES_DEG):
            found += fitted(so3.exp(axis * angle), surface, found)
    for one in found[1:]:  # the turns of a cube about its diagonals are products of those about its axes
        for other in found[1:]:
            found += fitted(one.R @ other.R, surface, found)
    best = found[:1] + sorted(found[1:], key=lambda fit: fit.distance)[: _MOST - 1]
    R, t_m = np.stack([fit.R for fit in best]), np.stack([fit.t for fit in best]) * mesh.diameter
    return Symmetries(R, middle + t_m - R @ middle if len(R) > 1 else t_m)


class Cloud(NamedTuple):
    """Points (N, 3) on a surface, diameter 1 and centred, a tree of them, and some of them (M, 3)."""

    tree: Any
    points: F64
    some: F64


class Fit(NamedTuple):
    """A motion x -> R x + t, and how far from the surface it takes the surface on average."""

    distance: float
    R: F64
    t: F64


def fitted(R: F64, cloud: Cloud, known: list[Fit]) -> list[Fit]:
    """The motion near a turn that moves a surface onto itself, and its inverse; nothing if it is known, or none is."""
    if is_one_of(R, known) or cloud.tree.query(cloud.some @ R.T)[0].mean() > _FAR:
        return []
    t = np.zeros(3)
    for step in range(_STEPS):
        away, nearest = cloud.tree.query(cloud.some @ R.T + t)
        if step == _EARLY and (away.mean() > _HOPELESS or is_one_of(R, known)):
            return []
        R, t = rigid(cloud.some, cloud.points[nearest])
    distance = float(cloud.tree.query(cloud.some @ R.T + t)[0].mean())
    if distance > _NEAR or is_one_of(R, known):
        return []
    one, back = Fit(distance, R, t), Fit(distance, R.T, -R.T @ t)
    return [one] if is_one_of(back.R, [*known, one]) else [one, back]


def is_one_of(R: F64, known: list[Fit]) -> bool:
    """Whether a turn is close to one that is known."""
    traces = np.einsum("kij,ij->k", np.stack([fit.R for fit in known]), R)
    return bool((traces > 1.0 + 2.0 * np.cos(_SAME_RAD)).any())


def axes_of(points: F64) -> list[F64]:
    """Unit axes about which a cloud (N, 3) might be turned: the frame's, those of inertia, and the smallest box's."""
    import trimesh

    spread, inertia = np.linalg.eigh(np.cov(points.T))
    axes = [*np.eye(3), *inertia.T]
    if spread[0] > _FLAT * spread[2]:
        axes += [*np.linalg.inv(trimesh.bounds.oriented_bounds(points[::10])[0][:3, :3]).T]
    kept: list[F64] = []
    for axis in axes:
        if all(abs(axis @ other) < np.cos(np.radians(3.0)) for other in kept):
            kept.append(axis)
    return kept


def rigid(points: F64, targets: F64) -> tuple[F64, F64]:
    """The motion that takes points (N, 3) nearest to their targets: Kabsch 1976."""
    middle, goal = points.mean(axis=0), targets.mean(axis=0)
    U, _, Vt = np.linalg.svd((targets - goal).T @ (points - middle))
    U[:, -1] *= np.sign(np.linalg.det(U @ Vt))
    R = U @ Vt
    return R, goal - R @ middle
