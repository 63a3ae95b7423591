"""Residuals and their Jacobians of one pose, pixel by pixel: what the fused pass sums up, listed.

Only pixels that the object covers wholly have colours and depths of their own; next to a contour they are mixed with a
background that nobody knows, and only the coverage is listed.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.calls import prepare_at, shade_at
from diffdope.render.kernels.layout import (
    C_B,
    C_BU,
    C_BV,
    C_G,
    C_GU,
    C_GV,
    C_R,
    C_RU,
    C_RV,
    C_X,
    C_Y,
    C_Z,
    C_ZU,
    C_ZV,
    CHANNEL_BLUE,
    CHANNEL_COVERAGE,
    CHANNEL_DEPTH,
    CHANNEL_GREEN,
    CHANNEL_RED,
    CHUNK,
)  # fmt: skip
from diffdope.render.kernels.motion import fixed_pixel_row, torque
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR
from diffdope.render.kernels.prepare import release_pose

ZERO, ONE = np.float32(0.0), np.float32(1.0)


@njit(**SCALAR)
def write_row(jacobian, i, channel, x, y, z, r0, r1, r2):
    """Row of a quantity whose change is r . dX at X - t = (x, y, z)."""
    q0, q1, q2 = torque(x, y, z, r0, r1, r2)
    jacobian[channel, 0, i], jacobian[channel, 1, i], jacobian[channel, 2, i] = r0, r1, r2
    jacobian[channel, 3, i], jacobian[channel, 4, i], jacobian[channel, 5, i] = q0, q1, q2


@njit(**KERNEL)
def list_chunk(view, t, c, first, count, with_color, offset, jacobian):
    """Places of a chunk relative to the object's origin, and Jacobians: red, green, blue, depth."""
    for i in range(count):
        z = c[C_Z + i]
        xn, yn = (c[C_X + i] - view.cx) / view.fx, (c[C_Y + i] - view.cy) / view.fy
        x, y, dz = xn * z - t[0], yn * z - t[1], z - t[2]
        offset[0, first + i], offset[1, first + i], offset[2, first + i] = x, y, dz
        r0, r1, r2 = fixed_pixel_row(c[C_ZU + i], c[C_ZV + i], view.fx, view.fy, xn, yn, z)
        write_row(jacobian, first + i, CHANNEL_DEPTH, x, y, dz, r0, r1, r2 + ONE)
        if with_color:
            r0, r1, r2 = fixed_pixel_row(c[C_RU + i], c[C_RV + i], view.fx, view.fy, xn, yn, z)
            write_row(jacobian, first + i, CHANNEL_RED, x, y, dz, r0, r1, r2)
            r0, r1, r2 = fixed_pixel_row(c[C_GU + i], c[C_GV + i], view.fx, view.fy, xn, yn, z)
            write_row(jacobian, first + i, CHANNEL_GREEN, x, y, dz, r0, r1, r2)
            r0, r1, r2 = fixed_pixel_row(c[C_BU + i], c[C_BV + i], view.fx, view.fy, xn, yn, z)
            write_row(jacobian, first + i, CHANNEL_BLUE, x, y, dz, r0, r1, r2)


@njit(**KERNEL)
def list_values(c, f, packed, first, count, with_color, pixel, rendered, residual, weight):
    """Colours and depths of a chunk, less what was observed, and how much a pixel counts for each."""
    for i in range(count):
        place = np.uint32(f.pixel[first + i])
        pixel[first + i] = f.pixel[first + i]
        rendered[3, first + i], residual[3, first + i] = c[C_Z + i], c[C_Z + i] - packed[place, 4]
        weight[0, first + i] = packed[place, 3]
        weight[1, first + i] = packed[place, 3] if packed[place, 4] > ZERO else ZERO
        if with_color:
            rendered[0, first + i], residual[0, first + i] = c[C_R + i], c[C_R + i] - packed[place, 0]
            rendered[1, first + i], residual[1, first + i] = c[C_G + i], c[C_G + i] - packed[place, 1]
            rendered[2, first + i], residual[2, first + i] = c[C_B + i], c[C_B + i] - packed[place, 2]


@njit(**KERNEL)
def list_sensitivity(jacobian, first, count, sensitivity):
    """How much colours notice that a surface leans.

    Of a depth's Jacobian, the first three are the normal over its share along the ray.
    """
    for i in range(first, first + count):
        r0, r1, r2 = jacobian[3, 0, i], jacobian[3, 1, i], jacobian[3, 2, i]
        sensitivity[i] = max(r0 * r0 + r1 * r1 + r2 * r2 - ONE, ZERO)


@njit(**KERNEL)
def list_rows(contours, packed, n, n_rows, pixel, rendered, jacobian, residual, weight):
    """The coverages next to a contour. Of two pixels there, one is blended: the other does not move, nor count."""
    for row in range(n_rows):
        place = np.uint32(contours.pixel[row])
        pixel[n + row] = contours.pixel[row]
        rendered[4, n + row] = contours.value[row, CHANNEL_COVERAGE]
        residual[4, n + row] = contours.value[row, CHANNEL_COVERAGE] - packed[place, 5]
        for k in range(6):
            jacobian[4, k, n + row] = contours.jacobian[row, CHANNEL_COVERAGE, k]
        moves = (
            (jacobian[4, 0, n + row] != ZERO) | (jacobian[4, 1, n + row] != ZERO) | (jacobian[4, 2, n + row] != ZERO)
        )
        weight[2, n + row] = packed[place, 6] if moves else ZERO


@njit(**ENTRY)
def linearise_pose(
    at, mesh, view, R, t, s, packed, with_color, pixel, offset, rendered, jacobian, residual, weight, sensitivity
):
    """Fills the lists of one pose; returns the number of covered pixels, and of all with those next to a contour.

    As long as the image (N): pixel (N,), offset (3, N) of the surface point from the object's origin [m], rendered
    (5, N), jacobian (5, 6, N) and residual (5, N), rendered less observed, of red, green, blue (left alone without
    colour), depth [m] and coverage; weight (3, N), how much a pixel counts for colour, depth and coverage; sensitivity
    (N,), see `linearised.ResidualBlock`. Covered pixels come first, with colour and depth; those next to a contour
    follow, with coverage alone. What was observed is taken as `PixelBuffers.packed`.
    """
    n, n_rows, used = prepare_at(at.prepare, mesh, view, R, t, s, at.shade, True)
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_at(at.shade, mesh.skin, s.visible.planes, s.fragments, first, count, with_color)
        list_values(s.fragments.chunk, s.fragments, packed, first, count, with_color, pixel, rendered, residual, weight)
        list_chunk(view, t, s.fragments.chunk, first, count, with_color, offset, jacobian)
        list_sensitivity(jacobian, first, count, sensitivity)
    list_rows(s.contours, packed, n, n_rows, pixel, rendered, jacobian, residual, weight)
    release_pose(view, s, used)
    return n, n + n_rows
