"""Occluding contours: where they cross between two pixels, and how coverage changes with them.

Each mesh edge beyond which the surface folds back, ends, or jumps in colour is followed across the rows and columns
of pixels. Where it crosses between a pixel that shows the object and one that shows something else, the two are
blended by the position of the crossing. The blend is what makes coverage a differentiable function of the pose.
"""

import numpy as np
from numba import njit

from diffdope.render.kernels.options import KERNEL, SCALAR

ZERO, ONE = np.float32(0.0), np.float32(1.0)
BEHIND = np.float32(1.0 - 1e-4)  # an edge must be nearer than what it hides by this factor
FLIP, SEAM = np.uint8(1), np.uint8(2)


@njit(**SCALAR)
def candidate_kind(first, second, has_second, flags):
    """0 no contour, 1 contour, 2 seam between two visible faces; orientations are 0 where a face is not drawn."""
    if not has_second:
        return 1 if first != 0 else 0
    if first == 0 or second == 0:
        return 1 if first != second else 0
    folded = (first == second) == ((flags & FLIP) != 0)
    if folded:
        return 1
    return 2 if (flags & SEAM) != 0 else 0


@njit(**SCALAR)
def seen_before(buffer, pairs, inside, outside, known, distance, z_edge):
    """Whether a contour crossing is hidden, or not the one to keep of its pair."""
    if buffer.face[outside] < 0:  # the outline: the outermost crossing
        return known >= 0 and pairs.s[known] >= distance
    z_in, z_out = ONE / buffer.iz[inside], ONE / buffer.iz[outside]
    hidden = buffer.face[inside] == buffer.face[outside] or z_edge >= z_out * BEHIND
    foreign = abs(z_edge - z_in) >= abs(z_edge - z_out)
    return hidden or foreign or (known >= 0 and pairs.is_seam[known] == 0 and pairs.z[known] <= z_edge)


@njit(**SCALAR)
def record_crossing(
    buffer, pairs, table, low, high, vertical, part, inside_low, z_edge, edge, face0, face1, seam, n
):
    """Keeps a crossing between pixels low and high (at `part` from low) if it is the visible one of its pair."""
    known = table[low]
    if seam:
        straight = buffer.face[low] == face0 and buffer.face[high] == face1
        crossed = buffer.face[low] == face1 and buffer.face[high] == face0
        inside_low = straight
        keep = known < 0 and (straight or crossed)
    else:
        keep = True
    inside, outside = (low, high) if inside_low else (high, low)
    distance = min(max(part if inside_low else ONE - part, ZERO), ONE)
    if not seam:
        keep = buffer.face[inside] >= 0 and not seen_before(
            buffer, pairs, inside, outside, known, distance, z_edge
        )
    if not keep:
        return n
    k = known if known >= 0 else np.int32(n)
    table[low] = k
    pairs.inside[k], pairs.outside[k], pairs.edge[k] = inside, outside, edge
    pairs.is_vertical[k], pairs.is_seam[k] = vertical, np.uint8(1 if seam else 0)
    pairs.s[k], pairs.z[k] = distance, z_edge
    return n + 1 if known < 0 else n


@njit(**KERNEL)
def follow_edge(view, screen, buffer, pairs, edge, a, b, opposite, face0, face1, seam, n):
    """Walks one edge over the pixel rows and columns that it crosses."""
    width, height = np.int32(view.width), np.int32(view.height)
    ua, va, ub, vb = screen.u[a], screen.v[a], screen.u[b], screen.v[b]
    du, dv = ub - ua, vb - va
    side = du * (screen.v[opposite] - va) - dv * (screen.u[opposite] - ua)
    iz_a, diz = screen.iz[a], screen.iz[b] - screen.iz[a]
    for vertical in range(2):
        # Along the crossed lines: rows for horizontal pairs, columns for vertical ones.
        la, lb, oa, slope = (va, vb, ua, du / dv) if vertical == 0 else (ua, ub, va, dv / du)
        lines, cells = (height, width) if vertical == 0 else (width, height)
        inside_low = side * dv > ZERO if vertical == 0 else side * du < ZERO
        first = np.int32(max(np.ceil(min(la, lb)), ZERO))
        last = np.int32(min(np.ceil(max(la, lb)) - ONE, np.float32(lines - 1)))
        for line in range(first, last + 1):
            along = np.float32(line) - la
            place = oa + along * slope
            cell = np.floor(place)
            if cell < ZERO or cell > np.float32(cells - 2):
                continue
            z_edge = ONE / (iz_a + along / (lb - la) * diz)
            if vertical == 0:
                low = np.int32(line) * width + np.int32(cell)
                n = record_crossing(buffer, pairs, pairs.horizontal, low, low + np.int32(1), np.uint8(0),
                                    place - cell, inside_low, z_edge, edge, face0, face1, seam, n)  # fmt: skip
            else:
                low = np.int32(cell) * width + np.int32(line)
                n = record_crossing(buffer, pairs, pairs.vertical, low, low + width, np.uint8(1),
                                    place - cell, inside_low, z_edge, edge, face0, face1, seam, n)  # fmt: skip
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
    n = 0
    width, height = np.float32(view.width), np.float32(view.height)
    u, v = screen.u, screen.v
    for edge in range(edges.vertices.shape[0]):
        face0, face1 = edges.faces[edge, 0], edges.faces[edge, 1]
        first = screen.orientation[face0]
        second = screen.orientation[face1] if face1 >= 0 else np.uint8(0)
        kind = candidate_kind(first, second, face1 >= 0, edges.flags[edge])
        if kind == 0:
            continue
        a, b = edges.vertices[edge, 0], edges.vertices[edge, 1]
        if min(screen.iz[a], screen.iz[b]) > ZERO and may_cross(u[a], v[a], u[b], v[b], width, height):
            opposite = edges.opposite[edge, 0] if first != 0 else edges.opposite[edge, 1]
            n = follow_edge(
                view, screen, buffer, pairs, np.int32(edge), a, b, opposite, face0, face1, kind == 2, n
            )
    return n


@njit(**KERNEL)
def release_pairs(pairs, n_pairs):
    """Forgets the pairs, so that the next pose starts clean."""
    for pair in range(n_pairs):
        low = min(pairs.inside[pair], pairs.outside[pair])
        if pairs.is_vertical[pair] != 0:
            pairs.vertical[low] = -1
        else:
            pairs.horizontal[low] = -1
