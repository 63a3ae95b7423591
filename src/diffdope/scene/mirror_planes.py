"""Whether an object is its own mirror image: a mirrored mesh of it is the same object."""

from __future__ import annotations

import numpy as np

from diffdope.scene.alikeness import Alikeness
from diffdope.scene.lookalikes import axes_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.sampling import spread_over

_POINTS = 1000


def has_mirror_plane(mesh: Mesh, alikeness: Alikeness) -> bool:
    """Whether the reflection in a plane across one of its axes takes an object onto itself, as far as images tell.

    Args:
        mesh: the object.
        alikeness: of it.
    """
    points = spread_over(mesh.vertices_m, mesh.faces, _POINTS).of(mesh.vertices_m, mesh.faces)
    middle = points.mean(axis=0)
    return any(alikeness.unnoticed(np.eye(3) - 2.0 * np.outer(n, n), 2.0 * (middle @ n) * n) for n in axes_of(points))
