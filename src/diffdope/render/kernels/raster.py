"""Vertices to screen, triangles to a z-buffer, for one pose.

Scalar functions come first: a GPU backend shares them. Below are the CPU's loops around them. The z-buffer is drawn
in blocks of eight pixels (`lanes.py`) and read as plain images afterwards (`visible.py`).
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.lanes import BLOCK, LANES, draw_lanes
from diffdope.render.kernels.options import KERNEL, SCALAR

NEAR = np.float32(1e-3)  # metres
MIN_AREA2 = np.float32(1e-10)  # twice the smallest screen area of a drawn triangle, px^2
# Borders count as inside by this many pixels, so that rounding leaves no crack between neighbours.
BORDER = np.float32(1e-5)
ZERO, ONE = np.float32(0.0), np.float32(1.0)
FAR_OFF = np.float32(1e30)
HIDDEN, AWAY, TOWARDS = np.uint8(0), np.uint8(1), np.uint8(2)  # which way a face turns, HIDDEN where not drawn


@njit(**SCALAR)
def transform(R, t, x, y, z):
    """Model to camera frame."""
    return (
        R[0, 0] * x + R[0, 1] * y + R[0, 2] * z + t[0],
        R[1, 0] * x + R[1, 1] * y + R[1, 2] * z + t[1],
        R[2, 0] * x + R[2, 1] * y + R[2, 2] * z + t[2],
    )


@njit(**SCALAR)
def camera_centre(R, t):
    """Where the camera stands in the model frame."""
    return (
        -(R[0, 0] * t[0] + R[1, 0] * t[1] + R[2, 0] * t[2]),
        -(R[0, 1] * t[0] + R[1, 1] * t[1] + R[2, 1] * t[2]),
        -(R[0, 2] * t[0] + R[1, 2] * t[1] + R[2, 2] * t[2]),
    )


@njit(**SCALAR)
def slopes(area2, d10, d20, u10, v10, u20, v20):
    """Screen-space slopes of a quantity that is linear over a triangle, from its two corner differences."""
    inverse = ONE / area2
    return (d10 * v20 - d20 * v10) * inverse, (d20 * u10 - d10 * u20) * inverse


@njit(**SCALAR)
def pixel_span(a, b, c, last):
    """First and last pixel centre that three coordinates may span, as floats, within 0 .. last."""
    first = max(np.ceil(min(a, min(b, c)) - BORDER), ZERO)
    return first, min(np.floor(max(a, max(b, c)) + BORDER), last)


@njit(**KERNEL)
def project_vertices(shape, view, R, t, screen):
    """Fills u, v, iz; iz = -1 marks a vertex at or behind the near plane.

    Returns the pixels (left, right, top, bottom) outside of which nothing is drawn, and whether a vertex is marked.
    """
    x, y, z, u, v, iz = shape.x, shape.y, shape.z, screen.u, screen.v, screen.iz
    for i in range(x.size):
        xc, yc, zc = transform(R, t, x[i], y[i], z[i])
        inverse = ONE / max(zc, NEAR)
        u[i] = view.fx * xc * inverse + view.cx
        v[i] = view.fy * yc * inverse + view.cy
        iz[i] = inverse if zc > NEAR else -ONE
    low_u = low_v = low_iz = FAR_OFF
    high_u = high_v = -FAR_OFF
    for i in range(x.size):
        low_u, high_u = min(low_u, u[i]), max(high_u, u[i])
        low_v, high_v = min(low_v, v[i]), max(high_v, v[i])
        low_iz = min(low_iz, iz[i])
    left, right = pixel_span(low_u, low_u, high_u, np.float32(view.width - 1))
    top, bottom = pixel_span(low_v, low_v, high_v, np.float32(view.height - 1))
    # Written so, because an empty span may be far outside of what an integer holds.
    if left > right or top > bottom:
        return np.int32(0), np.int32(-1), np.int32(0), np.int32(-1), low_iz < ZERO
    return np.int32(left), np.int32(right), np.int32(top), np.int32(bottom), low_iz < ZERO


@njit(**KERNEL)
def turn_faces(shape, R, t, screen, some_behind):
    """Fills orientation, from the planes of the faces: a stream of four numbers a face, no corner is looked up.

    Faces with a corner behind the near plane are hidden for now: `crossing.draw_crossing` draws them.
    """
    ex, ey, ez = camera_centre(R, t)
    nx, ny, nz, offset, orientation = shape.normal_x, shape.normal_y, shape.normal_z, shape.offset, screen.orientation
    for face in range(nx.size):
        outside = nx[face] * ex + ny[face] * ey + nz[face] * ez + offset[face] > ZERO
        orientation[face] = TOWARDS if outside else AWAY
    if some_behind:
        faces, iz = shape.faces, screen.iz
        for face in range(nx.size):
            if min(iz[faces[face, 0]], min(iz[faces[face, 1]], iz[faces[face, 2]])) <= ZERO:
                orientation[face] = HIDDEN


@njit(**KERNEL)
def list_faces(shape, view, screen, closed):
    """Lists the faces that may cover a pixel centre, of closed meshes the front ones; returns their number.

    Most faces of a fine mesh cover none, at random: a branch for each would be mispredicted half of the time, so
    every face is written to the list and only some move its end.
    """
    right, bottom = np.float32(view.width - 1), np.float32(view.height - 1)
    u, v, orientation, drawn, faces = screen.u, screen.v, screen.orientation, screen.drawn, shape.faces
    least = TOWARDS if closed else AWAY
    turned = np.uint64(0)
    for every in range(faces.shape[0]):
        drawn[turned] = every
        turned += np.uint64(orientation[every] >= least)
    n = np.uint64(0)
    for k in range(turned):
        face = np.uint32(drawn[k])
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        u0, v0, u1, v1, u2, v2 = u[a], v[a], u[b], v[b], u[c], v[c]
        area2 = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0)
        first_x, last_x = pixel_span(u0, u1, u2, right)
        first_y, last_y = pixel_span(v0, v1, v2, bottom)
        drawn[n] = face
        n += np.uint64((first_x <= last_x) & (first_y <= last_y) & (abs(area2) >= MIN_AREA2))
    return n


@njit(**SCALAR)
def fill_triangle(face, u0, v0, u1, v1, u2, v2, iz0, iz1, iz2, x0, x1, y0, y1, width, blocks):
    """Depth-tests one triangle over its pixel box (inclusive bounds)."""
    area2 = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0)
    if area2 < ZERO:  # swap two corners: inside is where all three edge functions are positive
        u1, u2, v1, v2, iz1, iz2 = u2, u1, v2, v1, iz2, iz1
        area2 = -area2
    u10, v10, u20, v20 = u1 - u0, v1 - v0, u2 - u0, v2 - v0
    u21, v21 = u2 - u1, v2 - v1
    zx, zy = slopes(area2, iz1 - iz0, iz2 - iz0, u10, v10, u20, v20)
    lean_a = BORDER * (abs(u10) + abs(v10))
    lean_b = BORDER * (abs(u21) + abs(v21))
    lean_c = BORDER * (abs(u20) + abs(v20))
    row = np.int64(y0) * width
    for y in range(y0, y1 + 1):
        dy0, dy1 = np.float32(y) - v0, np.float32(y) - v1
        a, b, c = u10 * dy0 + lean_a, u21 * dy1 + lean_b, lean_c - u20 * dy0
        z = iz0 + zy * dy0
        for block in range((row + x0) // LANES, (row + x1) // LANES + 1):
            x = np.float32(np.int32(block * LANES - row))
            draw_lanes(
                blocks, block * BLOCK, face, x, np.float32(x0), np.float32(x1), u0, a, v10, u1, b, v21, c, v20, z, zx
            )
        row += width


@njit(**KERNEL)
def rasterise(shape, view, screen, closed, blocks):
    """Draws all faces before the near plane into the blocks, which are empty; returns the number of listed faces."""
    width = np.int64(view.width)
    right, bottom = np.float32(view.width - 1), np.float32(view.height - 1)
    u, v, iz, faces, drawn = screen.u, screen.v, screen.iz, shape.faces, screen.drawn
    n = list_faces(shape, view, screen, closed)
    for k in range(n):
        face = np.uint32(drawn[k])
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        u0, v0, u1, v1, u2, v2 = u[a], v[a], u[b], v[b], u[c], v[c]
        first_x, last_x = pixel_span(u0, u1, u2, right)
        first_y, last_y = pixel_span(v0, v1, v2, bottom)
        fill_triangle(
            np.int32(face), u0, v0, u1, v1, u2, v2, iz[a], iz[b], iz[c],
            np.int32(first_x), np.int32(last_x), np.int32(first_y), np.int32(last_y), width, blocks,
        )  # fmt: skip
    return n
