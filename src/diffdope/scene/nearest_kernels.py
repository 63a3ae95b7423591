"""Nearest points on triangles, compiled: one triangle, and many in a tree of boxes. Nothing here allocates."""

import numpy as np

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit

LEAF = 4  # triangles
_ROUNDED = 1.0 + 1e-9  # a distance times this is no less than it is, whatever is rounded
DEPTH = 64  # of the stack, more than any tree needs: one entry a level


@njit(**EXACT_INNER)
def nearest_on_face(px, py, pz, points, a, b, c):
    """Squared distance of a point to a triangle, and the weights of b and c there: Ericson 2005, section 5.1.5."""
    abx, aby, abz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
    acx, acy, acz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
    x, y, z = px - points[a, 0], py - points[a, 1], pz - points[a, 2]
    d1, d2 = abx * x + aby * y + abz * z, acx * x + acy * y + acz * z
    bb, bc, cc = abx * abx + aby * aby + abz * abz, abx * acx + aby * acy + abz * acz, acx * acx + acy * acy + acz * acz
    d3, d4, d5, d6 = d1 - bb, d2 - bc, d1 - bc, d2 - cc
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    if d1 <= 0.0 and d2 <= 0.0:
        s, t = 0.0, 0.0
    elif d3 >= 0.0 and d4 <= d3:
        s, t = 1.0, 0.0
    elif d6 >= 0.0 and d5 <= d6:
        s, t = 0.0, 1.0
    elif vc <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        s, t = d1 / (d1 - d3), 0.0
    elif vb <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        s, t = 0.0, d2 / (d2 - d6)
    elif va <= 0.0 and d4 >= d3 and d5 >= d6:
        t = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        s = 1.0 - t
    else:
        whole = va + vb + vc
        s, t = vb / whole, vc / whole
    x, y, z = x - s * abx - t * acx, y - s * aby - t * acy, z - s * abz - t * acz
    return x * x + y * y + z * z, s, t


@njit(**EXACT_INNER)
def _square_to_box(x, y, z, box):
    dx = max(box[0] - x, x - box[3], 0.0)
    dy = max(box[1] - y, y - box[4], 0.0)
    dz = max(box[2] - z, z - box[5], 0.0)
    return dx * dx + dy * dy + dz * dz


@njit(**EXACT_INNER)
def nearest_in_tree(x, y, z, limit, any_will_do, points, faces, boxes, stack, bound):
    """Squared distance, face, and weights of its last two corners; infinite and -1 where nothing is within `limit`.

    faces (F, 3) in the order of the tree; boxes (2 L, 6): node n has the children 2 n and 2 n + 1, the last L nodes
    are leaves. any_will_do: the first triangle within `limit` is taken.
    """
    leaves = boxes.shape[0] // 2
    best, square, face, s, t = limit * limit, np.inf, -1, 0.0, 0.0
    node, top = 1, 0
    while node > 0:
        while node < leaves:  # down to a leaf, the nearer child first
            node *= 2
            here, other = _square_to_box(x, y, z, boxes[node]), _square_to_box(x, y, z, boxes[node + 1])
            farther = node + 1
            if other < here:
                node, farther, here, other = farther, node, other, here
            if other <= best:
                stack[top], bound[top] = farther, other
                top += 1
            if not here <= best:
                break
        if node >= leaves:
            first = (node - leaves) * LEAF
            for f in range(first, min(first + LEAF, faces.shape[0])):
                away, b, c = nearest_on_face(x, y, z, points, faces[f, 0], faces[f, 1], faces[f, 2])
                if away <= best:
                    best, square, face, s, t = away, away, f, b, c
            if any_will_do and face >= 0:
                break
        node = 0
        while top > 0 and node == 0:
            top -= 1
            if bound[top] <= best:
                node = stack[top]
    return square, face, s, t


@njit(**EXACT_ENTRY)
def nearest(queries, limit, any_will_do, points, faces, boxes, stack, bound, square, face, weights):
    """Nearest points on a tree of triangles for queries (N, 3): into square (N,), face (N,) and weights (N, 2).

    face has, of each, a triangle that may be near by, or -1.
    """
    last = 0  # often, what is nearest to a query is nearest to the next one, or nearly so
    for q in range(queries.shape[0]):
        x, y, z = queries[q, 0], queries[q, 1], queries[q, 2]
        if face[q] >= 0:
            last = face[q]
        away, s, t = nearest_on_face(x, y, z, points, faces[last, 0], faces[last, 1], faces[last, 2])
        if any_will_do and away <= limit * limit:
            square[q], face[q], weights[q, 0], weights[q, 1] = away, last, s, t
            continue
        least = min(limit, np.sqrt(away) * _ROUNDED)
        square[q], face[q], weights[q, 0], weights[q, 1] = nearest_in_tree(
            x, y, z, least, any_will_do, points, faces, boxes, stack, bound
        )
        if face[q] >= 0:
            last = face[q]


@njit(**EXACT_ENTRY)
def count_off(queries, limit, most, low, cells, points, faces, boxes, stack, bound):
    """How many of queries (N, 3) have no triangle within `limit`; counted no further than to the first beyond `most`.

    cells (X, Y, Z) of width `limit` from the corner `low` (3,) on, in which all of the surface lies, each with a
    triangle that was once within reach of a query there, plus one, or 0: most queries need look at no other. They
    change what is looked at, and not what is counted.
    """
    off = 0
    for q in range(queries.shape[0]):
        x, y, z = queries[q, 0], queries[q, 1], queries[q, 2]
        i, j, k = int((x - low[0]) / limit), int((y - low[1]) / limit), int((z - low[2]) / limit)
        inside = 0 <= i < cells.shape[0] and 0 <= j < cells.shape[1] and 0 <= k < cells.shape[2]
        known = cells[i, j, k] - 1 if inside else -1
        if known >= 0:
            away, _, _ = nearest_on_face(x, y, z, points, faces[known, 0], faces[known, 1], faces[known, 2])
            if away <= limit * limit:
                continue
        _, face, _, _ = nearest_in_tree(x, y, z, limit, True, points, faces, boxes, stack, bound)
        if face < 0:
            off += 1
            if off > most:
                break
        elif inside:
            cells[i, j, k] = face + 1
    return off
