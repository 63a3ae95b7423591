"""Where a ray meets a mesh: what was clicked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_floats, check_shape
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]
_BORDER = 1e-9  # barycentric: a ray through an edge hits one of its triangles


def first_hit(mesh: Mesh, origin_m: ArrayLike, direction: ArrayLike) -> F64 | None:
    """The point of the surface that a ray meets first, (3,) metres; None if it meets none. Back faces count.

    Moeller and Trumbore, Fast, minimum storage ray-triangle intersection, 1997; over all triangles, which takes some
    milliseconds for a hundred thousand.

    Args:
        mesh: the object.
        origin_m: (3,) where the ray begins, in the model's frame.
        direction: (3,) of any length but 0, in the model's frame.
    """
    origin, along = as_floats("origin_m", origin_m), as_floats("direction", direction)
    check_shape("origin_m", origin, (3,))
    check_shape("direction", along, (3,))
    a, b, c = (mesh.vertices_m[mesh.faces[:, k]] for k in range(3))
    first, second = b - a, c - a
    across = np.cross(along, second)
    size = np.einsum("fk,fk->f", first, across)
    with np.errstate(divide="ignore", invalid="ignore"):  # triangles that the ray is parallel to
        away = origin - a
        u = np.einsum("fk,fk->f", away, across) / size
        turned = np.cross(away, first)
        v = turned @ along / size
        distance = np.einsum("fk,fk->f", second, turned) / size
        met = (u >= -_BORDER) & (v >= -_BORDER) & (u + v <= 1.0 + _BORDER) & (distance > 0.0)
    if not met.any():
        return None
    return np.asarray(origin + distance[met].min() * along)
