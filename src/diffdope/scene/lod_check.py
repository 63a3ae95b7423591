"""Whether a reduced mesh still shows the same object, in an image of a given size."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.mesh import Mesh
from diffdope.scene.nearest import Tree
from diffdope.scene.sampling import Samples, areas, averaged, spread_on_each, spread_over, texels

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

_SAMPLES = 1000  # spread by area; each triangle of the reduced mesh has one more
_VERTICES = 3000  # of the original, at most
COLOR_TOLERANCE = 0.02


class Original:
    """A mesh in full detail, which reduced ones are held against.

    Args:
        mesh: the full detail.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh

    def is_shown_by(self, level: Mesh, tolerance: float) -> bool:
        """Whether a reduced mesh may stand in for the original where half a pixel is `tolerance` diameters.

        Each point of one surface must have a point of the other within the tolerance. A projection takes no two points
        apart, so the silhouettes are as close. Colours of nearest points, averaged over a pixel each, may differ by
        0.02 on average. That is looked up at some thousand points: vertices, middles of triangles, and others.
        """
        limit_m = tolerance * self.mesh.diameter
        tree = Tree(level.vertices_m, level.faces)
        if (tree.nearest(self._probes, limit_m, any_will_do=True).face < 0).any():
            return False
        samples, area = spread_on_each(level.vertices_m, level.faces, _SAMPLES)
        here = self._tree.nearest(samples.of(level.vertices_m, level.faces), limit_m)
        if (here.face < 0).any():
            return False
        if not self.mesh.has_color:
            return True
        texture = self._pixels(level.texture, tolerance)
        error = np.abs(
            colors_of(level, samples, texture) - colors_of(self.mesh, Samples(here.face, here.weights), texture)
        )
        return bool(np.average(error.mean(axis=1), weights=area) <= COLOR_TOLERANCE)

    @cached_property
    def texels_per_diameter(self) -> float:
        """On average; 0 without a texture."""
        mesh = self.mesh
        if mesh.texture is None or mesh.uv is None:
            return 0.0
        height, width = mesh.texture.shape[:2]
        texels = areas(mesh.uv, mesh.faces).sum() * width * height
        return float(np.sqrt(texels / areas(mesh.vertices_m, mesh.faces).sum()) * mesh.diameter)

    @cached_property
    def _tree(self) -> Tree:
        return Tree(self.mesh.vertices_m, self.mesh.faces)

    @cached_property
    def _probes(self) -> F64:
        """Vertices, of those that faces use, and points between them."""
        vertices_m, faces = self.mesh.vertices_m, self.mesh.faces
        used = np.flatnonzero(np.bincount(faces.ravel(), minlength=len(vertices_m)))
        return np.concatenate([
            vertices_m[used[:: -(-len(used) // _VERTICES)]],
            spread_over(vertices_m, faces, _SAMPLES).of(vertices_m, faces),
        ])  # fmt: skip

    def _pixels(self, texture: U8 | None, tolerance: float) -> U8 | None:
        """A copy of the texture with texels of about a pixel."""
        if texture is None or self.mesh.texture is None:
            return None
        texels = self.texels_per_diameter * texture.shape[0] / self.mesh.texture.shape[0]
        return averaged(texture, int(texels * 2.0 * tolerance))


def colors_of(mesh: Mesh, samples: Samples, texture: U8 | None) -> F64:
    """Colours (N, 3) at points of a surface, which wears this texture if there is one."""
    if texture is not None and mesh.uv is not None:
        return texels(texture, samples.of(mesh.uv, mesh.faces))
    assert mesh.colors is not None
    return samples.of(mesh.colors, mesh.faces)
