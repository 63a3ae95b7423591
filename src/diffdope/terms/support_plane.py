"""The support plane: a known plane, a table or the bottom of a bin, on which the object stands.

The object's lowest point above the plane touches it. Which point that is depends on the pose; it is found at the pose
where a round of steps begins, and the distance is linearised there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_above_zero, check_at_least_zero, expected
from diffdope.geometry.pose import Pose
from diffdope.terms.base import PoseTerm
from diffdope.terms.quadratic_factor import QuadraticFactor

F64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SupportPlaneSettings:
    """Of the support plane term."""

    plane: tuple[float, ...] = ()
    """(a, b, c, d) of the plane a x + b y + c z = d in the camera's frame, metres; (a, b, c) points to the side on
    which the object stands. Empty for none."""
    plane_weight: float = 0.01
    """What a pose pays whose lowest point is `plane_tolerance_m` off the plane; it grows with the square."""
    plane_tolerance_m: float = 0.001
    """How well the plane is known, metres."""

    def check_support_plane(self) -> None:
        """Refuses what is no plane."""
        check_at_least_zero(self, "plane_weight")
        check_above_zero(self, "plane_tolerance_m")
        if len(self.plane) not in (0, 4) or not np.isfinite(self.plane).all():
            got = ", ".join(map(str, self.plane))
            raise expected("plane", "four finite numbers a, b, c, d of a x + b y + c z = d", got)
        if self.plane and not np.linalg.norm(self.plane[:3]) > 0.0:
            raise expected("plane", "a normal (a, b, c) that is not zero", "0, 0, 0")


def distance_to_plane(vertices_m: F64, pose: Pose, settings: Any) -> tuple[float, F64]:
    """How far an object's lowest point is above the plane, metres, and its Jacobian (6,) by (rho [m], phi [rad]).

    Args:
        vertices_m: (V, 3) of the object.
        pose: of the object.
        settings: with a plane.
    """
    scale = float(np.linalg.norm(settings.plane[:3]))
    normal, offset = np.array(settings.plane[:3]) / scale, settings.plane[3] / scale
    lever = vertices_m @ pose.R_m2c.T
    heights = lever @ normal
    lowest = int(np.argmin(heights))
    distance = float(heights[lowest] + pose.t_m2c @ normal - offset)
    return distance, np.concatenate([normal, np.cross(lever[lowest], normal)])


def plane_squares(vertices_m: F64, pose: Pose, settings: Any, weight: float) -> QuadraticFactor | None:
    """weight * (distance / tolerance)^2 near a pose; None where the term is off. See `distance_to_plane`."""
    if not settings.plane or settings.plane_weight == 0.0:
        return None
    distance, jacobian = distance_to_plane(vertices_m, pose, settings)
    return QuadraticFactor.of_residual(pose, distance, jacobian, weight / settings.plane_tolerance_m**2)


def support_plane_factor(vertices_m: F64, pose: Pose, settings: Any) -> QuadraticFactor | None:
    """The term near a pose; None where it is off. For the arguments see `distance_to_plane`."""
    return plane_squares(vertices_m, pose, settings, settings.plane_weight)


@final
class SupportPlane(PoseTerm):
    """See the module."""

    def factor(self, vertices_m: F64, pose: Pose, settings: Any) -> QuadraticFactor | None:
        """`support_plane_factor`."""
        return support_plane_factor(vertices_m, pose, settings)

    def evidence(self, vertices_m: F64, pose: Pose, settings: Any) -> QuadraticFactor | None:
        """Of a plane that is known to its tolerance."""
        return plane_squares(vertices_m, pose, settings, 0.5)
