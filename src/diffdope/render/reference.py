"""Slow, readable float64 renderer: the oracle against which the fast kernels are tested.

It restates the forward model from its definition, shares no code with the kernels, and favours one short
function per step over speed. Conventions: metres, pixels, integer pixel centres, OpenCV camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.render.reference_contour import Segments, antialias
from diffdope.render.reference_projection import (
    NEAR_M,
    Intrinsics,
    Projection,
    cut_points,
    on_image,
    project,
    weights_over_depth,
)
from diffdope.render.reference_shade import mip_levels, sample_trilinear
from diffdope.scene.texture import MipPyramid
from diffdope.scene.topology import EdgeTable

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

GRAZING_M = 1e-5  # distance of the camera from the plane of a face that it sees on edge
MIN_DOUBLE_AREA_PX2 = 1e-10  # twice the area below which a face has none


@dataclass(frozen=True)
class ReferenceScene:
    """What is drawn: a triangle mesh with its edges and, if any, its colour.

    Attributes:
        vertices_m: (V, 3) metres, model frame.
        faces: (F, 3) vertex indices.
        edges: welded edges of the same mesh.
        uv: (V, 2) texture coordinates, origin top left, or None.
        pyramid: texture with its reductions, or None; needs `uv`; wins over `colors`.
        colors: (V, 3) in [0, 1], or None. Without texture and colours the surface is black.
    """

    vertices_m: Array
    faces: NDArray[np.int32]
    edges: EdgeTable
    uv: Array | None = None
    pyramid: MipPyramid | None = None
    colors: Array | None = None


@dataclass(frozen=True)
class ReferenceImages:
    """Images of one pose; antialiased ones are premultiplied by coverage.

    Attributes:
        P: (H, W, 3) antialiased colour times coverage.
        AD: (H, W) antialiased depth times coverage, metres.
        A: (H, W) antialiased coverage.
        ids: (H, W) int32 visible face at the pixel centre, -1 for none.
        raw_rgb: (H, W, 3) colour at the pixel centre, 0 where uncovered.
        raw_depth: (H, W) depth at the pixel centre, metres, 0 where uncovered.
    """

    P: Array
    AD: Array
    A: Array
    ids: NDArray[np.int32]
    raw_rgb: Array
    raw_depth: Array

    @property
    def depth(self) -> Array:
        """(H, W) public depth in metres, 0 where nothing is seen."""
        seen = self.A > 1e-6
        return np.where(seen, self.AD / np.where(seen, self.A, 1.0), 0.0)


@dataclass(frozen=True)
class ReferenceFragments:
    """The visible surface point of each of the n covered pixels.

    Attributes:
        pixel: (n,) row-major pixel index.
        face: (n,) face index.
        weights: (n, 3) perspective-correct barycentric weights of the face's corners.
        z: (n,) depth in metres.
    """

    pixel: Indices
    face: Indices
    weights: Array
    z: Array


def render(scene: ReferenceScene, K: Intrinsics, width: int, height: int, R: Array, t: Array) -> ReferenceImages:
    """Render one pose.

    Args:
        scene: the object.
        K: (fx, fy, cx, cy) in pixels.
        width: image width in pixels.
        height: image height in pixels.
        R: (3, 3) model to camera rotation.
        t: (3,) model to camera translation, metres.
    """
    projection = project(scene.vertices_m, K, R, t)
    drawn = drawn_faces(projection, scene.faces)
    fragments = visible_fragments(projection, scene.faces, drawn, width, height)

    ids = np.full(width * height, -1, dtype=np.int32)
    ids[fragments.pixel] = fragments.face
    flat = np.zeros((width * height, 5))  # rgb, depth, coverage
    flat[fragments.pixel, :3] = shade(scene, projection, fragments)
    flat[fragments.pixel, 3] = fragments.z
    flat[fragments.pixel, 4] = 1.0

    raw = flat.reshape(height, width, 5)
    smooth = antialias(
        raw,
        ids.reshape(height, width),
        edges=scene.edges,
        segments=edges_in_front(projection, scene.edges),
        points_c=projection.points_c,
        drawn=drawn,
    )
    return ReferenceImages(
        P=smooth[..., :3],
        AD=smooth[..., 3],
        A=smooth[..., 4],
        ids=ids.reshape(height, width),
        raw_rgb=raw[..., :3],
        raw_depth=raw[..., 3],
    )


def cross2(a: Array, b: Array) -> Array:
    """z component of the cross product of (..., 2) vectors."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def drawn_faces(projection: Projection, faces: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Step 1, (F,) faces in front of the near plane, or partly, that are not seen from their edge."""
    a, b, c = (projection.points_px[faces[:, k]] for k in range(3))
    has_area = np.abs(cross2(b - a, c - a)) >= MIN_DOUBLE_AREA_PX2
    a, b, c = (projection.points_c[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    beside = np.abs(np.einsum("fk,fk->f", normal, a)) > GRAZING_M * np.linalg.norm(normal, axis=1)
    return np.asarray(np.where(projection.is_cut(faces), beside, has_area & projection.in_front[faces].all(axis=1)))


def pixels_in_boxes(low: Array, high: Array, width: int, height: int) -> tuple[Indices, Indices, Indices]:
    """List every pixel centre of every box: (box index, column, row), boxes clipped to the image."""
    limit = np.array([width, height]) - 1
    first = np.clip(np.ceil(low), 0, limit + 1).astype(np.int64)
    last = np.clip(np.floor(high), -1, limit).astype(np.int64)
    columns, rows = np.maximum(last - first + 1, 0).T
    count = columns * rows
    box = np.repeat(np.arange(len(low)), count)
    rank = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return box, first[box, 0] + rank % columns[box], first[box, 1] + rank // columns[box]


def screen_barycentric(corners_px: Array, points_px: Array) -> Array:
    """(n, 3) barycentric coordinates of (n, 2) points in (n, 3, 2) triangles, of either winding."""
    a, b, c = corners_px[:, 0], corners_px[:, 1], corners_px[:, 2]
    opposite = [cross2(c - b, points_px - b), cross2(a - c, points_px - c), cross2(b - a, points_px - a)]
    return np.asarray(np.stack(opposite, axis=1) / cross2(b - a, c - a)[:, None])


def visible_fragments(
    projection: Projection, faces: NDArray[np.int32], drawn: NDArray[np.bool_], width: int, height: int
) -> ReferenceFragments:
    """Step 2: per pixel centre the covering face of the largest 1/Z, the lowest index among equals."""
    cut = projection.is_cut(faces)
    found = [fragments_of_whole(projection, faces, drawn & ~cut, width, height)]
    found += [fragments_of_cut(projection, faces, int(face), width, height) for face in np.flatnonzero(drawn & cut)]
    face, pixel, parts = (np.concatenate([part[k] for part in found]) for k in range(3))
    inverse_z = parts.sum(axis=1)

    order = np.lexsort((face, -inverse_z, pixel))
    nearest = order[np.unique(pixel[order], return_index=True)[1]]
    return ReferenceFragments(
        pixel=pixel[nearest],
        face=face[nearest],
        weights=parts[nearest] / inverse_z[nearest, None],
        z=1.0 / inverse_z[nearest],
    )


def fragments_of_whole(
    projection: Projection, faces: NDArray[np.int32], drawn: NDArray[np.bool_], width: int, height: int
) -> tuple[Indices, Indices, Array]:
    """Face, pixel and (n, 3) weights over depth of every pixel centre in every drawn face."""
    shown = np.flatnonzero(drawn)
    corners_px = projection.points_px[faces[shown]]
    box, x, y = pixels_in_boxes(corners_px.min(axis=1), corners_px.max(axis=1), width, height)
    screen = screen_barycentric(corners_px[box], np.stack([x, y], axis=1).astype(np.float64))
    inside = (screen >= 0.0).all(axis=1)
    face, pixel = shown[box[inside]], (y * width + x)[inside]

    # 1/Z is affine on the screen, so are a/Z for every affine attribute a: hence the weights below
    return face, pixel, screen[inside] * projection.inverse_z[faces[face]]


def fragments_of_cut(
    projection: Projection, faces: NDArray[np.int32], face: int, width: int, height: int
) -> tuple[Indices, Indices, Array]:
    """The same of one face that crosses the near plane: where the ray of a pixel meets the part in front."""
    y, x = np.indices((height, width)).reshape(2, -1)
    parts = weights_over_depth(projection, faces[face], np.stack([x, y], axis=1).astype(np.float64))
    inside = (parts >= 0.0).all(axis=1) & (parts.sum(axis=1) <= 1.0 / NEAR_M)
    pixel = np.flatnonzero(inside)
    return np.full(len(pixel), face), pixel, parts[pixel]


def edges_in_front(projection: Projection, edges: EdgeTable) -> Segments:
    """The part of every edge that lies before the near plane."""
    a, b = projection.points_c[edges.v0], projection.points_c[edges.v1]
    a_ahead, b_ahead = projection.in_front[edges.v0], projection.in_front[edges.v1]
    cut = cut_points(a, b)
    a_px, a_inverse = on_image(np.where(a_ahead[:, None], a, cut), projection.K)
    b_px, b_inverse = on_image(np.where(b_ahead[:, None], b, cut), projection.K)
    return Segments(a_px, a_inverse, b_px, b_inverse, a_ahead | b_ahead)


def shade(scene: ReferenceScene, projection: Projection, fragments: ReferenceFragments) -> Array:
    """Step 3, (n, 3) colour of the fragments: texture, else vertex colours, else black."""
    corners = scene.faces[fragments.face]
    if scene.pyramid is not None and scene.uv is not None:
        uv = np.einsum("nk,nkd->nd", fragments.weights, scene.uv[corners])
        return sample_trilinear(scene.pyramid, uv, mip_levels(scene.pyramid, scene.uv, projection, corners))
    if scene.colors is not None:
        return np.asarray(np.einsum("nk,nkd->nd", fragments.weights, scene.colors[corners]))
    return np.zeros((len(corners), 3))
