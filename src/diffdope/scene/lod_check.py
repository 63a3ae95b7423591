"""Whether a reduced mesh still shows the same object, in an image of a given size."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.vectors import areas
from diffdope.scene.mesh import Mesh
from diffdope.scene.nearest import Tree
from diffdope.scene.sampling import Samples, averaged, spread_on_each, spread_over, texels

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

_SAMPLES = 1000  # spread by area; each triangle of the reduced mesh has one more
_VERTICES = 3000  # of the original, at most
COLOR_TOLERANCE = 0.02  # of a colour, mean over the surface, by which a reduced mesh may differ


class Original:
    """A mesh in full detail, which reduced ones are held against.

    Args:
        mesh: the full detail.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.vertices = self.in_diameters(mesh.vertices_m)
        self.tree = Tree(self.vertices, mesh.faces)

    def in_diameters(self, vertices_m: F64) -> F64:
        """Vertices (V, 3) from the middle of the mesh, as shares of its diameter."""
        return (vertices_m - self.mesh.center_m) / self.mesh.diameter

    def is_shown_by(self, level: Mesh, tolerance: float) -> bool:
        """Whether a reduced mesh may stand in for the original where half a pixel is `tolerance` diameters.

        Each point of one surface must have a point of the other within the tolerance. A projection takes no two points
        apart, so the silhouettes are as close. Colours of nearest points, averaged over a pixel each, may differ by
        0.02 on average. That is looked up at some thousand points: vertices, middles of triangles, and others.
        """
        vertices = self.in_diameters(level.vertices_m)
        if (Tree(vertices, level.faces).nearest(self._probes, tolerance, any_will_do=True).face < 0).any():
            return False
        samples, area = spread_on_each(vertices, level.faces, _SAMPLES)
        here = self.tree.nearest(samples.of(vertices, level.faces), tolerance, any_will_do=not self.mesh.has_color)
        if (here.face < 0).any():
            return False
        if not self.mesh.has_color:
            return True
        texture = self.at_least(level.texture, 1.0, tolerance)
        there = Samples(here.face.astype(np.intp), here.weights)
        error: F64 = np.abs(np.subtract(colors_of(level, samples, texture), colors_of(self.mesh, there, texture)))
        return bool(np.average(error.mean(axis=1), weights=area) <= COLOR_TOLERANCE)

    @cached_property
    def uv_length(self) -> float:
        """Diameters that the whole width of the texture spans on the surface, on average; infinite for none."""
        if self.mesh.uv is None:
            return np.inf
        on_texture = float(areas(self.mesh.uv, self.mesh.faces).sum())
        return float(np.sqrt(self._area / on_texture)) if on_texture > 0.0 else np.inf

    @cached_property
    def _area(self) -> float:
        return float(areas(self.vertices, self.mesh.faces).sum())

    @cached_property
    def _probes(self) -> F64:
        """Vertices that faces use, and points between them."""
        faces = self.mesh.faces
        used = np.flatnonzero(np.bincount(faces.ravel(), minlength=len(self.vertices)))
        return np.concatenate([
            self.vertices[used[:: -(-len(used) // _VERTICES)]],
            spread_over(self.vertices, faces, _SAMPLES).of(self.vertices, faces),
        ])  # fmt: skip

    def at_least(self, texture: U8 | None, texels: float, tolerance: float) -> U8 | None:
        """A copy of the texture, or of a smaller one of it, with so many texels a pixel or more."""
        if texture is None:
            return None
        size = float(np.sqrt(texture.shape[0] * texture.shape[1]))
        return averaged(texture, int(2.0 * tolerance / self.uv_length * size / texels))


def colors_of(mesh: Mesh, samples: Samples, texture: U8 | None) -> F64:
    """Colours (N, 3) at points of a surface, which wears this texture if there is one."""
    if texture is not None and mesh.uv is not None:
        return texels(texture, samples.of(mesh.uv, mesh.faces))
    assert mesh.colors is not None
    return samples.of(mesh.colors, mesh.faces)
