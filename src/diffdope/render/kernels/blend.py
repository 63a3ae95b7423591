"""Antialiased values and Jacobians of the pixels on either side of a contour.

Few pixels need this (the perimeter of the object), so here clarity goes before speed: raw values and Jacobians are
tabulated once per pixel, then every pair adds its blend to the pixel that receives it.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.calls import shade_at
from diffdope.render.kernels.cut_edges import edge_ends
from diffdope.render.kernels.lanes import LANES, add_lanes, put_lanes
from diffdope.render.kernels.layout import (
    C_R,
    C_RU,
    C_RV,
    C_X,
    C_Y,
    C_Z,
    C_ZU,
    C_ZV,
    CHANNEL_DEPTH,
    CHUNK,
    JACOBIAN,
    PAIR_EDGE,
    PAIR_INSIDE,
    PAIR_OUTSIDE,
    PAIR_VERTICAL,
)  # fmt: skip
from diffdope.render.kernels.motion import fixed_pixel_row, screen_row, torque
from diffdope.render.kernels.options import KERNEL, SCALAR

ZERO, ONE, HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)


@njit(**KERNEL)
def open_rows(pairs, contours, n_pairs):
    """Gives every pixel of a pair a row; returns their number."""
    n = 0
    which, row, pixels = pairs.which, contours.row, contours.pixel
    for pair in range(n_pairs):
        for side in range(2):
            pixel = np.uint32(which[pair, PAIR_INSIDE] if side == 0 else which[pair, PAIR_OUTSIDE])
            if row[pixel] < 0:
                row[pixel] = n
                pixels[n] = pixel
                n += 1
    return n


@njit(**SCALAR)
def put_motion(jacobian, row, channel, dx, dy, dz, r0, r1, r2):
    """Writes (row, offset x row) as one channel's Jacobian."""
    q0, q1, q2 = torque(dx, dy, dz, r0, r1, r2)
    put_lanes(jacobian, row * JACOBIAN + channel * LANES, r0, r1, r2, q0, q1, q2)


@njit(**KERNEL)
def tabulate_raw(view, t, f, first, count, with_color, contours):
    """Raw values and interior Jacobians of a chunk of shaded pixels."""
    c, raw, jacobian, row_of_pixel, pixels = f.chunk, contours.raw, contours.raw_jacobian, contours.row, f.pixel
    for i in range(count):
        row = np.int64(row_of_pixel[np.uint32(pixels[first + i])])
        z = c[C_Z + i]
        xn, yn = (c[C_X + i] - view.cx) / view.fx, (c[C_Y + i] - view.cy) / view.fy
        dx, dy, dz = xn * z - t[0], yn * z - t[1], z - t[2]
        raw[row, 3], raw[row, 4] = z, ONE
        r0, r1, r2 = fixed_pixel_row(c[C_ZU + i], c[C_ZV + i], view.fx, view.fy, xn, yn, z)
        put_motion(jacobian, row, CHANNEL_DEPTH, dx, dy, dz, r0, r1, r2 + ONE)
        if with_color:
            for k in range(3):
                raw[row, k] = c[C_R + k * CHUNK + i]
                r0, r1, r2 = fixed_pixel_row(
                    c[C_RU + k * CHUNK + i], c[C_RV + k * CHUNK + i], view.fx, view.fy, xn, yn, z
                )
                put_motion(jacobian, row, k, dx, dy, dz, r0, r1, r2)


