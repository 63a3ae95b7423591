"""Whether an object is its own mirror image, and that image: a mirrored mesh of such an object is the same object."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.alikeness import Alikeness
from diffdope.scene.lookalikes import axes_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.sampling import spread_over

F64 = NDArray[np.float64]

_POINTS = 1000  # on the surface, that are mirrored
ACROSS = np.array([-1.0, 1.0, 1.0])
"""Times a place of a mesh, or of a camera's frame: one of its mirror image, or of what a mirrored picture shows."""


class MirrorPlanes(NamedTuple):
    """Planes through the middle of an object that may be planes of symmetry: across each of its axes.

    Attributes:
        R: (K, 3, 3) reflections in them.
        t: (K, 3) and what they move by, metres: x -> R x + t.
    """

    R: F64
    t: F64

    @staticmethod
    def of(mesh: Mesh) -> MirrorPlanes:
        """Of an object: the axes of its frame, of inertia, and of the smallest box around it."""
        points = spread_over(mesh.vertices_m, mesh.faces, _POINTS).of(mesh.vertices_m, mesh.faces)
        normals, middle = np.array(axes_of(points)), points.mean(axis=0)
        R = np.eye(3) - 2.0 * normals[:, :, None] * normals[:, None, :]
        return MirrorPlanes(R, 2.0 * (normals @ middle)[:, None] * normals)

    @property
    def from_mirrored(self) -> tuple[F64, F64]:
        """Motions R (K, 3, 3) and t (K, 3) that take the vertices of `mirrored` to where each plane reflects them."""
        return self.R * ACROSS, self.t


def mirrored(mesh: Mesh) -> Mesh:
    """The mirror image of a mesh: which axis is reflected is a matter of how it is turned."""
    return replace(mesh, vertices_m=mesh.vertices_m * ACROSS, faces=mesh.faces[:, ::-1])


def has_mirror_plane(planes: MirrorPlanes, alikeness: Alikeness, *, colours: bool = True) -> bool:
    """Whether the reflection in a plane across one of its axes takes an object onto itself, as far as images tell.

    Args:
        planes: of the object.
        alikeness: of it.
        colours: whether images show these.
    """
    return any(alikeness.unnoticed(R, t, colours=colours) for R, t in zip(planes.R, planes.t, strict=True))


def from_mirrored(planes: MirrorPlanes, alikeness: Alikeness) -> list[tuple[F64, F64]]:
    """Motions R (3, 3), t (3,) [m] that take the mirror image to where most of it is on the surface, all different.

    Planes across axes that nearly agree lead to one place.

    Args:
        planes: of the object.
        alikeness: of it.
    """
    every: list[tuple[F64, F64]] = []
    for planar in zip(*planes.from_mirrored, strict=True):
        R, t = alikeness.brought_onto(*planar, ACROSS)
        if not any(alikeness.is_same_motion(R, t, *one) for one in every):
            every.append((R, t))
    return every
