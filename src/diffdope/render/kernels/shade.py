"""Depth and colour of fragments, with their screen-space slopes.

On the CPU a chunk of fragments goes through short loops: those that fetch from memory at random (planes, texels) do
nothing else, so that those that compute see only contiguous rows, which LLVM vectorises.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.lanes import LANES, turn_lanes
from diffdope.render.kernels.layout import (
    C_B,
    C_BU,
    C_BV,
    C_CX,
    C_CY,
    C_FX,
    C_FY,
    C_G,
    C_GU,
    C_GV,
    C_PLANE,
    C_R,
    C_RU,
    C_RV,
    C_TU,
    C_TUX,
    C_TUY,
    C_TV,
    C_TVX,
    C_TVY,
    C_X,
    C_Y,
    C_Z,
    C_ZU,
    C_ZV,
    CHUNK,
    I_COARSE,
    I_COARSE_X,
    I_COARSE_Y,
    I_FINE,
    I_FINE_X,
    I_FINE_Y,
    I_TEXEL,
    PLANE,
    SHADE_NONE,
    SHADE_TEXTURE,
)  # fmt: skip
from diffdope.render.kernels.options import CALLED, KERNEL, SCALAR

ZERO, ONE, HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)
BYTE = np.float32(1.0 / 255.0)
I1, I8, I16, I255 = np.int32(1), np.int32(8), np.int32(16), np.int32(255)
START, EIGHT = np.int64(0), np.int64(LANES)
SECOND_HALF = C_PLANE + EIGHT * CHUNK  # of the planes within the chunk
# Rows of a face's planes within the chunk (raster.setup_plane writes them).
P_U, P_V, P_IZ, P_ZX, P_ZY, P_A = (C_PLANE + CHUNK * k for k in range(6))
P_LEVEL, P_FINE_W, P_FINE_H, P_COARSE_W, P_COARSE_H = (C_PLANE + CHUNK * k for k in range(11, 16))


@njit(**SCALAR)
def depth_at(iz0, zx, zy, dx, dy):
    """(Z, dZ/du, dZ/dv) from the plane of 1/Z."""
    z = ONE / (iz0 + zx * dx + zy * dy)
    return z, -z * z * zx, -z * z * zy


@njit(**SCALAR)
def attribute_at(start, ax, ay, dx, dy, z, zx, zy):
    """(value, d/du, d/dv) of an attribute from the plane of attribute/Z: perspective-correct."""
    value = (start + ax * dx + ay * dy) * z
    return value, z * (ax - value * zx), z * (ay - value * zy)


@njit(**SCALAR)
def texel_place(t, size):
    """(first texel, step to the next one, position between them) along one axis, clamped to the border.

    Beyond the middle of the outermost texels the colour is constant: a step of 0 leaves no slope.
    """
    place = min(max(t * size - HALF, ZERO), size - ONE)
    first = np.int32(place)
    step = I1 if (place > ZERO) & (np.float32(first) < size - ONE) else np.int32(0)
    return first, step, place - np.float32(first)


@njit(**SCALAR)
def channel(texel, shift):
    """One byte of a packed texel."""
    return np.float32((texel >> shift) & I255)


@njit(**SCALAR)
def mix(c00, c10, c01, c11, fx, fy):
    """Bilinear value and its derivatives by fx and fy."""
    top, low = c00 + fx * (c10 - c00), c01 + fx * (c11 - c01)
    return top + fy * (low - top), (c10 - c00) + fy * ((c11 - c01) - (c10 - c00)), low - top


@njit(**SCALAR)
def trilinear(shift, a, b, c, d, fx, fy, w, h, e, f, g, i, gx, gy, cw, ch, k):
    """(value, d/dtu, d/dtv) of one channel: four fine texels, four coarse ones, mixed by k."""
    v0, x0, y0 = mix(channel(a, shift), channel(b, shift), channel(c, shift), channel(d, shift), fx, fy)
    v1, x1, y1 = mix(channel(e, shift), channel(f, shift), channel(g, shift), channel(i, shift), gx, gy)
    j = ONE - k
    return BYTE * (j * v0 + k * v1), BYTE * (j * x0 * w + k * x1 * cw), BYTE * (j * y0 * h + k * y1 * ch)


@njit(**SCALAR)
def turn_rows(c, to, rows, index, first, i, last, length, start):
    """Copies eight floats of each of eight fragments from i on into columns of the chunk."""
    turn_lanes(
        c, to + i, rows,
        np.int64(index[np.uint64(first + i)]) * length + start,
        np.int64(index[np.uint64(first + min(i + 1, last))]) * length + start,
        np.int64(index[np.uint64(first + min(i + 2, last))]) * length + start,
        np.int64(index[np.uint64(first + min(i + 3, last))]) * length + start,
        np.int64(index[np.uint64(first + min(i + 4, last))]) * length + start,
        np.int64(index[np.uint64(first + min(i + 5, last))]) * length + start,
        np.int64(index[np.uint64(first + min(i + 6, last))]) * length + start,
        np.int64(index[np.uint64(first + min(i + 7, last))]) * length + start,
    )  # fmt: skip


@njit(**KERNEL)
def fetch_planes(planes, f, first, count, whole):
    """Copies pixels and planes of a chunk of fragments; all 16 numbers of a plane or only the first eight."""
    c, slot, xs, ys = f.chunk, f.slot, f.x, f.y
    for i in range(count):
        c[C_X + i], c[C_Y + i] = xs[np.uint64(first + i)], ys[np.uint64(first + i)]
    last = count - 1
    for i in range(0, count, LANES):
        turn_rows(c, C_PLANE, planes, slot, first, i, last, PLANE, START)
        if whole:
            turn_rows(c, SECOND_HALF, planes, slot, first, i, last, PLANE, EIGHT)


@njit(**KERNEL)
def shade_depth(c, count):
    """Depth and its slopes."""
    for i in range(count):
        dx, dy = c[C_X + i] - c[P_U + i], c[C_Y + i] - c[P_V + i]
        z, zu, zv = depth_at(c[P_IZ + i], c[P_ZX + i], c[P_ZY + i], dx, dy)
        c[C_Z + i], c[C_ZU + i], c[C_ZV + i] = z, zu, zv


@njit(**SCALAR)
def shade_attribute(c, count, plane, value, slope_u, slope_v):
    """One attribute and its slopes, into the rows `value`, `slope_u`, `slope_v`."""
    for i in range(count):
        dx, dy = c[C_X + i] - c[P_U + i], c[C_Y + i] - c[P_V + i]
        a, au, av = attribute_at(
            c[plane + i],
            c[plane + CHUNK + i],
            c[plane + 2 * CHUNK + i],
            dx,
            dy,
            c[C_Z + i],
            c[P_ZX + i],
            c[P_ZY + i],
        )
        c[value + i], c[slope_u + i], c[slope_v + i] = a, au, av


@njit(**KERNEL)
def shade_texture_place(c, count):
    """Texture coordinates and their slopes."""
    shade_attribute(c, count, P_A, C_TU, C_TUX, C_TUY)
    shade_attribute(c, count, P_A + 3 * CHUNK, C_TV, C_TVX, C_TVY)


@njit(**KERNEL)
def shade_vertex_color(c, count):
    """Interpolated colours and their slopes."""
    shade_attribute(c, count, P_A, C_R, C_RU, C_RV)
    shade_attribute(c, count, P_A + 3 * CHUNK, C_G, C_GU, C_GV)
    shade_attribute(c, count, P_A + 6 * CHUNK, C_B, C_BU, C_BV)


@njit(**KERNEL)
def place_texels(c, n, count):
    """Where each fragment reads its fine and its coarse level."""
    for i in range(count):
        w, h = c[P_FINE_W + i], c[P_FINE_H + i]
        x, step_x, c[C_FX + i] = texel_place(c[C_TU + i], w)
        y, step_y, c[C_FY + i] = texel_place(c[C_TV + i], h)
        n[I_FINE + i], n[I_FINE_X + i], n[I_FINE_Y + i] = y * np.int32(w) + x, step_x, step_y * np.int32(w)
    for i in range(count):
        w, h = c[P_COARSE_W + i], c[P_COARSE_H + i]
        x, step_x, c[C_CX + i] = texel_place(c[C_TU + i], w)
        y, step_y, c[C_CY + i] = texel_place(c[C_TV + i], h)
        n[I_COARSE + i], n[I_COARSE_X + i], n[I_COARSE_Y + i] = (
            y * np.int32(w) + x,
            step_x,
            step_y * np.int32(w),
        )


@njit(**KERNEL)
def fetch_texels(skin, c, n, count):
    """Copies the eight texels of every fragment."""
    texels, offsets = skin.texels, skin.offsets
    last = np.uint32(offsets.size - 1)
    for i in range(count):
        level = np.uint32(np.int32(c[P_LEVEL + i]))
        a = np.uint32(offsets[level] + n[I_FINE + i])
        b = np.uint32(offsets[min(level + np.uint32(1), last)] + n[I_COARSE + i])
        ax, ay = np.uint32(n[I_FINE_X + i]), np.uint32(n[I_FINE_Y + i])
        bx, by = np.uint32(n[I_COARSE_X + i]), np.uint32(n[I_COARSE_Y + i])
        n[I_TEXEL + i], n[I_TEXEL + CHUNK + i] = texels[a], texels[a + ax]
        n[I_TEXEL + 2 * CHUNK + i], n[I_TEXEL + 3 * CHUNK + i] = texels[a + ay], texels[a + ax + ay]
        n[I_TEXEL + 4 * CHUNK + i], n[I_TEXEL + 5 * CHUNK + i] = texels[b], texels[b + bx]
        n[I_TEXEL + 6 * CHUNK + i], n[I_TEXEL + 7 * CHUNK + i] = texels[b + by], texels[b + bx + by]


@njit(**SCALAR)
def mix_channel(c, n, i, shift):
    """(value, d/du, d/dv) of one channel of a fragment."""
    level = c[P_LEVEL + i]
    value, by_tu, by_tv = trilinear(
        shift,
        n[I_TEXEL + i], n[I_TEXEL + CHUNK + i], n[I_TEXEL + 2 * CHUNK + i], n[I_TEXEL + 3 * CHUNK + i],
        c[C_FX + i], c[C_FY + i], c[P_FINE_W + i], c[P_FINE_H + i],
        n[I_TEXEL + 4 * CHUNK + i], n[I_TEXEL + 5 * CHUNK + i], n[I_TEXEL + 6 * CHUNK + i], n[I_TEXEL + 7 * CHUNK + i],
        c[C_CX + i], c[C_CY + i], c[P_COARSE_W + i], c[P_COARSE_H + i],
        level - np.float32(np.int32(level)),
    )  # fmt: skip
    return value, by_tu * c[C_TUX + i] + by_tv * c[C_TVX + i], by_tu * c[C_TUY + i] + by_tv * c[C_TVY + i]


@njit(**KERNEL)
def mix_texels(c, n, count):
    """Colours and slopes from the fetched texels."""
    for i in range(count):
        c[C_R + i], c[C_RU + i], c[C_RV + i] = mix_channel(c, n, i, np.int32(0))
    for i in range(count):
        c[C_G + i], c[C_GU + i], c[C_GV + i] = mix_channel(c, n, i, I8)
    for i in range(count):
        c[C_B + i], c[C_BU + i], c[C_BV + i] = mix_channel(c, n, i, I16)


@njit(**CALLED)
def shade_chunk(skin, planes, f, first, count, with_color):
    """Shades `count` fragments from `first` on into the chunk."""
    c = f.chunk
    colored = with_color and skin.shading != SHADE_NONE
    fetch_planes(planes, f, first, count, colored)
    shade_depth(c, count)
    if colored and skin.shading == SHADE_TEXTURE:
        shade_texture_place(c, count)
        place_texels(c, f.integers, count)
        fetch_texels(skin, c, f.integers, count)
        mix_texels(c, f.integers, count)
    elif colored:
        shade_vertex_color(c, count)
