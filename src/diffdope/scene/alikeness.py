"""Whether a motion of an object goes unnoticed: the same surface, in the same colours, as far as images tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.lod_check import colors_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.sampling import normals_of, spread_over

F64 = NDArray[np.float64]

_POINTS, _MOVED = 10_000, 1000
_AWAY = 0.015  # share of the diameter: half of what a right pose may be off; of surfaces, in their normal direction
_FAR = 0.05  # share of the diameter: no surface is there; points are some 1 % apart
_COLOR = 0.05  # mean difference of colours, of which each is a mean over a patch
_OTHER_COLOR = 0.25  # difference that no light explains
_FEW = 0.005  # share of the points that may be somewhere else, or in another colour: a knob or a logo is more
_PATCH = 16  # points: some 5 % of the diameter, since a pattern is never repeated to the point


class Alikeness:
    """Points on the surface of a mesh, with normals and the colours around them.

    Args:
        mesh: the object.
    """

    def __init__(self, mesh: Mesh) -> None:
        from scipy.spatial import cKDTree

        self._length_m = mesh.diameter
        samples = spread_over(mesh.vertices_m, mesh.faces, _POINTS)
        self._points = samples.of(mesh.vertices_m, mesh.faces)
        self._normals = normals_of(mesh.vertices_m, mesh.faces, samples.face)
        self._tree = cKDTree(self._points)
        self._colors: F64 | None = None
        if mesh.has_color:
            around = self._tree.query(self._points, _PATCH)[1]
            self._colors = colors_of(mesh, samples, mesh.shown_texture)[around].mean(axis=1)

    def unnoticed(self, R: F64, t: F64) -> bool:
        """Whether the motion x -> R x + t of the model's frame takes the object onto one that looks the same.

        Args:
            R: (3, 3).
            t: (3,), metres.
        """
        some = slice(None, None, len(self._points) // _MOVED)
        moved, turned = self._points[some] @ R.T + t, self._normals[some] @ R.T
        distance, nearest = self._tree.query(moved)
        if np.mean(distance > _FAR * self._length_m) > _FEW:
            return False
        away = np.abs(((moved - self._points[nearest]) * self._normals[nearest]).sum(axis=1))
        # Next to an edge the nearest point is often on the other side of it, and its plane says nothing.
        same_side = (turned * self._normals[nearest]).sum(axis=1) > 0.5
        if np.mean(same_side) < 0.5 or np.mean(away[same_side]) > _AWAY * self._length_m:
            return False
        if self._colors is None:
            return True
        differs = np.abs(self._colors[some] - self._colors[nearest]).mean(axis=1)
        return bool(differs.mean() < _COLOR and np.mean(differs > _OTHER_COLOR) < _FEW)
