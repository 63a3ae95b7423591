"""Occluding contours: where they cross between two pixels, and how coverage changes with them.

Each mesh edge beyond which the surface folds back, ends, or jumps in colour is followed across the rows and columns
of pixels. Where it crosses between a pixel that shows the object and one that shows something else, the two are
blended by the position of the crossing. The blend is what makes coverage a differentiable function of the pose.
"""

import numpy as np
from numba import njit

from diffdope.render.kernels.layout import PAIR_EDGE, PAIR_INSIDE, PAIR_OUTSIDE, PAIR_SEAM, PAIR_VERTICAL
from diffdope.render.kernels.options import KERNEL, SCALAR

ZERO, ONE = np.float32(0.0), np.float32(1.0)
BEHIND = np.float32(1.0 - 1e-4)  # an edge must be nearer than what it hides by this factor
FLIP, SEAM = np.uint8(1), np.uint8(2)


@njit(**SCALAR)
def is_folded(first, second, flags):
    """Whether a surface folds back at an edge; orientations are 0 where a face is not drawn."""
    return (first != 0) & (second != 0) & ((first == second) == ((flags & FLIP) != 0))


@njit(**KERNEL)
def list_candidates(edges, orientation, candidates):
    """Lists the edges that may be a contour; returns their number. Free of branches, like `raster.list_faces`."""
    n = 0
    for edge in range(edges.flags.size):
        first, second = orientation[edges.faces[edge, 0]], orientation[edges.faces[edge, 1]]
        flags = edges.flags[edge]
        alone = (first != 0) ^ (second != 0)
        jump = (first != 0) & (second != 0) & ((flags & SEAM) != 0)
        candidates[n] = edge
        n += is_folded(first, second, flags) | alone | jump
    return n


@njit(**SCALAR)
def hidden(buffer_iz, buffer_face, which, place, inside, outside, known, distance, z_edge):
    """Whether a contour crossing is hidden, or not the one to keep of its pair."""
    if buffer_face[outside] < 0:  # the outline: the outermost crossing
        return known >= 0 and place[known, 0] >= distance
    z_in, z_out = ONE / buffer_iz[inside], ONE / buffer_iz[outside]
    behind = buffer_face[inside] == buffer_face[outside] or z_edge >= z_out * BEHIND
    foreign = abs(z_edge - z_in) >= abs(z_edge - z_out)
    return behind or foreign or (known >= 0 and which[known, PAIR_SEAM] == 0 and place[known, 1] <= z_edge)


@njit(**SCALAR)
def record_crossing(
    buffer_iz,
    buffer_face,
    table,
    which,
    place,
    low,
    high,
    vertical,
    part,
    inside_low,
    z_edge,
    edge,
    face0,
    face1,
    seam,
    n,
):
    """Keeps a crossing between pixels low and high (at `part` from low) if it is the visible one of its pair."""
    known = table[vertical, low]
    if seam:
        straight = buffer_face[low] == face0 and buffer_face[high] == face1
        crossed = buffer_face[low] == face1 and buffer_face[high] == face0
        if known >= 0 or not (straight or crossed):
            return n
        inside_low = straight
    inside, outside = (low, high) if inside_low else (high, low)
    distance = min(max(part if inside_low else ONE - part, ZERO), ONE)
    if not seam and (
        buffer_face[inside] < 0
        or hidden(buffer_iz, buffer_face, which, place, inside, outside, known, distance, z_edge)
    ):
        return n
    k = known if known >= 0 else np.int32(n)
    table[vertical, low] = k
    which[k, PAIR_INSIDE], which[k, PAIR_OUTSIDE], which[k, PAIR_EDGE] = inside, outside, edge
    which[k, PAIR_VERTICAL], which[k, PAIR_SEAM] = vertical, np.int32(1 if seam else 0)
    place[k, 0], place[k, 1] = distance, z_edge
    return n + 1 if known < 0 else n


