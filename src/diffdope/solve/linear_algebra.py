"""Small dense linear algebra in compiled code, without allocating: eigenvectors of symmetric matrices, rotations."""

from __future__ import annotations

import math

from numba import njit

from diffdope.kernel_compiler import EXACT_INNER

SWEEPS = 30  # of Jacobi's method; 6 x 6 matrices take five to eight
ROUNDING = 1e-30  # squares of off-diagonal elements below this share of the diagonal's are 0


@njit(**EXACT_INNER)
def eigen_symmetric(matrix, values, vectors):
    """Eigenvalues (D,) and eigenvectors (D, D), in columns, of a symmetric matrix (D, D), which is overwritten.

    Cyclic Jacobi rotations. Source: Golub and Van Loan, Matrix Computations, 4th edition, 2013, section 8.5.
    """
    size = len(values)
    for i in range(size):
        for k in range(size):
            vectors[i, k] = 1.0 if i == k else 0.0
    for _ in range(SWEEPS):
        off = on = 0.0
        for i in range(size):
            on += matrix[i, i] * matrix[i, i]
            for k in range(i):
                off += matrix[i, k] * matrix[i, k]
        if off <= ROUNDING * on:
            break
        for p in range(size - 1):
            for q in range(p + 1, size):
                if matrix[p, q] != 0.0:
                    rotate_pair(matrix, vectors, p, q)
    for i in range(size):
        values[i] = matrix[i, i]


@njit(**EXACT_INNER)
def rotate_pair(matrix, vectors, p, q):
    """One Jacobi rotation, which makes element (p, q) zero."""
    half = 0.5 * (matrix[q, q] - matrix[p, p]) / matrix[p, q]
    tangent = 1.0 / (abs(half) + math.sqrt(1.0 + half * half))
    if half < 0.0:
        tangent = -tangent
    cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
    sine = tangent * cosine
    for k in range(len(matrix)):
        a, b = matrix[k, p], matrix[k, q]
        matrix[k, p], matrix[k, q] = cosine * a - sine * b, sine * a + cosine * b
    for k in range(len(matrix)):
        a, b = matrix[p, k], matrix[q, k]
        matrix[p, k], matrix[q, k] = cosine * a - sine * b, sine * a + cosine * b
        a, b = vectors[k, p], vectors[k, q]
        vectors[k, p], vectors[k, q] = cosine * a - sine * b, sine * a + cosine * b


@njit(**EXACT_INNER)
def turn(x, y, z, R, out):
    """Exp(phi) R (3, 3) of a rotation vector phi = (x, y, z), by Rodrigues."""
    angle = math.sqrt(x * x + y * y + z * z)
    first = math.sin(angle) / angle if angle > 1e-8 else 1.0
    half = math.sin(0.5 * angle) / (0.5 * angle) if angle > 1e-8 else 1.0
    second = 0.5 * half * half
    for k in range(3):
        a, b, c = R[0, k], R[1, k], R[2, k]
        # Exp(phi) v = v + a phi x v + b phi x (phi x v)
        u, v, w = y * c - z * b, z * a - x * c, x * b - y * a
        out[0, k] = a + first * u + second * (y * w - z * v)
        out[1, k] = b + first * v + second * (z * u - x * w)
        out[2, k] = c + first * w + second * (x * v - y * u)


@njit(**EXACT_INNER)
def rotation_between(R, other, out):
    """log(R other^T), the rotation vector (3,) that turns `other` (3, 3) into R (3, 3).

    By the quaternion whose largest component is taken first. Source: Shepperd, Journal of Guidance and Control 1, 1978.
    """
    m00 = R[0, 0] * other[0, 0] + R[0, 1] * other[0, 1] + R[0, 2] * other[0, 2]
    m01 = R[0, 0] * other[1, 0] + R[0, 1] * other[1, 1] + R[0, 2] * other[1, 2]
    m02 = R[0, 0] * other[2, 0] + R[0, 1] * other[2, 1] + R[0, 2] * other[2, 2]
    m10 = R[1, 0] * other[0, 0] + R[1, 1] * other[0, 1] + R[1, 2] * other[0, 2]
    m11 = R[1, 0] * other[1, 0] + R[1, 1] * other[1, 1] + R[1, 2] * other[1, 2]
    m12 = R[1, 0] * other[2, 0] + R[1, 1] * other[2, 1] + R[1, 2] * other[2, 2]
    m20 = R[2, 0] * other[0, 0] + R[2, 1] * other[0, 1] + R[2, 2] * other[0, 2]
    m21 = R[2, 0] * other[1, 0] + R[2, 1] * other[1, 1] + R[2, 2] * other[1, 2]
    m22 = R[2, 0] * other[2, 0] + R[2, 1] * other[2, 1] + R[2, 2] * other[2, 2]
    trace = m00 + m11 + m22
    if trace > max(m00, max(m11, m22)):
        w, x, y, z = 1.0 + trace, m21 - m12, m02 - m20, m10 - m01
    elif m00 > max(m11, m22):
        w, x, y, z = m21 - m12, 1.0 + m00 - m11 - m22, m01 + m10, m02 + m20
    elif m11 > m22:
        w, x, y, z = m02 - m20, m01 + m10, 1.0 - m00 + m11 - m22, m12 + m21
    else:
        w, x, y, z = m10 - m01, m02 + m20, m12 + m21, 1.0 - m00 - m11 + m22
    if w < 0.0:
        w, x, y, z = -w, -x, -y, -z
    sine = math.sqrt(x * x + y * y + z * z)
    # For small turns 2 atan2(s, w) / s -> 2 / w.
    factor = 2.0 * math.atan2(sine, w) / sine if sine > 1e-12 * w else 2.0 / w
    out[0], out[1], out[2] = factor * x, factor * y, factor * z


@njit(**EXACT_INNER)
def apply_inverse_left_jacobian_transposed(x, y, z, vector, out):
    """J_l(phi)^-T v (3,) of phi = (x, y, z): what a gradient by phi is by a turn in front of Exp(phi).

    J_l^-1 = I - [phi]x / 2 + f [phi]x [phi]x. Source: Barfoot, State Estimation for Robotics, 2017, section 7.1.5.
    """
    angle2 = x * x + y * y + z * z
    angle = math.sqrt(angle2)
    factor = 1.0 / 12.0 if angle < 1e-4 else 1.0 / angle2 - 0.5 / (angle * math.tan(0.5 * angle))
    a, b, c = vector[0], vector[1], vector[2]
    u, v, w = y * c - z * b, z * a - x * c, x * b - y * a  # phi x v
    out[0] = a + 0.5 * u + factor * (y * w - z * v)
    out[1] = b + 0.5 * v + factor * (z * u - x * w)
    out[2] = c + 0.5 * w + factor * (x * v - y * u)
