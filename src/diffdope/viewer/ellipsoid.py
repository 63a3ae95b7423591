"""A covariance as a surface: the ellipsoid of three deviations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]

_SIGMAS = 3.0  # of a place known in three directions, 97 % lie inside
_THINNEST = 0.02  # of the longest axis: flatter ones could not be seen from the side
_LEAST_SHARE = 0.15  # of the object's diameter: an ellipsoid that is smaller is drawn a power of ten larger


class Ellipsoid(NamedTuple):
    """A surface in metres about its own middle, and how many times as large as the deviations it is drawn."""

    mesh: Mesh
    times: float


def ellipsoid(covariance: F64, diameter_m: float) -> Ellipsoid:
    """Three deviations of a place, enlarged by a power of ten where that would hardly be seen.

    Args:
        covariance: (3, 3), square metres.
        diameter_m: of the object.
    """
    import trimesh

    values, axes = np.linalg.eigh(0.5 * (covariance + covariance.T))
    lengths = _SIGMAS * np.sqrt(np.maximum(values, 0.0))
    lengths = np.maximum(lengths, max(_THINNEST * lengths.max(), 1e-9 * diameter_m))
    enough = _LEAST_SHARE * diameter_m / lengths.max()
    times = 10.0 ** max(0, int(np.ceil(np.log10(enough)))) if enough > 1.0 else 1.0
    ball = trimesh.creation.icosphere(subdivisions=3)
    vertices_m = (np.asarray(ball.vertices) * times * lengths) @ axes.T
    return Ellipsoid(Mesh(vertices_m, np.asarray(ball.faces), name="uncertainty"), times)


def at(place_m: F64) -> Pose:
    """A pose that moves a surface in the camera's axes to a place (3,)."""
    return Pose(np.eye(3), place_m)
