"""Turns of an object after which its shape is nearly the same: boxes, cans and cups whose label alone tells the front.

A pose estimator takes one for the other, and no descent leads from one to the other. Found from the shape alone, so
that nobody has to annotate anything; what is painted on it is left to decide between them.
"""

from __future__ import annotations

from collections.abc import Iterable

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
_SAME_RAD = np.radians(26.0)
_MOST = 40


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

    from diffdope.scene.lod import points_on

    points = points_on(mesh, _POINTS)[0]
    middle = points.mean(axis=0)
    points = (points - middle) / mesh.diameter
    tree, some = cKDTree(points), points[:: len(points) // _QUERIES]
    found: list[tuple[float, F64, F64]] = [(0.0, np.eye(3), np.zeros(3))]
    for axis in axes_of(points):
        for angle in np.radians(_ANGLES_DEG):
            R, t = so3.exp(axis * angle), np.zeros(3)
            if tree.query(some @ R.T)[0].mean() > _FAR or known(R, found):
                continue
            for _ in range(_STEPS):
                _, nearest = tree.query(some @ R.T + t)
                R, t = rigid(some, points[nearest])
            distance = float(tree.query(some @ R.T + t)[0].mean())
            if distance < _NEAR and not known(R, found):
                found.append((distance, R, t))
    found = found[:1] + sorted(found[1:], key=lambda one: one[0])[: _MOST - 1]
    R = np.stack([one[1] for one in found])
    t_m = np.stack([one[2] for one in found]) * mesh.diameter
    return Symmetries(R, middle + t_m - R @ middle if len(R) > 1 else t_m)


def axes_of(points: F64) -> Iterable[F64]:
    """Unit axes about which a cloud (N, 3) might be turned: the frame's, those of inertia, and the smallest box's."""
    import trimesh

    box = np.linalg.inv(trimesh.bounds.oriented_bounds(points[::10])[0][:3, :3])
    inertia = np.linalg.eigh(np.cov(points.T))[1]
    kept: list[F64] = []
    for axis in np.concatenate([np.eye(3), inertia.T, box.T]):
        if all(abs(axis @ other) < np.cos(np.radians(3.0)) for other in kept):
            kept.append(axis)
    return kept


def known(R: F64, found: Iterable[tuple[float, F64, F64]]) -> bool:
    """Whether a turn is one of those found already."""
    return any(np.linalg.norm(so3.log(R @ other.T)) < _SAME_RAD for _, other, _ in found)


def rigid(points: F64, targets: F64) -> tuple[F64, F64]:
    """The motion that takes points (N, 3) nearest to their targets: Kabsch 1976."""
    middle, goal = points.mean(axis=0), targets.mean(axis=0)
    U, _, Vt = np.linalg.svd((targets - goal).T @ (points - middle))
    U[:, -1] *= np.sign(np.linalg.det(U @ Vt))
    R = U @ Vt
    return R, goal - R @ middle
