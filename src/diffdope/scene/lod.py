"""Levels of detail: the same surface with fewer triangles, and with its texture or its colours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.scene.lod_texture import Skin, carried, charts_of, smaller
from diffdope.scene.mesh import Mesh
from diffdope.scene.topology import weld

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

_SAMPLES_PER_VERTEX = 40
_MOST_SAMPLES = 100_000
_BEYOND = 0.5  # share of triangles that reach beyond their chart: scans whose triangles are charts of their own have
# more than 0.8, others less than 0.25


class Surface(NamedTuple):
    """Points (N, 3) spread evenly over a surface, and their colours (N, 3) in [0, 1]."""

    points_m: F64
    colors: F64


def levels_of_detail(mesh: Mesh, counts: Sequence[int]) -> dict[int, Mesh]:
    """Decimated meshes by their number of triangles, for images in which those of `mesh` are smaller than a pixel.

    Quadric edge collapse (Garland and Heckbert 1997, by fast-simplification) on vertices welded by position. It knows
    no texture coordinates: `lod_texture.carried` finds them again. Where that is impossible, since the texture was cut
    into pieces that are smaller than the new triangles, and where a mesh has colours at its vertices, each vertex takes
    the mean colour of the part of the surface that is nearest to it.

    Args:
        mesh: the full detail.
        counts: wanted numbers of triangles; a count that `mesh` does not exceed by a quarter gives `mesh` itself.

    Raises:
        DiffDopeError: if a count is below 4.
    """
    if any(count < 4 for count in counts):
        raise DiffDopeError(f"counts: expected at least 4 triangles, got {min(counts)}")
    levels: dict[int, Mesh] = {}
    vertices_m, faces = welded(mesh)
    coat: Coat | None = None
    for count in sorted(set(counts), reverse=True):
        if len(mesh.faces) <= 1.25 * count:
            levels[count] = mesh
            continue
        reduced = decimated(vertices_m, faces, count, mesh.diameter)
        if reduced is None:  # nothing sensible is left of it: stay with what there is
            levels[count] = min(levels.values(), key=lambda m: len(m.faces), default=mesh)
            continue
        vertices_m, faces = reduced  # the next level is made of this one: it is faster, and as good
        coat = coat or Coat(mesh, min(_MOST_SAMPLES, _SAMPLES_PER_VERTEX * len(vertices_m)))
        levels[count] = coat.on(vertices_m, faces)
    return levels


class Coat:
    """The appearance of a mesh, to be put on what is left of it.

    Args:
        mesh: the full detail.
        count: points on it at which its appearance is looked up.
    """

    def __init__(self, mesh: Mesh, count: int) -> None:
        self._mesh, self._count = mesh, count

    def on(self, vertices_m: F64, faces: I32) -> Mesh:
        """The mesh of vertices (V, 3), without seams, and faces (F, 3), painted."""
        name = f"{self._mesh.name}, {len(faces)} triangles"
        if self._mesh.texture is not None:
            carry = carried(self._skin, vertices_m, faces)
            if carry.beyond < _BEYOND:
                return Mesh(carry.vertices_m, carry.faces, uv=carry.uv, texture=self._texture, name=name)
        colors = nearest_mean(vertices_m, self._surface) if self._mesh.has_color else None
        return Mesh(vertices_m, faces, colors=colors, name=name)

    @cached_property
    def _skin(self) -> Skin:
        mesh = self._mesh
        assert mesh.uv is not None
        points_m, owners, _ = points_on(mesh, self._count)
        return Skin(mesh.vertices_m, mesh.faces, mesh.uv, charts_of(mesh.faces, len(mesh.vertices_m)), points_m, owners)

    @cached_property
    def _texture(self) -> NDArray[np.uint8]:
        assert self._mesh.texture is not None
        return smaller(self._mesh.texture)

    @cached_property
    def _surface(self) -> Surface:
        return sampled(self._mesh, self._count)


def welded(mesh: Mesh) -> tuple[F64, I32]:
    """Vertices and faces of a mesh without the seams of its texture."""
    _, first, inverse = np.unique(weld(mesh.vertices_m), return_index=True, return_inverse=True)
    faces = inverse[mesh.faces]
    proper = (faces != np.roll(faces, -1, axis=1)).all(axis=1)
    return mesh.vertices_m[first], faces[proper].astype(np.int32)


def decimated(vertices_m: F64, faces: I32, count: int, length_m: float) -> tuple[F64, I32] | None:
    """About `count` triangles; None if the result is no surface any more."""
    import fast_simplification

    middle = vertices_m.mean(axis=0)
    scaled = ((vertices_m - middle) / length_m).astype(np.float32)
    points, triangles = fast_simplification.simplify(scaled, faces, target_count=count, agg=5)
    used, triangles = np.unique(triangles, return_inverse=True)
    if len(used) < 4 or not np.isfinite(points).all():
        return None
    vertices = points[used].astype(np.float64) * length_m + middle
    corners = vertices[triangles.reshape(-1, 3)]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    kept = triangles.reshape(-1, 3)[area > 1e-9 * length_m**2]
    return (vertices, kept.astype(np.int32)) if len(kept) >= 4 else None


def points_on(mesh: Mesh, count: int) -> tuple[F64, NDArray[np.intp], F64]:
    """Points (N, 3) spread evenly over the area, their faces (N,) and weights of the corners (N, 3); deterministic."""
    rng = np.random.default_rng(0)
    corners = mesh.vertices_m[mesh.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = np.cumsum(area)
    face = np.searchsorted(total, (np.arange(count) + rng.random(count)) / count * total[-1])
    face = np.minimum(face, len(area) - 1)
    # Uniform in a triangle: Osada et al. 2002, eq. 1.
    root, share = np.sqrt(rng.random(count)), rng.random(count)
    weights = np.stack([1.0 - root, root * (1.0 - share), root * share], axis=1)
    return np.einsum("nk,nkd->nd", weights, corners[face]), face, weights


def sampled(mesh: Mesh, count: int) -> Surface:
    """Points evenly spread over the area, with their colours."""
    points_m, face, weights = points_on(mesh, count)
    return Surface(points_m, _colors_at(mesh, mesh.faces[face], weights))


def _colors_at(mesh: Mesh, corners: NDArray[np.int32], weights: F64) -> F64:
    if mesh.texture is not None and mesh.uv is not None:
        uv = np.einsum("nk,nkd->nd", weights, mesh.uv[corners])
        height, width = mesh.texture.shape[:2]
        x = np.clip((uv[:, 0] * width).astype(np.intp), 0, width - 1)
        y = np.clip((uv[:, 1] * height).astype(np.intp), 0, height - 1)
        return np.asarray(mesh.texture[y, x] / 255.0)
    assert mesh.colors is not None
    return np.asarray(np.einsum("nk,nkd->nd", weights, mesh.colors[corners]))


def nearest_mean(vertices_m: F64, surface: Surface) -> F64:
    """Mean colour (V, 3) of the samples nearest to each vertex; a vertex without any takes the nearest sample's."""
    from scipy.spatial import cKDTree

    _, owner = cKDTree(vertices_m).query(surface.points_m)
    count = np.bincount(owner, minlength=len(vertices_m))
    sums = [np.bincount(owner, surface.colors[:, c], minlength=len(vertices_m)) for c in range(3)]
    colors = np.stack(sums, axis=1) / np.maximum(count, 1)[:, None]
    bare = count == 0
    if bare.any():
        _, nearest = cKDTree(surface.points_m).query(vertices_m[bare])
        colors[bare] = surface.colors[nearest]
    return np.clip(colors, 0.0, 1.0)
