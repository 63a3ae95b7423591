"""A mesh as contact sees it: its extreme points, points spread over it, and how deep others are in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.nearest import Tree
from diffdope.scene.sampling import normals_of, surface_points

F64 = NDArray[np.float64]

_POINTS = 2000  # of a surface: 1 to 3 % of the diameter apart
_REACH = 0.25  # of the smaller diameter: what is deeper inside is no contact, but something else
_FACING = 0.7  # cosine of a point's offset and the nearest face's normal, below which an edge is nearest


class Penetration(NamedTuple):
    """The deepest point of one body in another: depth (metres), point (3,) and outward normal (3,) in the world."""

    depth_m: float
    point_w: F64
    normal_w: F64


@dataclass(frozen=True, eq=False)
class SolidBody:
    """See the module.

    Attributes:
        mesh: in its file's frame.
        extreme_m: (H, 3) corners of its convex hull.
        points_m: (N, 3) spread over its surface.
        tree: of its faces.
    """

    mesh: Mesh
    extreme_m: F64
    points_m: F64
    tree: Tree

    @classmethod
    def of(cls, mesh: Mesh) -> SolidBody:
        """Prepares a mesh."""
        points_m = surface_points(mesh, _POINTS)[0]
        return cls(mesh, _extreme(mesh.vertices_m), points_m, Tree(mesh.vertices_m, mesh.faces))

    def deepest_of(self, other: SolidBody, here: Pose, there: Pose) -> Penetration | None:
        """The deepest point of another body in this one; None where it is outside.

        Args:
            other: the other body.
            here: this body in the world.
            there: the other one.
        """
        reach = _REACH * min(self.mesh.diameter, other.mesh.diameter)
        points = here.inverse().apply(there.apply(other.points_m))
        low, high = self.mesh.vertices_m.min(axis=0), self.mesh.vertices_m.max(axis=0)
        points = points[((points > low) & (points < high)).all(axis=1)]
        if not len(points):
            return None
        found = self.tree.nearest(points, reach)
        hit = found.face >= 0
        points, face, weights = points[hit], found.face[hit].astype(np.intp), found.weights[hit]
        if not len(points):
            return None
        corners = self.mesh.vertices_m[self.mesh.faces[face]]
        away = points - np.einsum("nk,nkc->nc", weights, corners)
        normals = normals_of(self.mesh.vertices_m, self.mesh.faces, face)
        distance = np.linalg.norm(away, axis=1)
        along = np.sum(away * normals, axis=1)
        inside = along < -_FACING * distance
        if not inside.any():
            return None
        depth = np.where(inside, distance, 0.0)
        n = int(np.argmax(depth))
        return Penetration(float(depth[n]), here.apply(points[n]), here.R_m2c @ normals[n])


def _extreme(vertices_m: F64) -> F64:
    from scipy.spatial import ConvexHull, QhullError

    try:
        return np.ascontiguousarray(vertices_m[ConvexHull(vertices_m).vertices])
    except QhullError:  # flat
        return vertices_m
