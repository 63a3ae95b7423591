"""Sums over fragments: from per-pixel derivatives to the 6-gradient and the 6x6 normal matrix of one pose."""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.layout import (
    C_BU,
    C_BV,
    C_GB,
    C_GG,
    C_GR,
    C_GU,
    C_GV,
    C_GZ,
    C_RU,
    C_RV,
    C_WB,
    C_WG,
    C_WR,
    C_WZ,
    C_X,
    C_Y,
    C_Z,
    C_ZU,
    C_ZV,
)  # fmt: skip
from diffdope.render.kernels.motion import torque
from diffdope.render.kernels.options import KERNEL, SCALAR

ZERO, ONE = np.float32(0.0), np.float32(1.0)


@njit(**KERNEL)
def add_gradient(view, t, c, count, with_color, gradient):
    """Adds the gradient of `count` shaded fragments whose upstream derivatives stand in the chunk."""
    g0 = g1 = g2 = g3 = g4 = g5 = ZERO
    ifx, ify = ONE / view.fx, ONE / view.fy
    for i in range(count):
        gz = c[C_GZ + i]
        su, sv = gz * c[C_ZU + i], gz * c[C_ZV + i]
        if with_color:
            su += c[C_GR + i] * c[C_RU + i] + c[C_GG + i] * c[C_GU + i] + c[C_GB + i] * c[C_BU + i]
            sv += c[C_GR + i] * c[C_RV + i] + c[C_GG + i] * c[C_GV + i] + c[C_GB + i] * c[C_BV + i]
        z = c[C_Z + i]
        xn, yn = (c[C_X + i] - view.cx) * ifx, (c[C_Y + i] - view.cy) * ify
        inverse = ONE / z
        a, b = su * view.fx * inverse, sv * view.fy * inverse
        r0, r1, r2 = -a, -b, a * xn + b * yn + gz
        q0, q1, q2 = torque(xn * z - t[0], yn * z - t[1], z - t[2], r0, r1, r2)
        g0 += r0
        g1 += r1
        g2 += r2
        g3 += q0
        g4 += q1
        g5 += q2
    gradient[0] += g0
    gradient[1] += g1
    gradient[2] += g2
    gradient[3] += g3
    gradient[4] += g4
    gradient[5] += g5


@njit(**KERNEL)
def add_normal(view, t, c, count, with_color, normal):
    """Adds J^T W J of `count` fragments to the lower triangle of the normal matrix.

    Each fragment gives a 3x3 matrix H of point motion; with o = X - t the pose's matrix is
    [[H, .], [o x H, (o x H) o x^T]] in the order (rho, phi).
    """
    h00 = h01 = h02 = h11 = h12 = h22 = ZERO
    k00 = k01 = k02 = k10 = k11 = k12 = k20 = k21 = k22 = ZERO
    p00 = p10 = p11 = p20 = p21 = p22 = ZERO
    ifx, ify = ONE / view.fx, ONE / view.fy
    for i in range(count):
        muu = muv = mvv = ZERO
        if with_color:
            wr, wg, wb = c[C_WR + i], c[C_WG + i], c[C_WB + i]
            ru, gu, bu, rv, gv, bv = (
                c[C_RU + i],
                c[C_GU + i],
                c[C_BU + i],
                c[C_RV + i],
                c[C_GV + i],
                c[C_BV + i],
            )
            muu = wr * ru * ru + wg * gu * gu + wb * bu * bu
            muv = wr * ru * rv + wg * gu * gv + wb * bu * bv
            mvv = wr * rv * rv + wg * gv * gv + wb * bv * bv
        z = c[C_Z + i]
        xn, yn = (c[C_X + i] - view.cx) * ifx, (c[C_Y + i] - view.cy) * ify
        inverse = ONE / z
        a, b = view.fx * inverse, view.fy * inverse
        muu, muv, mvv = a * a * muu, a * b * muv, b * b * mvv
        w = c[C_WZ + i]
        d0, d1 = -a * c[C_ZU + i], -b * c[C_ZV + i]
        d2 = ONE - d0 * xn - d1 * yn
        a00, a01, a11 = muu + w * d0 * d0, muv + w * d0 * d1, mvv + w * d1 * d1
        a02 = -muu * xn - muv * yn + w * d0 * d2
        a12 = -muv * xn - mvv * yn + w * d1 * d2
        a22 = muu * xn * xn + np.float32(2.0) * muv * xn * yn + mvv * yn * yn + w * d2 * d2
        ox, oy, oz = xn * z - t[0], yn * z - t[1], z - t[2]
        m00, m10, m20 = torque(ox, oy, oz, a00, a01, a02)
        m01, m11, m21 = torque(ox, oy, oz, a01, a11, a12)
        m02, m12, m22 = torque(ox, oy, oz, a02, a12, a22)
        n00, n01, n02 = torque(ox, oy, oz, m00, m01, m02)
        _, n11, n12 = torque(ox, oy, oz, m10, m11, m12)
        n22 = ox * m21 - oy * m20
        h00 += a00
        h01 += a01
        h02 += a02
        h11 += a11
        h12 += a12
        h22 += a22
        k00 += m00
        k01 += m01
        k02 += m02
        k10 += m10
        k11 += m11
        k12 += m12
        k20 += m20
        k21 += m21
        k22 += m22
        p00 += n00
        p10 += n01
        p20 += n02
        p11 += n11
        p21 += n12
        p22 += n22
    add_lower(normal, (
        h00, h01, h11, h02, h12, h22, k00, k01, k02, p00, k10, k11, k12, p10, p11, k20, k21, k22, p20, p21, p22,
    ))  # fmt: skip


@njit(**SCALAR)
def add_lower(n, sums):
    """Adds 21 sums to the lower triangle of a 6x6 matrix, row by row."""
    place = 0
    for i in range(6):
        for k in range(i + 1):
            n[i, k] += sums[place]
            place += 1


@njit(**SCALAR)
def add_row_gradient(jacobian, row, channel, factor, gradient):
    """Adds factor * one row of a contour pixel's Jacobian."""
    for k in range(6):
        gradient[k] += factor * jacobian[row, channel, k]


@njit(**SCALAR)
def add_outer(weight, j, normal):
    """Adds weight * j j^T to the lower triangle."""
    for i in range(6):
        for k in range(i + 1):
            normal[i, k] += weight * j[i] * j[k]


@njit(**KERNEL)
def mirror_lower(normal):
    """Completes a symmetric matrix from its lower triangle."""
    for i in range(6):
        for k in range(i):
            normal[k, i] = normal[i, k]
