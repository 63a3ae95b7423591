"""Whether measured depth holds an object in all six directions, or leaves one open along which its faces slide.

Depth has no say about a motion that moves every face that is seen along itself: a box seen from its front slides up and
down, a plate turns. Where it holds all of them, the photograph's edges add little, and cost as much as the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.tolerance import displacement_form
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.sampling import surface_points

F64 = NDArray[np.float64]

_POINTS = 300  # tell shapes apart
_LEAST = 0.06
"""Mean square of the way that depth sees, for a motion of which the surface moves by 1: a depth that is off all over by
a millimetre then moves the object by four. A box seen from two sides has 0 to 0.005, from three 0.07 to 0.19."""
_FLUSH = 1e-9  # turns about an axis of revolution move nothing, and count nothing


class DepthObservability(NamedTuple):
    """What depth sees of an object's motions.

    A small motion xi moves a point x of the surface by J xi, of which depth sees n^T J xi (Chen and Medioni, Image and
    Vision Computing 1992). Turns are about the mesh's origin, in diameters, so that they compare with shifts.

    Attributes:
        points: (N, 3) of the surface, metres.
        normals: (N, 3) there.
        rows: (N, 6) n^T J.
        least: (6, 6) form: what depth must see of each motion, at least.
        length_m: the object's diameter.
    """

    points: F64
    normals: F64
    rows: F64
    least: F64
    length_m: float

    @classmethod
    def of(cls, mesh: Mesh) -> DepthObservability:
        """Of a mesh about its own middle."""
        points, normals = surface_points(mesh, _POINTS)
        rows = np.concatenate([normals, np.cross(points, normals) / mesh.diameter], axis=1)
        scale = np.repeat([1.0, 1.0 / mesh.diameter], 3)
        least = _LEAST * displacement_form(mesh) * np.outer(scale, scale)
        return cls(points, normals, rows, least, mesh.diameter)

    def all_of_them(self, observation: Observation, pose: Pose, margin: float) -> bool:
        """Whether it sees every motion about a pose, by that part of the surface that lies where it is measured.

        Args:
            observation: with depth.
            pose: object to camera.
            margin: how far from the surface what is measured is still the object's, as a share of the diameter.
        """
        depth, camera = observation.depth, observation.camera
        assert depth is not None
        at = self.points @ pose.R_m2c.T + pose.t_m2c
        away = at[:, 2]
        facing = np.maximum(-(self.normals * ((at / away[:, None]) @ pose.R_m2c)).sum(axis=1), 0.0)
        column = (camera.fx * at[:, 0] / away + (camera.cx + 0.5)).astype(np.intp)
        row = (camera.fy * at[:, 1] / away + (camera.cy + 0.5)).astype(np.intp)
        np.clip(column, 0, camera.width - 1, out=column)
        np.clip(row, 0, camera.height - 1, out=row)
        weight = facing * (np.abs(depth[row, column] - away) < margin * self.length_m)
        seen = (self.rows.T * weight) @ self.rows / max(float(facing.sum()), _FLUSH)
        return bool(np.linalg.eigvalsh(seen - self.least)[0] >= -_FLUSH)