@njit(**KERNEL)
def list_covered_rows(view, buffer_face, visible_slot, contours, f, n_rows):
    """Clears the rows of uncovered pixels and lists the covered ones as fragments; returns their number.

    `tabulate_raw` fills the same columns of every covered row, all others are 0 for good.
    """
    raw, raw_jacobian = contours.raw, contours.raw_jacobian.reshape(-1)
    n = np.uint64(0)
    width = np.uint32(view.width)
    pixels, slots, xs, ys, rows = f.pixel, f.slot, f.x, f.y, contours.pixel
    for row in range(n_rows):
        pixel = np.uint32(rows[row])
        face = buffer_face[pixel]
        if face >= 0:
            pixels[n], slots[n] = pixel, visible_slot[np.uint32(face)]
            y = np.uint32(pixel // width)
            xs[n], ys[n] = np.float32(np.uint32(pixel - y * width)), np.float32(y)
            n += np.uint64(1)
        else:
            for c in range(5):
                raw[row, c] = ZERO
            for k in range(row * JACOBIAN, (row + 1) * JACOBIAN):
                raw_jacobian[k] = ZERO
    return np.int64(n)


@njit(**SCALAR)
def screen_jacobian(view, t, u, v, z, along_u, along_v):
    """6-Jacobian of along_u * u + along_v * v of a material point."""
    xn, yn = (u - view.cx) / view.fx, (v - view.cy) / view.fy
    r0, r1, r2 = screen_row(along_u, along_v, view.fx, view.fy, xn, yn, z)
    q0, q1, q2 = torque(xn * z - t[0], yn * z - t[1], z - t[2], r0, r1, r2)
    return r0, r1, r2, q0, q1, q2


@njit(**SCALAR)
def blend_jacobian(view, t, ua, va, iz_a, ub, vb, iz_b, x, y, z, vertical, sign, reach):
    """Weight w of a crossing at (x, y, z), and the 6-Jacobian of w * |1/2 - s|.

    The weight nx^2 (or ny^2) of a pair turns with the edge: d(dv^2 / L^2) = 2 du dv (du d(dv) - dv d(du)) / L^4.
    """
    du, dv = ub - ua, vb - va
    length2 = du * du + dv * dv
    turn = np.float32(2.0) * du * dv / (length2 * length2) * reach
    if vertical:
        weight, turn = du * du / length2, -turn
        along_u, along_v = -dv / du, ONE
    else:
        weight = dv * dv / length2
        along_u, along_v = ONE, -du / dv
    scale = sign * weight
    m0, m1, m2, m3, m4, m5 = screen_jacobian(view, t, x, y, z, scale * along_u, scale * along_v)
    b0, b1, b2, b3, b4, b5 = screen_jacobian(view, t, ub, vb, ONE / iz_b, -dv * turn, du * turn)
    a0, a1, a2, a3, a4, a5 = screen_jacobian(view, t, ua, va, ONE / iz_a, -dv * turn, du * turn)
    return weight, (m0 + b0 - a0, m1 + b1 - a1, m2 + b2 - a2, m3 + b3 - a3, m4 + b4 - a4, m5 + b5 - a5)


@njit(**KERNEL)
def blend_pairs(shape, view, R, t, edge_vertices, screen, pairs, contours, n_pairs):
    """Adds every pair's blend to the value and Jacobian of the pixel that receives it."""
    raw, raw_jacobian, value, jacobian = (
        contours.raw,
        contours.raw_jacobian,
        contours.value,
        contours.jacobian,
    )
    which, place, row_of_pixel, u, v, iz = pairs.which, pairs.place, contours.row, screen.u, screen.v, screen.iz
    row8 = contours.row8
    width = np.uint32(view.width)
    for pair in range(n_pairs):
        inside, outside, s = which[pair, PAIR_INSIDE], which[pair, PAIR_OUTSIDE], place[pair, 0]
        near, vertical = s < HALF, which[pair, PAIR_VERTICAL] != 0
        old = np.uint32(row_of_pixel[np.uint32(inside if near else outside)])
        new = np.uint32(row_of_pixel[np.uint32(outside if near else inside)])
        low = min(inside, outside)
        part = s if inside == low else ONE - s
        line = np.uint32(np.uint32(low) // width)
        x, y = np.float32(np.uint32(np.uint32(low) - line * width)), np.float32(line)
        x, y = (x, y + part) if vertical else (x + part, y)
        reach = HALF - s if near else s - HALF
        sign = ONE if (inside == low) != near else -ONE
        edge = np.uint32(which[pair, PAIR_EDGE])
        a, b = edge_vertices[edge, 0], edge_vertices[edge, 1]
        ua, va, iz_a, ub, vb, iz_b = edge_ends(shape, view, R, t, u, v, iz, a, b)
        weight, moves = blend_jacobian(view, t, ua, va, iz_a, ub, vb, iz_b, x, y, place[pair, 1], vertical, sign, reach)
        put_lanes(row8, 0, moves[0], moves[1], moves[2], moves[3], moves[4], moves[5])
        factor = weight * reach
        for c in range(5):
            step = raw[new, c] - raw[old, c]
            value[old, c] += factor * step
            to, start = old * JACOBIAN + c * LANES, new * JACOBIAN + c * LANES
            add_lanes(jacobian, to, step, row8, 0)
            if c < 4:  # raw coverage has no derivative
                add_lanes(jacobian, to, factor, raw_jacobian, start)
                add_lanes(jacobian, to, -factor, raw_jacobian, to)


@njit(**KERNEL)
def start_from_raw(contours, n_rows):
    """Antialiased values and Jacobians before any blend: the raw ones."""
    value, raw = contours.value, contours.raw
    for row in range(n_rows):
        for c in range(5):
            value[row, c] = raw[row, c]
    jacobian, raw_jacobian = contours.jacobian.reshape(-1), contours.raw_jacobian.reshape(-1)
    for k in range(JACOBIAN * n_rows):
        jacobian[k] = raw_jacobian[k]


@njit(**KERNEL)
def blend_contours(shade, mesh, view, R, t, screen, buffer_face, visible, f, pairs, contours, n_pairs):
    """Antialiased values and Jacobians of all pixels next to a contour; returns their number. Uses f as a list."""
    n_rows = open_rows(pairs, contours, n_pairs)
    n = list_covered_rows(view, buffer_face, visible.slot, contours, f, n_rows)
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_at(shade, mesh.skin, visible.planes, f, first, count, True)
        tabulate_raw(view, t, f, first, count, mesh.skin.shading != 0, contours)
    start_from_raw(contours, n_rows)
    blend_pairs(mesh.shape, view, R, t, mesh.edges.vertices, screen, pairs, contours, n_pairs)
    return n_rows


@njit(**KERNEL)
def release_rows(contours, n_rows):
    """Forgets the rows, so that the next pose starts clean."""
    for row in range(n_rows):
        contours.row[contours.pixel[row]] = -1


@njit(**KERNEL)
def collect_fragments(view, buffer_face, visible, n_covered, row_of_pixel, f):
    """Lists the covered pixels that are next to no contour; returns their number."""
    covered, slot_of_face, pixels, slots, xs, ys = visible.pixel, visible.slot, f.pixel, f.slot, f.x, f.y
    n = np.uint64(0)
    inverse, width = ONE / np.float32(view.width), np.float32(view.width)
    for k in range(n_covered):
        pixel = np.uint32(covered[k])
        # Exact: half a pixel is more than rounding amounts to, in images of less than 2^22 pixels.
        y = np.floor((np.float32(pixel) + HALF) * inverse)
        pixels[n], slots[n] = pixel, slot_of_face[np.uint32(buffer_face[pixel])]
        xs[n], ys[n] = np.float32(pixel) - y * width, y
        n += np.uint64(row_of_pixel[pixel] < 0)
    return np.int64(n)
