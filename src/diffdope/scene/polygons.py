"""Polygons into triangles: as a fan where that is right, else ear by ear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.vectors import axes_across
from diffdope.scene.ears import cut_ears

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_MOST_FANS = 16  # corners; larger polygons are tried as a fan from their first corner alone
_FLAT = 1e-9  # of a polygon's area: triangles below it have none
_BLOCK = 2**18  # corners at a time, which bounds the memory


def triangulate(points: F64, corners: Int, sizes: Int) -> tuple[Int, Int]:
    """Cuts polygons into triangles that cover each one once, whether it is convex or not, and wound as it is.

    No corner is left out, also where three lie in a line, so that neighbours which share them stay joined. A
    polygon that is not flat is cut as seen along its mean normal.

    Args:
        points: (V, 3).
        corners: (C,) indices of points: those of the first polygon, then those of the second, and so on.
        sizes: (P,) how many corners each polygon has; those with fewer than 3 give no triangle.

    Returns:
        (T, 3) places in `corners`, and (T,) the polygon of each triangle, ascending.
    """
    if len(sizes) and (sizes == 3).all():
        return np.arange(len(corners)).reshape(-1, 3), np.arange(len(sizes))
    first = np.cumsum(sizes) - sizes
    triangles = [np.empty((0, 3), np.intp)]
    owners = [np.empty(0, np.intp)]
    for size in np.unique(sizes[sizes >= 3]).tolist():
        polygons = np.flatnonzero(sizes == size)
        step = max(1, _BLOCK // size)
        for start in range(0, len(polygons), step):
            block = polygons[start : start + step]
            places = first[block][:, None] + np.arange(size)
            cut = places[:, None] if size == 3 else _cut(points[corners[places]], places)
            triangles.append(cut.reshape(-1, 3))
            owners.append(np.repeat(block, size - 2))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return np.concatenate(triangles)[order], owner[order]


def _cut(outlines: F64, places: Int) -> Int:
    """Triangles (P, N - 2, 3), as places, of polygons (P, N, 3) of the same size."""
    count = outlines.shape[1]
    centred = outlines - outlines.mean(axis=1, keepdims=True)
    normals = np.cross(centred, np.roll(centred, -1, axis=1)).sum(axis=1)  # Newell's; twice the area long
    area = np.linalg.norm(normals, axis=1)
    normals /= np.where(area > 0, area, 1.0)[:, None]
    origin, smallest = _best_fan(centred, normals)
    # The usual corner is kept where it serves: which diagonal a quad has then does not depend on rounding.
    origin[_smallest_in_fan(centred, normals, 0) > 0.1 * smallest] = 0
    turned = (np.arange(count)[None] + origin[:, None]) % count
    fans = np.take_along_axis(places, turned, axis=1)
    steps = np.arange(1, count - 1)
    cut = np.stack([np.broadcast_to(fans[:, :1], (len(fans), count - 2)), fans[:, steps], fans[:, steps + 1]], axis=2)
    for polygon in np.flatnonzero((smallest <= _FLAT * area) & (area > 0)):
        cut[polygon] = places[polygon][cut_ears(_in_plane(centred[polygon], normals[polygon]))]
    return cut


def _best_fan(centred: F64, normals: F64) -> tuple[Int, F64]:
    """The corner whose fan has the largest smallest triangle, and that triangle's signed area, twice."""
    count = centred.shape[1]
    smallest = np.stack(
        [_smallest_in_fan(centred, normals, k) for k in range(count if count <= _MOST_FANS else 1)], axis=1
    )
    best = np.argmax(smallest, axis=1)
    return best, np.take_along_axis(smallest, best[:, None], axis=1)[:, 0]


def _smallest_in_fan(centred: F64, normals: F64, origin: int) -> F64:
    """Twice the least signed area among the triangles of the fan from a corner.

    All are positive exactly where the polygon is star-shaped as seen from there, and then the fan covers it once.
    """
    spokes = np.roll(centred, -origin, axis=1)
    spokes = spokes[:, 1:] - spokes[:, :1]
    doubled = np.einsum("pnk,pk->pn", np.cross(spokes[:, :-1], spokes[:, 1:]), normals)
    least: F64 = doubled.min(axis=1)
    return least


def _in_plane(centred: F64, normal: F64) -> F64:
    """The corners (N, 2) as seen against the normal, counterclockwise."""
    u, v = axes_across(normal)
    return np.stack([centred @ u, centred @ v], axis=1)
