"""Vertices to screen, triangles to a z-buffer, for one pose.

Scalar functions come first: a GPU backend shares them. `rasterise` is the CPU loop around them.
"""

import numpy as np
from numba import njit

from diffdope.render.kernels.layout import PLANE, SHADE_NONE, SHADE_TEXTURE, SHADE_VERTEX
from diffdope.render.kernels.options import KERNEL, SCALAR

NEAR = np.float32(1e-3)  # metres
MIN_AREA2 = np.float32(1e-10)  # twice the smallest screen area of a drawn triangle, px^2
# Borders count as inside by this many pixels, so that rounding leaves no crack between neighbours.
BORDER = np.float32(1e-5)
ZERO, ONE = np.float32(0.0), np.float32(1.0)


@njit(**SCALAR)
def transform(R, t, x, y, z):
    """Model to camera frame."""
    return (
        R[0, 0] * x + R[0, 1] * y + R[0, 2] * z + t[0],
        R[1, 0] * x + R[1, 1] * y + R[1, 2] * z + t[1],
        R[2, 0] * x + R[2, 1] * y + R[2, 2] * z + t[2],
    )


@njit(**SCALAR)
def slopes(area2, d10, d20, u10, v10, u20, v20):
    """Screen-space slopes of a quantity that is linear over a triangle, from its two corner differences."""
    inverse = ONE / area2
    return (d10 * v20 - d20 * v10) * inverse, (d20 * u10 - d10 * u20) * inverse


@njit(**KERNEL)
def project_vertices(shape, view, R, t, screen):
    """Fills u, v, iz; iz = -1 marks a vertex at or behind the near plane."""
    for i in range(shape.x.size):
        xc, yc, zc = transform(R, t, shape.x[i], shape.y[i], shape.z[i])
        inverse = ONE / max(zc, NEAR)
        screen.u[i] = view.fx * xc * inverse + view.cx
        screen.v[i] = view.fy * yc * inverse + view.cy
        screen.iz[i] = inverse if zc > NEAR else -ONE


@njit(**SCALAR)
def fill_triangle(face, u0, v0, u1, v1, u2, v2, iz0, iz1, iz2, area2, x0, x1, y0, y1, width, buffer_iz, buffer_face):
    """Depth-tests one triangle over its pixel box (inclusive bounds)."""
    if area2 < ZERO:  # swap two corners: inside is where all three edge functions are positive
        u1, u2, v1, v2, iz1, iz2 = u2, u1, v2, v1, iz2, iz1
        area2 = -area2
    u10, v10, u20, v20 = u1 - u0, v1 - v0, u2 - u0, v2 - v0
    u21, v21 = u2 - u1, v2 - v1
    zx, zy = slopes(area2, iz1 - iz0, iz2 - iz0, u10, v10, u20, v20)
    lean_a = BORDER * (abs(u10) + abs(v10))
    lean_b = BORDER * (abs(u21) + abs(v21))
    lean_c = BORDER * (abs(u20) + abs(v20))
    for y in range(y0, y1 + 1):
        dy0, dy1 = np.float32(y) - v0, np.float32(y) - v1
        row_a = u10 * dy0 + lean_a
        row_b = u21 * dy1 + lean_b
        row_c = lean_c - u20 * dy0
        row_z = iz0 + zy * dy0
        base = y * width
        for x in range(x0, x1 + 1):
            dx0, dx1 = np.float32(x) - u0, np.float32(x) - u1
            inside = min(min(row_a - v10 * dx0, row_b - v21 * dx1), row_c + v20 * dx0)
            iz = row_z + zx * dx0
            # Selects, not a branch: whether a small triangle covers a pixel is as good as random.
            keep = (inside >= ZERO) & (iz > buffer_iz[base + x])
            buffer_iz[base + x] = iz if keep else buffer_iz[base + x]
            buffer_face[base + x] = face if keep else buffer_face[base + x]


@njit(**KERNEL)
def list_faces(shape, view, screen):
    """Fills orientation, and lists the faces that may cover a pixel centre; returns their number.

    Most faces of a fine mesh cover none, at random: a branch for each would be mispredicted half of the time, so
    every face is written to the list and only some move its end.
    """
    right, bottom = np.float32(view.width - 1), np.float32(view.height - 1)
    u, v, iz, orientation, drawn = screen.u, screen.v, screen.iz, screen.orientation, screen.drawn
    n = 0
    for face in range(shape.faces.shape[0]):
        a, b, c = shape.faces[face, 0], shape.faces[face, 1], shape.faces[face, 2]
        u0, v0, u1, v1, u2, v2 = u[a], v[a], u[b], v[b], u[c], v[c]
        area2 = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0)
        valid = (min(iz[a], min(iz[b], iz[c])) > ZERO) & (abs(area2) >= MIN_AREA2)
        orientation[face] = valid * (np.uint8(2) - np.uint8(area2 > ZERO))
        left = max(np.ceil(min(u0, min(u1, u2)) - BORDER), ZERO)
        last_x = min(np.floor(max(u0, max(u1, u2)) + BORDER), right)
        top = max(np.ceil(min(v0, min(v1, v2)) - BORDER), ZERO)
        last_y = min(np.floor(max(v0, max(v1, v2)) + BORDER), bottom)
        drawn[n] = face
        n += valid & (left <= last_x) & (top <= last_y) & ((shape.closed == 0) | (area2 < ZERO))
    return n


