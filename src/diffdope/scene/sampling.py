"""Points spread over a surface, and the colours there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.vectors import areas, cross, lengths
from diffdope.scene.blocks import mean_of_texels
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
Int = NDArray[np.intp]


class Samples(NamedTuple):
    """Points on a surface: their faces (N,), and the weights of the corners (N, 3)."""

    face: Int
    weights: F64

    def of(self, values: F64, faces: I32) -> F64:
        """What is interpolated there (N, C) of values (V, C) at the corners of faces (F, 3): positions, for example."""
        corners = faces.take(self.face, axis=0)
        total = values.take(corners[:, 0], axis=0) * self.weights[:, :1]
        for k in (1, 2):
            total += values.take(corners[:, k], axis=0) * self.weights[:, k : k + 1]
        return total


def normals_of(points: F64, faces: I32, face: Int) -> F64:
    """Unit normals (N, 3) of some triangles (N,); 0 of those without an area."""
    corners = faces.take(face, axis=0)
    a, b, c = (points.take(corners[:, k], axis=0) for k in range(3))
    normals = cross(b - a, c - a)
    return np.asarray(normals / np.maximum(lengths(normals)[:, None], 1e-300))


def surface_points(mesh: Mesh, count: int) -> tuple[F64, F64]:
    """Points (N, 3), metres, spread evenly over a mesh, and its unit normals (N, 3) there; the same every time."""
    samples = spread_over(mesh.vertices_m, mesh.faces, count)
    return samples.of(mesh.vertices_m, mesh.faces), normals_of(mesh.vertices_m, mesh.faces, samples.face)


def spread_over(points: F64, faces: I32, count: int) -> Samples:
    """`count` points spread evenly over the area; the same every time."""
    rng = np.random.default_rng(0)
    total = np.cumsum(areas(points, faces))
    face = np.searchsorted(total, (np.arange(count) + rng.random(count)) / count * total[-1])
    return Samples(np.minimum(face, len(total) - 1), _inside(rng, count))


def spread_on_each(points: F64, faces: I32, count: int) -> tuple[Samples, F64]:
    """At least one point on each triangle, its middle, and about `count` more by area; and the area of each point."""
    rng = np.random.default_rng(0)
    size = areas(points, faces)
    number = 1 + np.floor(size * (count / size.sum())).astype(np.intp)
    face = np.repeat(np.arange(len(faces)), number)
    weights = _inside(rng, len(face))
    weights[np.cumsum(number) - 1] = 1.0 / 3.0
    return Samples(face, weights), (size / number)[face]


def _inside(rng: np.random.Generator, count: int) -> F64:
    """Uniform in a triangle: Osada et al. 2002, eq. 1."""
    root, share = np.sqrt(rng.random(count)), rng.random(count)
    return np.stack([1.0 - root, root * (1.0 - share), root * share], axis=1)


def points_on(mesh: Mesh, count: int) -> F64:
    """Points (N, 3) spread evenly over the surface; the same every time."""
    return spread_over(mesh.vertices_m, mesh.faces, count).of(mesh.vertices_m, mesh.faces)


def texels(texture: U8, uv: F64) -> F64:
    """Colours (N, 3) in [0, 1] of the texels at texture coordinates (N, 2)."""
    height, width = texture.shape[:2]
    x = np.clip((uv[:, 0] * width).astype(np.intp), 0, width - 1)
    y = np.clip((uv[:, 1] * height).astype(np.intp), 0, height - 1)
    return np.asarray(texture[y, x] / 255.0)


def averaged(texture: U8, factor: int) -> U8:
    """A texture of which blocks of factor x factor texels have become one; what is left over at its ends is cut off."""
    factor = min(factor, *texture.shape[:2])
    if factor <= 1:
        return texture
    height, width = (size // factor for size in texture.shape[:2])
    out = np.empty((height, width, 3), np.uint8)
    rows = np.ascontiguousarray(texture).reshape(len(texture), -1)
    mean_of_texels(rows, factor, np.empty(3 * width * factor, np.uint32), out)
    return out
