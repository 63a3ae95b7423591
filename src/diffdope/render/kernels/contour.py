"""Occluding contours: where they cross between two pixels, and how coverage changes with them.

Each mesh edge beyond which the surface folds back, ends, or jumps in colour is followed across the rows and columns
of pixels. Where it crosses between a pixel that shows the object and one that shows something else, the two are
blended by the position of the crossing. The blend is what makes coverage a differentiable function of the pose.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.cut_edges import edge_ends, side_of_hidden
from diffdope.render.kernels.layout import PAIR_EDGE, PAIR_INSIDE, PAIR_OUTSIDE, PAIR_SEAM, PAIR_VERTICAL
from diffdope.render.kernels.options import KERNEL, SCALAR

ZERO, ONE = np.float32(0.0), np.float32(1.0)
BEHIND = np.float32(1.0 - 1e-4)  # an edge must be nearer than what it hides by this factor
FLIP, AWAY = np.uint8(1), np.uint8(1)


@njit(**SCALAR)
def is_folded(first, second, flags):
    """Whether a surface folds back at an edge; orientations are 0 where a face is not drawn."""
    return (first != 0) & (second != 0) & ((first != second) == ((flags & FLIP) == 0))


@njit(**KERNEL)
def list_candidates(edges, orientation, candidates):
    """Lists the edges that may be a contour; returns their number. Free of branches, like `raster.list_faces`."""
    faces, smooth = edges.faces, edges.smooth
    n = np.uint64(0)
    for edge in range(smooth.size):
        differ = orientation[faces[edge, 0]] ^ orientation[faces[edge, 1]]
        candidates[n] = edge
        n += np.uint64(differ != smooth[edge])
    return n


@njit(**SCALAR)
def hidden(buffer_iz, which, place, inside, outside, outside_face, known, distance, z_edge):
    """Whether a contour crossing is hidden, or not the one to keep of its pair."""
    if outside_face < 0:  # the outline: the outermost crossing
        return known >= 0 and place[np.uint32(known), 0] >= distance
    z_in, z_out = ONE / buffer_iz[inside], ONE / buffer_iz[outside]
    behind = z_edge >= z_out * BEHIND
    foreign = abs(z_edge - z_in) >= abs(z_edge - z_out)
    k = np.uint32(known)
    return behind or foreign or (known >= 0 and which[k, PAIR_SEAM] == 0 and place[k, 1] <= z_edge)


@njit(**SCALAR)
def record_crossing(
    buffer_iz, face_low, face_high, table, which, place, low, high, vertical, entry, part, inside_low, z_edge, edge,
    face0, face1, seam, n,
):  # fmt: skip
    """Keeps a crossing between pixels low and high (at `part` from low) if it is the visible one of its pair.

    The two pixels show different faces, or one of them nothing.
    """
    known = table[entry]
    if seam:
        straight = face_low == face0 and face_high == face1
        if known >= 0 or not (straight or (face_low == face1 and face_high == face0)):
            return n
        inside_low = straight
    inside, outside = (low, high) if inside_low else (high, low)
    distance = min(max(part if inside_low else ONE - part, ZERO), ONE)
    if not seam and (
        (face_low if inside_low else face_high) < 0
        or hidden(
            buffer_iz, which, place, inside, outside, face_high if inside_low else face_low, known, distance, z_edge
        )
    ):
        return n
    k = np.uint32(known if known >= 0 else n)
    table[entry] = k
    which[k, PAIR_INSIDE], which[k, PAIR_OUTSIDE], which[k, PAIR_EDGE] = inside, outside, edge
    which[k, PAIR_VERTICAL], which[k, PAIR_SEAM] = vertical, np.int32(1 if seam else 0)
    place[k, 0], place[k, 1] = distance, z_edge
    return n + 1 if known < 0 else n


@njit(**SCALAR)
def follow_edge(
    width, height, pixels, ua, va, iz_a, ub, vb, iz_b, buffer_iz, buffer_face, table, which, place, edge, side, face0,
    face1, seam, n,
):  # fmt: skip
    """Walks one edge over the pixel rows (vertical = 0) and columns (vertical = 1) that it crosses."""
    du, dv, diz = ub - ua, vb - va, iz_b - iz_a
    for vertical in range(2):
        la, lb, oa, across = (va, vb, ua, du) if vertical == 0 else (ua, ub, va, dv)
        lines, cells = (height, width) if vertical == 0 else (width, height)
        first = max(np.ceil(min(la, lb)), ZERO)
        last = min(np.ceil(max(la, lb)) - ONE, np.float32(lines - 1))
        if first > last:
            continue
        inverse = ONE / (lb - la)
        inside_low = side * dv > ZERO if vertical == 0 else side * du < ZERO
        step, stride = (np.int32(1), width) if vertical == 0 else (width, np.int32(1))
        table_start = pixels if vertical else np.int32(0)
        for line in range(np.int32(first), np.int32(last) + 1):
            k = (np.float32(line) - la) * inverse
            along = oa + k * across
            cell = np.floor(along)
            if cell < ZERO or cell > np.float32(cells - 2):
                continue
            low = np.uint32(np.int32(line) * stride + np.int32(cell) * step)
            high = np.uint32(low + step)
            face_low, face_high = buffer_face[low], buffer_face[high]
            if face_low != face_high:  # else the crossing is hidden, or there is nothing
                n = record_crossing(
                    buffer_iz, face_low, face_high, table, which, place, low, high, np.int32(vertical),
                    np.uint32(low + table_start), along - cell, inside_low, ONE / (iz_a + k * diz), edge, face0, face1,
                    seam, n,
                )  # fmt: skip
    return n


@njit(**SCALAR)
def may_cross(ua, va, ub, vb, width, height):
    """Whether an edge passes an integer row or column inside the image: most edges of a fine mesh do not."""
    crosses = (np.ceil(min(ua, ub)) < max(ua, ub)) | (np.ceil(min(va, vb)) < max(va, vb))
    return crosses & (max(ua, ub) >= ZERO) & (max(va, vb) >= ZERO) & (min(ua, ub) <= width) & (min(va, vb) <= height)


@njit(**SCALAR)
def side_of(ua, va, ub, vb, u, v):
    """On which side of an edge a point lies, by the sign; the size is twice the area of their triangle."""
    return (ub - ua) * (v - va) - (vb - va) * (u - ua)


@njit(**SCALAR)
def side_of_corner(shape, view, R, t, u, v, iz, corner, ua, va, ub, vb):
    """On which side of an edge a corner of a face lies."""
    if iz[corner] > ZERO:
        return side_of(ua, va, ub, vb, u[corner], v[corner])
    return side_of_hidden(shape, view, R, t, corner, ua, va, ub, vb)


@njit(**KERNEL)
def find_contours(shape, edges, view, R, t, closed, screen, buffer, pairs):
    """Fills the pair tables; returns the number of pairs. `closed`: whether back faces are never seen."""
    n = np.int64(0)
    width, height = np.int32(view.width), np.int32(view.height)
    pixels = np.int32(width * height)
    right, bottom = np.float32(width), np.float32(height)
    u, v, iz, orientation = screen.u, screen.v, screen.iz, screen.orientation
    buffer_iz, buffer_face, table, which, place = buffer.iz, buffer.face, pairs.table, pairs.which, pairs.place
    candidates, vertices, faces, opposites, flags = (
        pairs.candidates, edges.vertices, edges.faces, edges.opposite, edges.flags,
    )  # fmt: skip
    for k in range(list_candidates(edges, orientation, candidates)):
        edge = np.uint32(candidates[k])
        a, b = vertices[edge, 0], vertices[edge, 1]
        face0, face1 = faces[edge, 0], faces[edge, 1]
        first, second = orientation[face0], orientation[face1]
        seam = first != 0 and second != 0 and not is_folded(first, second, flags[edge])
        # A seam that is no seam is there because nothing of it is drawn; of closed meshes its back is never seen.
        if (first | second) == 0 or (seam and closed and first == AWAY):
            continue
        ua, va, iz_a, ub, vb, iz_b = edge_ends(shape, view, R, t, u, v, iz, a, b)
        if iz_a <= ZERO or not may_cross(ua, va, ub, vb, right, bottom):
            continue
        c0, c1 = opposites[edge, 0], opposites[edge, 1]
        side0 = side_of_corner(shape, view, R, t, u, v, iz, c0, ua, va, ub, vb) if first != 0 else ZERO
        side1 = side_of_corner(shape, view, R, t, u, v, iz, c1, ua, va, ub, vb) if second != 0 else ZERO
        side = side0 if abs(side0) >= abs(side1) else side1  # one of the faces may be seen from its edge
        n = follow_edge(
            width, height, pixels, ua, va, iz_a, ub, vb, iz_b, buffer_iz, buffer_face, table, which, place,
            np.int32(edge), side, np.int32(face0), np.int32(face1), seam, n,
        )  # fmt: skip
    return n


@njit(**KERNEL)
def release_pairs(view, pairs, n_pairs):
    """Forgets the pairs, so that the next pose starts clean."""
    table, which = pairs.table, pairs.which
    pixels = np.int32(view.width * view.height)
    for pair in range(n_pairs):
        low = min(which[pair, PAIR_INSIDE], which[pair, PAIR_OUTSIDE])
        table[np.uint32(low + pixels * which[pair, PAIR_VERTICAL])] = -1
