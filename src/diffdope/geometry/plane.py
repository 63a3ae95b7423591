"""The plane that most of some points lie in (RANSAC; Fischler and Bolles, 1981)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_DRAWS = 300  # three of a sample's points are of a plane with a tenth of them in one of 1000
_REFINED = 3  # times a plane is fitted to its points


def plane_of_most(sample: F64, near_m: float, rng: np.random.Generator) -> tuple[F64, F64]:
    """Unit normal (3,) and a point (3,) of the plane that most points are near to.

    Args:
        sample: (N, 3) of them, at least one, metres.
        near_m: from which distance on a point is not on the plane.
        rng: of the draws.
    """
    corners = sample[rng.integers(0, len(sample), (_DRAWS, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1)
    normals = normals / np.maximum(length, 1e-12)[:, None]
    # Products of so few columns are not worth the threads of a matrix library, which wait for each other.
    x, y, z = sample.T
    away = normals[:, :1] * x + normals[:, 1:2] * y + normals[:, 2:] * z
    away -= np.einsum("ij,ij->i", normals, corners[:, 0])[:, None]
    np.abs(away, out=away)
    best = int(np.argmax(np.where(length > 0.0, np.count_nonzero(away < near_m, axis=1), 0)))
    normal, origin = normals[best], corners[best, 0]
    for _ in range(_REFINED):
        on = sample[np.abs((sample - origin) @ normal) < near_m]
        if len(on) < 3:
            break
        origin = on.mean(axis=0)
        spread = on - origin
        normal = np.linalg.eigh(np.einsum("ni,nj->ij", spread, spread))[1][:, 0]
    return normal, origin