@njit(**SCALAR)
def follow_edge(
    width, height, u, v, iz, buffer_iz, buffer_face, table, which, place, edge, a, b, opposite, face0, face1, seam, n
):
    """Walks one edge over the pixel rows (vertical = 0) and columns (vertical = 1) that it crosses."""
    ua, va, ub, vb = u[a], v[a], u[b], v[b]
    du, dv = ub - ua, vb - va
    side = du * (v[opposite] - va) - dv * (u[opposite] - ua)
    iz_a, diz = iz[a], iz[b] - iz[a]
    for vertical in range(2):
        la, lb, oa, across = (va, vb, ua, du) if vertical == 0 else (ua, ub, va, dv)
        lines, cells = (height, width) if vertical == 0 else (width, height)
        first = np.int32(max(np.ceil(min(la, lb)), ZERO))
        last = np.int32(min(np.ceil(max(la, lb)) - ONE, np.float32(lines - 1)))
        if first > last:
            continue
        inverse = ONE / (lb - la)
        inside_low = side * dv > ZERO if vertical == 0 else side * du < ZERO
        step = np.int32(1) if vertical == 0 else width
        for line in range(first, last + 1):
            k = (np.float32(line) - la) * inverse
            along = oa + k * across
            cell = np.floor(along)
            if cell < ZERO or cell > np.float32(cells - 2):
                continue
            low = np.int32(line) * width + np.int32(cell) if vertical == 0 else np.int32(cell) * width + np.int32(line)
            n = record_crossing(
                buffer_iz, buffer_face, table, which, place, low, low + step, np.int32(vertical), along - cell,
                inside_low, ONE / (iz_a + k * diz), edge, face0, face1, seam, n,
            )  # fmt: skip
    return n


@njit(**SCALAR)
def may_cross(ua, va, ub, vb, width, height):
    """Whether an edge passes an integer row or column inside the image: most edges of a fine mesh do not."""
    crosses = np.ceil(min(ua, ub)) < max(ua, ub) or np.ceil(min(va, vb)) < max(va, vb)
    seen = max(ua, ub) >= ZERO and max(va, vb) >= ZERO and min(ua, ub) <= width and min(va, vb) <= height
    return crosses and seen


@njit(**KERNEL)
def find_contours(edges, view, screen, buffer, pairs):
    """Fills the pair tables; returns the number of pairs."""
    n = np.int64(0)
    width, height = np.int32(view.width), np.int32(view.height)
    right, bottom = np.float32(width), np.float32(height)
    u, v, iz, orientation = screen.u, screen.v, screen.iz, screen.orientation
    buffer_iz, buffer_face, table, which, place = buffer.iz, buffer.face, pairs.table, pairs.which, pairs.place
    candidates, vertices, faces, opposites, flags = (
        pairs.candidates, edges.vertices, edges.faces, edges.opposite, edges.flags,
    )  # fmt: skip
    for k in range(list_candidates(edges, orientation, candidates)):
        edge = candidates[k]
        a, b = vertices[edge, 0], vertices[edge, 1]
        if min(iz[a], iz[b]) <= ZERO or not may_cross(u[a], v[a], u[b], v[b], right, bottom):
            continue
        face0, face1 = faces[edge, 0], faces[edge, 1]
        first, second = orientation[face0], orientation[face1]
        seam = first != 0 and second != 0 and not is_folded(first, second, flags[edge])
        opposite = opposites[edge, 0] if first != 0 else opposites[edge, 1]
        n = follow_edge(
            width, height, u, v, iz, buffer_iz, buffer_face, table, which, place, edge, a, b, opposite, face0, face1,
            seam, n,
        )  # fmt: skip
    return n


@njit(**KERNEL)
def release_pairs(pairs, n_pairs):
    """Forgets the pairs, so that the next pose starts clean."""
    for pair in range(n_pairs):
        low = min(pairs.which[pair, PAIR_INSIDE], pairs.which[pair, PAIR_OUTSIDE])
        pairs.table[pairs.which[pair, PAIR_VERTICAL], low] = -1