@njit(**KERNEL)
def rasterise(shape, view, screen, buffer):
    """Fills orientation, depth and face buffers from the projected vertices."""
    width, height = np.int32(view.width), np.int32(view.height)
    buffer_iz, buffer_face = buffer.iz, buffer.face
    for pixel in range(width * height):  # a slice assignment takes seconds to compile
        buffer_iz[pixel], buffer_face[pixel] = ZERO, np.int32(-1)
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    u, v, iz = screen.u, screen.v, screen.iz
    n = list_faces(shape, view, screen)
    for k in range(n):
        face = screen.drawn[k]
        a, b, c = shape.faces[face, 0], shape.faces[face, 1], shape.faces[face, 2]
        u0, v0, u1, v1, u2, v2 = u[a], v[a], u[b], v[b], u[c], v[c]
        area2 = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0)
        fill_triangle(
            face, u0, v0, u1, v1, u2, v2, iz[a], iz[b], iz[c], area2,
            np.int32(max(np.ceil(min(u0, min(u1, u2)) - BORDER), ZERO)),
            np.int32(min(np.floor(max(u0, max(u1, u2)) + BORDER), right)),
            np.int32(max(np.ceil(min(v0, min(v1, v2)) - BORDER), ZERO)),
            np.int32(min(np.floor(max(v0, max(v1, v2)) + BORDER), bottom)),
            width, buffer_iz, buffer_face,
        )  # fmt: skip


@njit(**SCALAR)
def mip_level(area2, u10, v10, u20, v20, s10, t10, s20, t20):
    """log2 of texels a pixel along the more compressed screen axis (affine, per face); (s, t) in texels."""
    sx, sy = slopes(area2, s10, s20, u10, v10, u20, v20)
    tx, ty = slopes(area2, t10, t20, u10, v10, u20, v20)
    longest = max(sx * sx + tx * tx, sy * sy + ty * ty)
    return np.float32(0.5) * np.log2(max(longest, np.float32(1e-12)))


@njit(**SCALAR)
def setup_plane(faces, shading, attributes, widths, heights, u, v, iz, planes, face, row):
    """Writes the planes of one visible face: 1/Z and attribute/Z as linear functions of (x - u0, y - v0)."""
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    u0, v0, z0, z1, z2 = u[a], v[a], iz[a], iz[b], iz[c]
    u10, v10, u20, v20 = u[b] - u0, v[b] - v0, u[c] - u0, v[c] - v0
    area2 = u10 * v20 - u20 * v10
    planes[row], planes[row + 1], planes[row + 2] = u0, v0, z0
    planes[row + 3], planes[row + 4] = slopes(area2, z1 - z0, z2 - z0, u10, v10, u20, v20)
    if shading == SHADE_NONE:
        return
    for k in range(3 if shading == SHADE_VERTEX else 2):
        start = attributes[a, k] * z0
        d10, d20 = attributes[b, k] * z1 - start, attributes[c, k] * z2 - start
        planes[row + 5 + 3 * k] = start
        planes[row + 6 + 3 * k], planes[row + 7 + 3 * k] = slopes(area2, d10, d20, u10, v10, u20, v20)
    if shading == SHADE_TEXTURE:
        w, h = np.float32(widths[0]), np.float32(heights[0])
        au, av = attributes[a, 0], attributes[a, 1]
        level = mip_level(
            area2, u10, v10, u20, v20, (attributes[b, 0] - au) * w, (attributes[b, 1] - av) * h,
            (attributes[c, 0] - au) * w, (attributes[c, 1] - av) * h,
        )  # fmt: skip
        # Textures have two attributes: the rest of the row carries the mip level and the sizes of its two levels.
        last = np.int32(widths.size - 1)
        level = min(max(level, ZERO), np.float32(last))
        fine = np.int32(level)
        coarse = min(fine + np.int32(1), last)
        planes[row + 11] = level
        planes[row + 12], planes[row + 13] = np.float32(widths[fine]), np.float32(heights[fine])
        planes[row + 14], planes[row + 15] = np.float32(widths[coarse]), np.float32(heights[coarse])


@njit(**KERNEL)
def setup_visible_faces(faces, skin, view, screen, buffer_face, visible):
    """Planes for every face that owns a pixel; returns their number."""
    n = 0
    shading, attributes, widths, heights = skin.shading, skin.attributes, skin.widths, skin.heights
    u, v, iz = screen.u, screen.v, screen.iz
    slot_of_face, face_of_slot, planes = visible.slot, visible.face, visible.planes
    for pixel in range(view.width * view.height):
        face = buffer_face[pixel]
        if face >= 0 and slot_of_face[face] < 0:
            slot_of_face[face] = n
            face_of_slot[n] = face
            setup_plane(faces, shading, attributes, widths, heights, u, v, iz, planes, face, n * PLANE)
            n += 1
    return n


@njit(**KERNEL)
def release_faces(visible, n_slots):
    """Forgets the visible faces, so that the next pose starts clean."""
    for slot in range(n_slots):
        visible.slot[visible.face[slot]] = -1
