"""Textures of the reference renderer: the mip level of a face, and colours of two levels blended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.render.reference_projection import Projection, cut_points, on_image, weights_over_depth
from diffdope.scene.texture import MipPyramid

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MIN_TEXELS_PER_PIXEL = 1e-6  # its logarithm is taken


def mip_levels(pyramid: MipPyramid, uv: Array, projection: Projection, corners: NDArray[np.int32]) -> Array:
    """Step 3, (n,) level of each face (n, 3)."""
    cut = projection.is_cut(corners)
    levels = np.empty(len(corners))
    levels[~cut] = mip_level(pyramid, projection.points_px[corners[~cut]], uv[corners[~cut]])
    faces, which = np.unique(corners[cut], axis=0, return_inverse=True)
    each = np.array([mip_level_in_front(pyramid, projection, face, uv[face]) for face in faces])
    levels[cut] = each[which.ravel()] if len(faces) else 0.0
    return levels


def mip_level_in_front(pyramid: MipPyramid, projection: Projection, face: NDArray[np.int32], corner_uv: Array) -> float:
    """Step 3, level of a face (3,) that crosses the near plane: of the footprint at the middle of its part in front.

    The middle is the mean of that part's corners.
    """
    size = np.array([pyramid.widths[0], pyramid.heights[0]], dtype=np.float64)
    points, ahead = projection.points_c[face], projection.in_front[face]
    following = np.roll(points, -1, axis=0)
    cuts = cut_points(points, following)[ahead != np.roll(ahead, -1)]
    middle_px, _ = on_image(np.concatenate([points[ahead], cuts]).mean(axis=0)[None], projection.K)

    def texel(offset_px: Array) -> Array:
        weights = weights_over_depth(projection, face, middle_px + offset_px)[0]
        return np.asarray(weights @ (corner_uv * size) / weights.sum())

    step = 1e-3  # the map is smooth over far more than a pixel
    sides = [(texel(by) - texel(-by)) / (2 * step) for by in step * np.eye(2)]
    footprint = max(*(float(np.linalg.norm(side)) for side in sides), MIN_TEXELS_PER_PIXEL)
    return float(np.clip(np.log2(footprint), 0.0, len(pyramid.widths) - 1))


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
