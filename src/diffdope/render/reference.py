"""Slow, readable float64 renderer: the oracle against which the fast kernels are tested.

It restates the forward model from its definition, shares no code with the kernels, and favours one short
function per step over speed. Conventions: metres, pixels, integer pixel centres, OpenCV camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.render.reference_contour import antialias
from diffdope.scene.texture import MipPyramid
from diffdope.scene.topology import EdgeTable

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

NEAR_M = 1e-3
MIN_DOUBLE_AREA_PX2 = 1e-10
MIN_TEXELS_PER_PIXEL = 1e-6


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
class Projection:
    """Vertices seen by the camera: (V, 2) pixels, (V,) inverse depth 1/m, (V,) in front of the near plane."""

    points_px: Array
    inverse_z: Array
    in_front: NDArray[np.bool_]


@dataclass(frozen=True)
class Fragments:
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


def render(
    scene: ReferenceScene, K: tuple[float, float, float, float], width: int, height: int, R: Array, t: Array
) -> ReferenceImages:
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
        points_px=projection.points_px,
        inverse_z=projection.inverse_z,
        in_front=projection.in_front,
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


def project(vertices_m: Array, K: tuple[float, float, float, float], R: Array, t: Array) -> Projection:
    """Step 1, pinhole camera: u = fx X / Z + cx, v = fy Y / Z + cy."""
    fx, fy, cx, cy = K
    x_c = np.asarray(vertices_m, dtype=np.float64) @ np.asarray(R).T + np.asarray(t)
    in_front = x_c[:, 2] > NEAR_M
    inverse_z = 1.0 / np.where(in_front, x_c[:, 2], 1.0)  # a vertex behind the camera is never used
    points_px = np.stack([fx * x_c[:, 0] * inverse_z + cx, fy * x_c[:, 1] * inverse_z + cy], axis=1)
    return Projection(points_px, inverse_z, in_front)


def cross2(a: Array, b: Array) -> Array:
    """z component of the cross product of (..., 2) vectors."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def drawn_faces(projection: Projection, faces: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Step 1, (F,) faces wholly in front of the near plane and with an area on the screen."""
    a, b, c = (projection.points_px[faces[:, k]] for k in range(3))
    has_area = np.abs(cross2(b - a, c - a)) >= MIN_DOUBLE_AREA_PX2
    return np.asarray(has_area & projection.in_front[faces].all(axis=1))


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
) -> Fragments:
    """Step 2: per pixel centre the covering face of the largest 1/Z, the lowest index among equals."""
    shown = np.flatnonzero(drawn)
    corners_px = projection.points_px[faces[shown]]
    box, x, y = pixels_in_boxes(corners_px.min(axis=1), corners_px.max(axis=1), width, height)
    screen = screen_barycentric(corners_px[box], np.stack([x, y], axis=1).astype(np.float64))
    inside = (screen >= 0.0).all(axis=1)
    face, pixel = shown[box[inside]], (y * width + x)[inside]

    # 1/Z is affine on the screen, so are a/Z for every affine attribute a: hence the weights below
    parts = screen[inside] * projection.inverse_z[faces[face]]
    inverse_z = parts.sum(axis=1)

    order = np.lexsort((face, -inverse_z, pixel))
    nearest = order[np.unique(pixel[order], return_index=True)[1]]
    return Fragments(
        pixel=pixel[nearest],
        face=face[nearest],
        weights=parts[nearest] / inverse_z[nearest, None],
        z=1.0 / inverse_z[nearest],
    )


def shade(scene: ReferenceScene, projection: Projection, fragments: Fragments) -> Array:
    """Step 3, (n, 3) colour of the fragments: texture, else vertex colours, else black."""
    corners = scene.faces[fragments.face]
    if scene.pyramid is not None and scene.uv is not None:
        uv = np.einsum("nk,nkd->nd", fragments.weights, scene.uv[corners])
        corner_uv = scene.uv[corners]
        level = mip_level(scene.pyramid, projection.points_px[corners], corner_uv)
        return sample_trilinear(scene.pyramid, uv, level)
    if scene.colors is not None:
        return np.asarray(np.einsum("nk,nkd->nd", fragments.weights, scene.colors[corners]))
    return np.zeros((len(corners), 3))


def mip_level(pyramid: MipPyramid, corners_px: Array, corners_uv: Array) -> Array:
    """Step 3, (n,) level of each face, from the affine map of its three corners, pixels to texels.

    The classical rule (Williams, Pyramidal Parametrics, 1983) of the longer of the two footprint axes.
    """
    size = np.array([pyramid.widths[0], pyramid.heights[0]], dtype=np.float64)
    pixel_sides = corners_px[:, 1:] - corners_px[:, :1]  # (n, side, xy)
    texel_sides = (corners_uv[:, 1:] - corners_uv[:, :1]) * size
    # side @ A = texel side, so row k of A is d texel / d pixel axis k
    texels_per_pixel = np.linalg.solve(pixel_sides, texel_sides)
    footprint = np.linalg.norm(texels_per_pixel, axis=2).max(axis=1, initial=MIN_TEXELS_PER_PIXEL)
    return np.asarray(np.clip(np.log2(footprint), 0.0, len(pyramid.widths) - 1))


def sample_trilinear(pyramid: MipPyramid, uv: Array, level: Array) -> Array:
    """Step 3, (n, 3) colour: the two nearest levels, blended."""
    lower = np.floor(level).astype(np.int64)
    upper = np.minimum(lower + 1, len(pyramid.widths) - 1)
    blend = (level - lower)[:, None]
    return (1.0 - blend) * sample_bilinear(pyramid, uv, lower) + blend * sample_bilinear(pyramid, uv, upper)


def sample_bilinear(pyramid: MipPyramid, uv: Array, level: Indices) -> Array:
    """Step 3, (n, 3) colour at (n, 2) uv in (n,) levels; texel centres at (i + 0.5) / size, edges clamped."""
    size = np.stack([pyramid.widths[level], pyramid.heights[level]], axis=1).astype(np.int64)
    position = np.clip(uv * size - 0.5, 0.0, size - 1.0)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, size - 1)
    fx, fy = (position - low).T[..., None]

    def texel(x: Indices, y: Indices) -> Array:
        return unpack_rgb(pyramid.texels[pyramid.offsets[level] + y * size[:, 0] + x])

    top = (1.0 - fx) * texel(low[:, 0], low[:, 1]) + fx * texel(high[:, 0], low[:, 1])
    bottom = (1.0 - fx) * texel(low[:, 0], high[:, 1]) + fx * texel(high[:, 0], high[:, 1])
    return np.asarray((1.0 - fy) * top + fy * bottom)


def unpack_rgb(packed: NDArray[np.uint32]) -> Array:
    """(n, 3) colour in [0, 1] of texels packed as r | g << 8 | b << 16 | 255 << 24."""
    channels = packed[:, None] >> np.array([0, 8, 16], dtype=np.uint32) & np.uint32(255)
    return channels.astype(np.float64) / 255.0
