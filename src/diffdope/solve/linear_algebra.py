"""Small dense linear algebra in compiled code, without allocating: eigenvectors of symmetric matrices, rotations."""

from __future__ import annotations

import math

from diffdope.kernel_compiler import EXACT_INNER
from diffdope.kernel_loading import njit

ROUNDS = 30  # of QL steps for an eigenvalue; it takes one to three
ROUNDING = 1e-15  # off-diagonal elements below this share of their neighbours on the diagonal are 0


@njit(**EXACT_INNER)
def eigen_symmetric(matrix, values, vectors):
    """Eigenvalues (D,) and eigenvectors (D, D), in columns, of a symmetric matrix (D, D), which is overwritten.

    Householder's tridiagonal form, then implicit QL steps: a 6 x 6 matrix takes a fifth of the time that Jacobi's
    method does. Source: Golub and Van Loan, Matrix Computations, 4th edition, 2013, sections 8.3.1 and 8.3.5.
    """
    size = len(values)
    for i in range(size):
        for k in range(size):
            vectors[i, k] = 1.0 if i == k else 0.0
    for k in range(size - 2):
        reflect_column(matrix, values, vectors, k)
    for i in range(size):
        values[i] = matrix[i, i]
    for i in range(size - 1):  # the first row takes what is beside the diagonal
        matrix[0, i] = matrix[i, i + 1]
    for first in range(size):
        for _ in range(ROUNDS):
            last = first
            while last < size - 1 and abs(matrix[0, last]) > ROUNDING * (abs(values[last]) + abs(values[last + 1])):
                last += 1
            if last == first:
                break
            shifted_ql_step(matrix[0], values, vectors, first, last)


@njit(**EXACT_INNER)
def reflect_column(matrix, room, vectors, k):
    """Mirrors all but the first two elements of column k to zero; the second is left in matrix[k, k + 1].

    `room` (D,) is overwritten.
    """
    size, start = len(room), k + 1
    squares = 0.0
    for i in range(start, size):
        squares += matrix[i, k] * matrix[i, k]
    length = -math.copysign(math.sqrt(squares), matrix[start, k])
    scale = squares - matrix[start, k] * length
    matrix[k, start] = length
    if scale == 0.0:
        return
    matrix[start, k] -= length  # the column is now the mirror's normal n; the mirror is 1 - n n^T / scale
    across = 0.0
    for i in range(start, size):
        total = 0.0
        for j in range(start, size):
            total += matrix[i, j] * matrix[j, k]
        room[i] = total / scale
        across += room[i] * matrix[i, k]
    for i in range(start, size):
        room[i] -= 0.5 * across / scale * matrix[i, k]
    for i in range(start, size):
        for j in range(start, size):
            matrix[i, j] -= matrix[i, k] * room[j] + room[i] * matrix[j, k]
    for i in range(size):
        total = 0.0
        for j in range(start, size):
            total += vectors[i, j] * matrix[j, k]
        for j in range(start, size):
            vectors[i, j] -= total / scale * matrix[j, k]


@njit(**EXACT_INNER)
def shifted_ql_step(beside, values, vectors, first, last):
    """One implicit QL step, with Wilkinson's shift, on rows first .. last of a tridiagonal matrix.

    Its diagonal is `values` (D,), what stands beside that `beside` (D,).
    """
    half = 0.5 * (values[first + 1] - values[first]) / beside[first]
    root = math.copysign(math.sqrt(half * half + 1.0), half)
    chased = values[last] - values[first] + beside[first] / (half + root)
    sine = cosine = 1.0
    shift = 0.0
    for i in range(last - 1, first - 1, -1):
        bulge, other = sine * beside[i], cosine * beside[i]
        size = math.sqrt(bulge * bulge + chased * chased)
        beside[i + 1] = size
        if size == 0.0:  # it falls apart here
            values[i + 1] -= shift
            beside[last] = 0.0
            return
        sine, cosine = bulge / size, chased / size
        above = values[i + 1] - shift
        mixed = (values[i] - above) * sine + 2.0 * cosine * other
        shift = sine * mixed
        values[i + 1] = above + shift
        chased = cosine * mixed - other
        for k in range(len(values)):
            a, b = vectors[k, i], vectors[k, i + 1]
            vectors[k, i], vectors[k, i + 1] = cosine * a - sine * b, sine * a + cosine * b
    values[first] -= shift
    beside[first] = chased
    beside[last] = 0.0


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
