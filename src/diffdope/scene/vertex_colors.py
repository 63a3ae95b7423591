"""Colours of vertices seen from afar: averaged over a pixel, as the mip levels of a texture are.

A surface painted vertex by vertex with triangles smaller than a pixel aliases. Worse, its colours change within a
sliver of a pixel, so a descent sees slopes at a few pixels only, far too steep, and hardly turns the object.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.mesh import Mesh
from diffdope.scene.topology import weld

F64 = NDArray[np.float64]

_ALIASES = 1.0  # triangles a pixel, along a line, from which on colours are averaged: fewer do not alias


def averaged_colors(mesh: Mesh, pixel: float) -> Mesh:
    """The mesh with its vertex colours averaged over a pixel.

    Colours spread over the edges of the surface, as heat does, until a point has the variance of a tent two pixels
    wide: bilinear interpolation in a mip level whose texels are as large as pixels makes the same of a texture. They
    do not cross seams, where vertices in one place have different colours.

    Args:
        mesh: any; one without a pattern of vertex colours is returned as it is.
        pixel: its size, as a share of the mesh's diameter, above 0.

    Returns:
        the mesh; `mesh` itself where most of its triangles are larger than a pixel.
    """
    if mesh.colors is None or mesh.texture is not None or not mesh.has_pattern:
        return mesh
    group = weld(np.column_stack([weld(mesh.vertices_m), mesh.colors]))
    count = int(group.max()) + 1
    first = np.empty(count, np.intp)
    first[group] = np.arange(len(group))
    pairs = np.sort(group[mesh.faces[:, [0, 1, 1, 2, 2, 0]]].reshape(-1, 2), axis=1)
    numbers = np.unique(pairs[:, 0] * count + pairs[:, 1])  # one number a pair: rows would take ten times as long
    pairs = np.stack(np.divmod(numbers, count), axis=1)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    length_m = np.linalg.norm(np.diff(mesh.vertices_m[first][pairs], axis=1)[:, 0], axis=1)
    across_m = pixel * mesh.diameter
    typical_m = float(np.median(length_m)) if len(length_m) else np.inf
    if across_m < _ALIASES * typical_m:
        return mesh
    # A tent of half width w has a variance of w^2 / 6 along each axis, a step to all neighbours one of e^2 / 2.
    steps = across_m**2 / (3.0 * typical_m**2)
    rounds = int(np.ceil(steps))
    # Along an edge that is long, a surface has triangles that are large enough.
    weight = steps / rounds * np.minimum(1.0, (typical_m / length_m) ** 2)
    spread = _diffused(mesh.colors[first], pairs, weight, rounds)[group]
    spread.flags.writeable = False
    other = copy(mesh)  # what was worked out of the shape stays true
    object.__setattr__(other, "colors", spread)
    return other


def _diffused(colors: F64, pairs: NDArray[np.intp], weight: F64, rounds: int) -> F64:
    """Colours (V, 3) after rounds in which each moves towards the mean of its neighbours' by their weights."""
    from scipy.sparse import coo_array

    count = len(colors)
    ends, starts = np.concatenate([pairs, pairs[:, ::-1]]).T
    degree = np.maximum(np.bincount(ends, minlength=count), 1)
    share = np.tile(weight, 2) / degree[ends]
    step = coo_array((share, (ends, starts)), shape=(count, count)).tocsr()
    stays = 1.0 - np.bincount(ends, share, minlength=count)[:, None]
    for _ in range(rounds):
        colors = stays * colors + step @ colors
    return colors
