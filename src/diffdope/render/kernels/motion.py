"""How image quantities move with the pose: rows of Jacobians, in the tangent order (rho, phi).

A surface point X moves by rho + phi x (X - t). A quantity whose change is row . dX therefore has the
6-Jacobian (row, (X - t) x row). All rows are for a camera-frame point (X, Y, Z), x_n = X/Z, y_n = Y/Z.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import SCALAR

ONE = np.float32(1.0)


@njit(**SCALAR)
def fixed_pixel_row(slope_u, slope_v, fx, fy, xn, yn, z):
    """Row of a quantity carried by the surface, seen through a fixed pixel: -(slope_u du + slope_v dv)."""
    inverse = ONE / z
    gu, gv = slope_u * fx * inverse, slope_v * fy * inverse
    return -gu, -gv, gu * xn + gv * yn


@njit(**SCALAR)
def screen_row(along_u, along_v, fx, fy, xn, yn, z):
    """Row of along_u * du + along_v * dv, the screen motion of a material point."""
    inverse = ONE / z
    gu, gv = along_u * fx * inverse, along_v * fy * inverse
    return gu, gv, -(gu * xn + gv * yn)


@njit(**SCALAR)
def torque(dx, dy, dz, r0, r1, r2):
    """(X - t) x row: the rotational half of a Jacobian."""
    return dy * r2 - dz * r1, dz * r0 - dx * r2, dx * r1 - dy * r0
