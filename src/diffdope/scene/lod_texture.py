"""Texture coordinates for a decimated mesh: of the places on the original surface that its corners are nearest to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
Int = NDArray[np.intp]

_LARGEST = 512  # pixels: more than images need for which a mesh is reduced
_GAP = 0.3  # of a triangle's longest side: a corner that is farther from the chart is not on it
_BEYOND = 0.5  # shares of a triangle's sides by which its own coordinates are continued beyond it


class Skin(NamedTuple):
    """A textured surface: vertices_m (V, 3), faces (F, 3), uv (V, 2), charts (F,) and points (N, 3) on faces (N,)."""

    vertices_m: F64
    faces: I32
    uv: F64
    charts: Int
    points_m: F64
    owners: Int


def charts_of(faces: I32, count: int) -> Int:
    """Numbers (F,) of the connected pieces into which seams cut a mesh of `count` vertices, doubled along seams."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.concatenate([faces[:, (0, 1)], faces[:, (1, 2)]])
    links = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1][faces[:, 0]], np.intp)


class Carried(NamedTuple):
    """A decimated mesh with texture: vertices_m (V, 3), doubled along seams, faces (F, 3), uv (V, 2)."""

    vertices_m: F64
    faces: I32
    uv: F64
    beyond: float
    """Share of the triangles that reach beyond their chart, where the texture shows something else."""


def carried(skin: Skin, vertices_m: F64, faces: I32) -> Carried:
    """A decimated mesh with the texture of the original.

    A triangle belongs to the chart that is nearest to its middle, and all its corners take their coordinates from
    there: never from two charts, between which anything may lie.

    Args:
        skin: the original.
        vertices_m: (V, 3), without seams.
        faces: (F, 3).
    """
    from scipy.spatial import cKDTree

    nearest = cKDTree(skin.points_m).query(vertices_m[faces].mean(axis=1))[1]
    chart = skin.charts[skin.owners[nearest]]
    pairs, inverse = np.unique(
        np.stack([np.repeat(chart, 3), faces.ravel().astype(np.intp)], axis=1), axis=0, return_inverse=True
    )
    uv, gap_m = np.empty((len(pairs), 2)), np.empty(len(pairs))
    of_point = skin.charts[skin.owners]
    order = np.argsort(of_point, kind="stable")
    starts = np.searchsorted(of_point[order], pairs[:, 0]), np.searchsorted(of_point[order], pairs[:, 0], side="right")
    for first in np.unique(starts[0]):
        mine = np.flatnonzero(starts[0] == first)
        inside = order[first : starts[1][mine[0]]]
        places = vertices_m[pairs[mine, 1]]
        gap_m[mine], at = cKDTree(skin.points_m[inside]).query(places)
        uv[mine] = continued(skin, skin.owners[inside[at]], places)
    own = inverse.reshape(-1, 3).astype(np.int32)
    corners = vertices_m[faces]
    side_m = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    beyond = float(np.mean(gap_m[own].max(axis=1) > _GAP * side_m))
    return Carried(vertices_m[pairs[:, 1]], own, np.clip(uv, 0.0, 1.0), beyond)


def continued(skin: Skin, owners: Int, places_m: F64) -> F64:
    """Texture coordinates (N, 2) of places (N, 3) near triangles (N,), as those of the triangle go on in its plane."""
    corners, uv = skin.vertices_m[skin.faces[owners]], skin.uv[skin.faces[owners]]
    one, two, away = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], places_m - corners[:, 0]
    a, b, c = (one * one).sum(axis=1), (one * two).sum(axis=1), (two * two).sum(axis=1)
    p, q = (away * one).sum(axis=1), (away * two).sum(axis=1)
    area = np.maximum(a * c - b * b, 1e-300)
    shares = np.clip(np.stack([(c * p - b * q) / area, (a * q - b * p) / area], axis=1), -_BEYOND, 1.0 + _BEYOND)
    steps = uv[:, 1:] - uv[:, :1]
    return np.asarray(uv[:, 0] + (shares[:, :, None] * steps).sum(axis=1))


def smaller(texture: U8) -> U8:
    """A texture averaged down to at most 512 pixels a side."""
    from PIL import Image

    height, width = texture.shape[:2]
    factor = -(-max(height, width) // _LARGEST)
    if factor <= 1:
        return texture
    size = (max(1, width // factor), max(1, height // factor))
    return np.asarray(Image.fromarray(texture).resize(size, Image.Resampling.BOX))
