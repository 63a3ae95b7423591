"""Edges that cross the near plane, cut there: contours follow what lies before it."""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import KERNEL, SCALAR
from diffdope.render.kernels.raster import NEAR

F32_ZERO = np.float32(0.0)
NEAR_M = float(NEAR)
GUARD = 64.0  # pixels around the image: edges are followed up to there, not to where the near plane cuts them


@njit(**SCALAR)
def camera_point(shape, R, t, i):
    """A vertex in the camera's frame."""
    x, y, z = np.float64(shape.x[i]), np.float64(shape.y[i]), np.float64(shape.z[i])
    return (
        R[0, 0] * x + R[0, 1] * y + R[0, 2] * z + t[0],
        R[1, 0] * x + R[1, 1] * y + R[1, 2] * z + t[1],
        R[2, 0] * x + R[2, 1] * y + R[2, 2] * z + t[2],
    )


@njit(**SCALAR)
def shorten(first, last, at_a, at_b):
    """Keeps the part of first .. last on an edge where what is at_a at its start and at_b at its end is positive."""
    if at_a < 0.0 and at_b < 0.0:
        return 1.0, 0.0
    if at_a < 0.0:
        return max(first, at_a / (at_a - at_b)), last
    if at_b < 0.0:
        return first, min(last, at_a / (at_a - at_b))
    return first, last


@njit(**KERNEL)
def clip_edge(shape, view, R, t, a, b):
    """u, v and 1/Z of both ends of what is before the near plane and near the image; 1/Z = -1 where nothing is.

    Any two points of an edge move with it as its own ends do, so that its direction has the same derivative.
    """
    ax, ay, az = camera_point(shape, R, t, a)
    bx, by, bz = camera_point(shape, R, t, b)
    first, last = shorten(0.0, 1.0, az - NEAR_M, bz - NEAR_M)
    # From here on points are (u Z, v Z, Z): what is left of a line of the image is a half-space.
    ax, ay, bx, by = (
        ax * view.fx + az * view.cx,
        ay * view.fy + az * view.cy,
        bx * view.fx + bz * view.cx,
        by * view.fy + bz * view.cy,
    )
    right, bottom = view.width + GUARD, view.height + GUARD
    first, last = shorten(first, last, ax + GUARD * az, bx + GUARD * bz)
    first, last = shorten(first, last, right * az - ax, right * bz - bx)
    first, last = shorten(first, last, ay + GUARD * az, by + GUARD * bz)
    first, last = shorten(first, last, bottom * az - ay, bottom * bz - by)
    za, zb = az + first * (bz - az), az + last * (bz - az)
    if first >= last or min(za, zb) <= 0.0:
        return F32_ZERO, F32_ZERO, np.float32(-1.0), F32_ZERO, F32_ZERO, np.float32(-1.0)
    return (
        np.float32((ax + first * (bx - ax)) / za), np.float32((ay + first * (by - ay)) / za), np.float32(1.0 / za),
        np.float32((ax + last * (bx - ax)) / zb), np.float32((ay + last * (by - ay)) / zb), np.float32(1.0 / zb),
    )  # fmt: skip


@njit(**SCALAR)
def edge_ends(shape, view, R, t, u, v, iz, a, b):
    """u, v and 1/Z of both ends of an edge, cut where one of them is behind the near plane."""
    if min(iz[a], iz[b]) > F32_ZERO:
        return u[a], v[a], iz[a], u[b], v[b], iz[b]
    return clip_edge(shape, view, R, t, a, b)


@njit(**KERNEL)
def side_of_hidden(shape, view, R, t, corner, ua, va, ub, vb):
    """On which side of an edge a corner behind the near plane would lie if its face were drawn to the end."""
    x, y, z = camera_point(shape, R, t, corner)
    u, v = view.fx * x + view.cx * z, view.fy * y + view.cy * z
    return np.float32((ub - ua) * (v - va * z) - (vb - va) * (u - ua * z))
