"""What the pixels see once all triangles are drawn: images of 1/Z and face, the covered pixels, the faces' planes."""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.lanes import BLOCK, LANES
from diffdope.render.kernels.layout import PLANE, SHADE_NONE, SHADE_TEXTURE, SHADE_VERTEX
from diffdope.render.kernels.options import KERNEL, SCALAR
from diffdope.render.kernels.raster import slopes

ZERO, ONE = np.float32(0.0), np.float32(1.0)


@njit(**KERNEL)
def read_blocks(view, left, right, top, bottom, buffer):
    """Turns the blocks of a rectangle into images, and empties them for the next pose."""
    blocks, bits, face = buffer.blocks, buffer.bits, buffer.face
    width = np.int64(view.width)
    for y in range(np.int64(top), np.int64(bottom) + 1):
        for block in range((y * width + left) // LANES, (y * width + right) // LANES + 1):
            word, pixel = block * BLOCK, block * LANES
            for k in range(LANES):
                near = blocks[word + k]
                bits[pixel + k] = near
                face[pixel + k] = blocks[word + LANES + k] if near > 0 else np.int32(-1)
    for y in range(np.int64(top), np.int64(bottom) + 1):  # apart: blocks may belong to two rows
        for block in range((y * width + left) // LANES, (y * width + right) // LANES + 1):
            for k in range(LANES):
                blocks[block * BLOCK + k] = 0


@njit(**KERNEL)
def list_covered(view, left, right, top, bottom, buffer_face, drawn, n_drawn, visible):
    """Lists the covered pixels and gives every face that owns one a slot; returns both numbers.

    Pixels mark their face, then the drawn faces are gone through: so no step waits for the one before, and faces
    that share vertices stand side by side.
    """
    slot_of_face, face_of_slot, pixels = visible.slot, visible.face, visible.pixel
    width = np.uint32(view.width)
    n = n_slots = np.uint64(0)
    for y in range(np.uint32(top), np.uint32(bottom + 1)):
        for pixel in range(y * width + np.uint32(left), y * width + np.uint32(right + 1)):
            pixels[n] = pixel
            n += np.uint64(buffer_face[np.uint32(pixel)] >= 0)
    for k in range(n):
        slot_of_face[np.uint32(buffer_face[np.uint32(pixels[k])])] = 0
    for k in range(n_drawn):
        face = np.uint32(drawn[k])
        seen = slot_of_face[face] >= 0
        face_of_slot[n_slots] = face
        slot_of_face[face] = np.int32(n_slots) if seen else np.int32(-1)
        n_slots += np.uint64(seen)
    return np.int64(n), np.int64(n_slots)


@njit(**SCALAR)
def mip_level(area2, u10, v10, u20, v20, s10, t10, s20, t20):
    """log2 of texels a pixel along the more compressed screen axis (affine, per face); (s, t) in texels."""
    sx, sy = slopes(area2, s10, s20, u10, v10, u20, v20)
    tx, ty = slopes(area2, t10, t20, u10, v10, u20, v20)
    longest = max(sx * sx + tx * tx, sy * sy + ty * ty)
    return np.float32(0.5) * np.log2(max(longest, np.float32(1e-12)))


@njit(**SCALAR)
def put_level(planes, row, level, widths, heights):
    """Writes a face's mip level and the sizes of its two levels, where a third attribute would stand."""
    last = np.int32(widths.size - 1)
    level = min(max(level, ZERO), np.float32(last))
    fine = np.int32(level)
    coarse = min(fine + np.int32(1), last)
    planes[row + 11] = level
    planes[row + 12], planes[row + 13] = np.float32(widths[fine]), np.float32(heights[fine])
    planes[row + 14], planes[row + 15] = np.float32(widths[coarse]), np.float32(heights[coarse])


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
        put_level(planes, row, level, widths, heights)


@njit(**KERNEL)
def setup_visible_faces(faces, skin, screen, visible, n_slots):
    """Planes of the faces that own a pixel."""
    shading, attributes, widths, heights = skin.shading, skin.attributes, skin.widths, skin.heights
    u, v, iz = screen.u, screen.v, screen.iz
    face_of_slot, planes = visible.face, visible.planes
    for slot in range(n_slots):
        face = np.uint32(face_of_slot[slot])
        setup_plane(faces, shading, attributes, widths, heights, u, v, iz, planes, face, np.uint64(slot * PLANE))


@njit(**KERNEL)
def release_covered(buffer_face, visible, n_covered, n_slots):
    """Forgets the covered pixels and visible faces, so that the next pose starts clean."""
    pixels, slot_of_face, face_of_slot = visible.pixel, visible.slot, visible.face
    for k in range(n_covered):
        buffer_face[np.uint32(pixels[k])] = -1
    for slot in range(n_slots):
        slot_of_face[np.uint32(face_of_slot[slot])] = -1
