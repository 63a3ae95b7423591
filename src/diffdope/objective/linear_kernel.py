"""Residuals and their Jacobians of one pose, pixel by pixel: what the fused pass sums up, listed.

Only pixels that the object covers wholly have colours and depths of their own; next to a contour they are mixed with a
background that nobody knows, and only the coverage is listed.
"""

import numpy as np
from numba import njit

from diffdope.render.kernels.images import prepare_pose, release_pose
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
    CHANNEL_COVERAGE,
    CHUNK,
)  # fmt: skip
from diffdope.render.kernels.motion import fixed_pixel_row, torque
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR
from diffdope.render.kernels.shade import shade_chunk

ZERO, ONE = np.float32(0.0), np.float32(1.0)


@njit(**SCALAR)
def write_row(jacobian, i, channel, x, y, z, r0, r1, r2):
    """Row of a quantity whose change is r . dX at X - t = (x, y, z)."""
    q0, q1, q2 = torque(x, y, z, r0, r1, r2)
    jacobian[i, channel, 0], jacobian[i, channel, 1], jacobian[i, channel, 2] = r0, r1, r2
    jacobian[i, channel, 3], jacobian[i, channel, 4], jacobian[i, channel, 5] = q0, q1, q2


@njit(**KERNEL)
def list_chunk(view, t, c, first, count, with_color, offset, jacobian):
    """Places of a chunk relative to the object's origin, and Jacobians: red, green, blue, depth."""
    for i in range(count):
        z = c[C_Z + i]
        xn, yn = (c[C_X + i] - view.cx) / view.fx, (c[C_Y + i] - view.cy) / view.fy
        x, y, dz = xn * z - t[0], yn * z - t[1], z - t[2]
        offset[first + i, 0], offset[first + i, 1], offset[first + i, 2] = x, y, dz
        r0, r1, r2 = fixed_pixel_row(c[C_ZU + i], c[C_ZV + i], view.fx, view.fy, xn, yn, z)
        write_row(jacobian, first + i, 3, x, y, dz, r0, r1, r2 + ONE)
        if with_color:
            r0, r1, r2 = fixed_pixel_row(c[C_RU + i], c[C_RV + i], view.fx, view.fy, xn, yn, z)
            write_row(jacobian, first + i, 0, x, y, dz, r0, r1, r2)
            r0, r1, r2 = fixed_pixel_row(c[C_GU + i], c[C_GV + i], view.fx, view.fy, xn, yn, z)
            write_row(jacobian, first + i, 1, x, y, dz, r0, r1, r2)
            r0, r1, r2 = fixed_pixel_row(c[C_BU + i], c[C_BV + i], view.fx, view.fy, xn, yn, z)
            write_row(jacobian, first + i, 2, x, y, dz, r0, r1, r2)


@njit(**KERNEL)
def list_residuals(c, f, observed, first, count, with_color, pixel, residual):
    """Rendered less observed, of a chunk; 0 where no depth was measured."""
    for i in range(count):
        p = f.pixel[first + i]
        pixel[first + i] = p
        residual[first + i, 3] = c[C_Z + i] - observed.depth[p] if observed.depth[p] > ZERO else ZERO
        if with_color:
            residual[first + i, 0] = c[C_R + i] - observed.red[p]
            residual[first + i, 1] = c[C_G + i] - observed.green[p]
            residual[first + i, 2] = c[C_B + i] - observed.blue[p]


@njit(**ENTRY)
def linearise_pose(
    mesh, view, R, t, s, observed, with_color, pixel, offset, residual, jacobian, outline, coverage, coverage_jacobian
):
    """Fills the lists of one pose; returns the number of covered pixels and of pixels next to a contour.

    pixel (N,), offset (N, 3) of the surface point from the object's origin [m], residual (N, 4) and jacobian (N, 4, 6)
    of red, green, blue (left alone without colour) and depth [m]; outline (M,), coverage (M,) rendered less mask,
    coverage_jacobian (M, 6). All are as long as the image.
    """
    n, n_rows, used = prepare_pose(mesh, view, R, t, s)
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_chunk(mesh.skin, s.visible.planes, s.fragments, first, count, with_color)
        list_residuals(s.fragments.chunk, s.fragments, observed, first, count, with_color, pixel, residual)
        list_chunk(view, t, s.fragments.chunk, first, count, with_color, offset, jacobian)
    for row in range(n_rows):
        p = s.contours.pixel[row]
        outline[row] = p
        coverage[row] = s.contours.value[row, CHANNEL_COVERAGE] - observed.mask[p]
        for k in range(6):
            coverage_jacobian[row, k] = s.contours.jacobian[row, CHANNEL_COVERAGE, k]
    release_pose(view, s, used)
    return n, n_rows
