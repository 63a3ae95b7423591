"""From validated scene objects to the arrays that kernels read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.vectors import cross, lengths
from diffdope.render.kernels.layout import (
    EDGE_AGREE,
    EDGE_ALWAYS,
    EDGE_DIFFER,
    SHADE_NONE,
    SHADE_TEXTURE,
    SHADE_VERTEX,
    Edges,
    MeshArrays,
    Pinhole,
    Shape,
    Skin,
)  # fmt: skip
from diffdope.scene.mesh import Mesh
from diffdope.scene.texture import build_pyramid
from diffdope.scene.topology import build_edges, is_closed, shows_no_backs

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def readable(image: NDArray[np.floating]) -> F32:
    """The image as kernels take what was observed: contiguous float32 that cannot be written to.

    Images that were observed cannot be written to, and to numba that is another type: all are given like those. It is
    copied only where it has to be.
    """
    view = np.ascontiguousarray(image, np.float32)
    if view.flags.writeable:
        view = view.view()
        view.flags.writeable = False
    return view


def pinhole_of(camera: Camera) -> Pinhole:
    """The camera as kernels see it."""
    return Pinhole(
        np.float32(camera.fx), np.float32(camera.fy), np.float32(camera.cx), np.float32(camera.cy),
        camera.width, camera.height,
    )  # fmt: skip


def vertex_attributes(mesh: Mesh) -> tuple[int, F64 | None]:
    """Shading mode, and what is interpolated over a face: texture coordinates (V, 2), colours (V, 3) or None."""
    if mesh.texture is not None and mesh.uv is not None:
        return SHADE_TEXTURE, mesh.uv
    if mesh.colors is not None:
        return SHADE_VERTEX, mesh.colors
    return SHADE_NONE, None


def face_planes(mesh: Mesh) -> tuple[F32, F32, F32, F32]:
    """Unit normals by coordinate and offsets, (F,) each; what a face without area has does not matter."""
    a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
    normal = cross(b - a, c - a)
    normal /= np.maximum(lengths(normal)[:, None], np.finfo(np.float64).tiny)
    offset = -np.einsum("fk,fk->f", normal, a)
    x, y, z, d = (np.ascontiguousarray(column, np.float32) for column in (*normal.T, offset))
    return x, y, z, d


def coordinates(mesh: Mesh) -> tuple[F32, F32, F32]:
    """Of the vertices, (V,) each, metres."""
    x, y, z = (np.ascontiguousarray(axis, np.float32) for axis in mesh.vertices_m.T)
    return x, y, z


def moved_shape(shape: Shape, mesh: Mesh) -> Shape:
    """The shape with the places of a mesh that has the same triangles, whose parts moved rigidly."""
    return Shape(*coordinates(mesh), shape.faces, *face_planes(mesh), shape.closed)


def mesh_arrays(mesh: Mesh, *, reduced: bool = False) -> MeshArrays:
    """Packs a mesh, its edges and its mip pyramid; done once per mesh.

    Args:
        mesh: the object.
        reduced: whether it is a level of detail of another. Walls of those that are thin may cross, so insides are left
            out only if it is closed altogether.
    """
    shading, values = vertex_attributes(mesh)
    attributes = np.zeros((len(mesh.vertices_m), 3), np.float32)
    if values is not None:
        attributes[:, : values.shape[1]] = values
    shown = mesh.shown_texture if shading == SHADE_TEXTURE else None
    texture = np.zeros((1, 1, 3), np.uint8) if shown is None else shown
    pyramid = build_pyramid(texture)
    edges = build_edges(mesh.vertices_m, mesh.faces, values)
    closed = (is_closed if reduced else shows_no_backs)(mesh.vertices_m, mesh.faces, edges)
    return MeshArrays(
        Shape(*coordinates(mesh), np.ascontiguousarray(mesh.faces, np.uint32), *face_planes(mesh), int(closed)),
        Skin(
            shading,
            attributes,
            pyramid.texels.view(np.int32),
            pyramid.offsets,
            pyramid.widths,
            pyramid.heights,
        ),
        Edges(
            np.stack([edges.v0, edges.v1], 1).astype(np.uint32),
            np.stack([edges.f0, np.where(edges.f1 < 0, len(mesh.faces), edges.f1)], 1).astype(np.uint32),
            np.stack([edges.o0, np.where(edges.o1 < 0, edges.o0, edges.o1)], 1).astype(np.uint32),
            (edges.flip | (edges.seam << 1)).astype(np.uint8),
            np.where(edges.seam, EDGE_ALWAYS, np.where(edges.flip, EDGE_DIFFER, EDGE_AGREE)).astype(np.uint8),
        ),
    )
