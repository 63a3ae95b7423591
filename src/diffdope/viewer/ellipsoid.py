"""A covariance as a surface: the ellipsoid of three deviations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]

_SIGMAS = 3.0  # of a place known in three directions, 97 % lie inside
_THINNEST = 0.08  # of the longest axis: flatter ones could not be seen from the side
_LEAST_SHARE = 0.6  # of the object's diameter: those below half of it may be hidden inside, so they are drawn larger
_ROUND = (1.0, 2.0, 5.0)


class Ellipsoid(NamedTuple):
    """A surface in metres about its own middle, and how many times as large as the deviations it is drawn."""

    mesh: Mesh
    times: float


def ellipsoid(covariance: F64, diameter_m: float) -> Ellipsoid:
    """Three deviations of a place, enlarged by 2, 5, 10, 20 and so on where they would hardly be seen.

    Args:
        covariance: (3, 3), square metres.
        diameter_m: of the object.
    """
    import trimesh

    values, axes = np.linalg.eigh(0.5 * (covariance + covariance.T))
    lengths = _SIGMAS * np.sqrt(np.maximum(values, 0.0))
    lengths = np.maximum(lengths, max(_THINNEST * lengths.max(), 1e-9 * diameter_m))
    times = _round_up(_LEAST_SHARE * diameter_m / float(lengths.max()))
    ball = trimesh.creation.icosphere(subdivisions=3)
    vertices_m = (np.asarray(ball.vertices) * times * lengths) @ axes.T
    return Ellipsoid(Mesh(vertices_m, np.asarray(ball.faces), name="uncertainty"), times)


def _round_up(factor: float) -> float:
    """The next larger one of 1, 2, 5, 10, 20 and so on."""
    if factor <= 1.0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(factor))
    return float(next((one * power for one in _ROUND if one * power >= factor), 10.0 * power))


def at(place_m: F64) -> Pose:
    """A pose that moves a surface in the camera's axes to a place (3,)."""
    return Pose(np.eye(3), place_m)
