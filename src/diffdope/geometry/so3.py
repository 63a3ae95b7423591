"""Rotations as matrices, tangent vectors and quaternions; everything takes leading batch axes.

A tangent vector phi (radians) is axis times angle. A quaternion's name says its order: here always `wxyz`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import check_shape, expected

F64 = NDArray[np.float64]

_SPIRAL = 1.533751168755204288118041  # the root above 1 of x^4 = x + 4, as the method has it

_IDENTITY = np.eye(3)
_LEAST = 1e-9  # radians: below it, an angle is its own sine to the last digit
_TO_HALF_TURN = -0.5  # cosine of the angle beyond which the skew part loses digits


def hat(phi: ArrayLike) -> F64:
    """The skew matrix with hat(phi) @ x = cross(phi, x): (..., 3) -> (..., 3, 3)."""
    p = _batch("phi", phi, (3,))
    out = np.zeros((*p.shape[:-1], 3, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -p[..., 2], p[..., 1], -p[..., 0]
    return out - np.swapaxes(out, -1, -2)


def exp(phi: ArrayLike) -> F64:
    """Rotation matrices of tangent vectors (Rodrigues): (..., 3) radians -> (..., 3, 3)."""
    p = _batch("phi", phi, (3,))
    if p.ndim == 1:  # numpy takes ten times as long for a single one
        return _exp_of_one(*p.tolist())
    angle = np.sqrt((p * p).sum(axis=-1))[..., None, None]
    # sin(a) / a and, free of cancellation, (1 - cos a) / a^2; below this angle they are 1 and 1 / 2 to the last digit.
    a = np.maximum(angle, _LEAST)
    first = np.sin(a) / a
    half = np.sin(0.5 * a) / a
    second = 2.0 * half * half
    skew = hat(p)
    result: F64 = _IDENTITY + first * skew + second * (skew @ skew)
    return result


def _exp_of_one(x: float, y: float, z: float) -> F64:
    a = max(math.sqrt(x * x + y * y + z * z), _LEAST)
    first, half = math.sin(a) / a, math.sin(0.5 * a) / a
    second = 2.0 * half * half
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    result: F64 = _IDENTITY + first * skew + second * (skew @ skew)  # as of many, to the last bit
    return result


def evenly(count: int) -> F64:
    """Rotation matrices (count, 3, 3) spread evenly over all rotations, the same ones each time.

    Source: super-Fibonacci spirals, Alexa, CVPR 2022.

    Raises:
        DiffDopeError: if `count` is not at least 1.
    """
    if count < 1:
        raise expected("count", "at least one rotation", count)
    place = np.arange(count) + 0.5
    inner, outer = np.sqrt(place / count), np.sqrt(1.0 - place / count)
    first, second = 2.0 * np.pi * place / np.sqrt(2.0), 2.0 * np.pi * place / _SPIRAL
    x, y = inner * np.sin(first), inner * np.cos(first)
    return matrix_from_wxyz(np.stack([outer * np.cos(second), x, y, outer * np.sin(second)], axis=-1))


def log(R: ArrayLike) -> F64:
    """Tangent vectors of rotation matrices, angle in [0, pi]: (..., 3, 3) -> (..., 3) radians."""
    m = _batch("R", R, (3, 3))
    if m.ndim == 2:
        (r00, r01, r02), (r10, r11, r12), (r20, r21, r22) = m.tolist()
        cosine = 0.5 * (r00 + r11 + r22 - 1.0)
        if cosine > _TO_HALF_TURN:
            return _log_of_one(cosine, r21 - r12, r02 - r20, r10 - r01)
    cosine = 0.5 * (m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2] - 1.0)
    if (cosine > _TO_HALF_TURN).all():  # far from a half turn, the skew part alone has all digits
        skew = np.stack([m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]], -1)
        length = np.sqrt((skew * skew).sum(axis=-1))
        least = np.maximum(length, _LEAST)  # below it, the angle is its own sine
        factor = np.where(length < _LEAST, 0.5, np.arctan2(0.5 * length, cosine) / least)
        near: F64 = factor[..., None] * skew
        return near
    q_wxyz = wxyz_from_matrix(m)
    w, vector = q_wxyz[..., :1], q_wxyz[..., 1:]
    sine = np.linalg.norm(vector, axis=-1, keepdims=True)
    # Through the half angle, because arccos of the trace loses all digits near 0 and pi.
    small = sine < 1e-9
    scale = np.where(small, 2.0, 2.0 * np.arctan2(sine, w) / np.where(small, 1.0, sine))
    result: F64 = scale * vector
    return result


def _log_of_one(cosine: float, x: float, y: float, z: float) -> F64:
    """From half the trace less one, and the skew part."""
    length = math.sqrt(x * x + y * y + z * z)
    factor = 0.5 if length < _LEAST else math.atan2(0.5 * length, cosine) / length
    return np.array([factor * x, factor * y, factor * z])


def angle_of(R: ArrayLike) -> float:
    """Angle of a rotation matrix (3, 3), radians in [0, pi]."""
    return math.hypot(*log(R).tolist())


def off_orthonormal(M: F64) -> float:
    """The largest number of M^T M - I, of a matrix (3, 3): plain numbers take a fifth of numpy's time."""
    (a, b, c), (d, e, f), (g, h, i) = M.tolist()
    lengths = a * a + d * d + g * g - 1.0, b * b + e * e + h * h - 1.0, c * c + f * f + i * i - 1.0
    products = a * b + d * e + g * h, a * c + d * f + g * i, b * c + e * f + h * i
    return float(max(map(abs, lengths + products)))


def matrix_from_wxyz(q_wxyz: ArrayLike) -> F64:
    """Rotation matrices of quaternions, which are normalised first: (..., 4) -> (..., 3, 3).

    Raises:
        DiffDopeError: if a quaternion is zero or not finite.
    """
    q = _batch("q_wxyz", q_wxyz, (4,))
    norm = np.linalg.norm(q, axis=-1, keepdims=True)
    if not (np.isfinite(norm).all() and (norm > 1e-12).all()):
        raise expected("q_wxyz", "finite quaternions other than zero", q.tolist())
    w, x, y, z = np.moveaxis(q / norm, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def wxyz_from_matrix(R: ArrayLike) -> F64:
    """Unit quaternions of rotation matrices, w >= 0: (..., 3, 3) -> (..., 4)."""
    m = _batch("R", R, (3, 3))
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Four times the outer product of the quaternion with itself; its longest row is free of cancellation.
    outer = np.empty((*m.shape[:-2], 4, 4))
    outer[..., 0, 0], outer[..., 1, 1] = 1 + d0 + d1 + d2, 1 + d0 - d1 - d2
    outer[..., 2, 2], outer[..., 3, 3] = 1 - d0 + d1 - d2, 1 - d0 - d1 + d2
    for i, (a, b) in enumerate(((2, 1), (0, 2), (1, 0)), start=1):
        outer[..., 0, i] = outer[..., i, 0] = m[..., a, b] - m[..., b, a]
    for i, j in ((1, 2), (1, 3), (2, 3)):
        outer[..., i, j] = outer[..., j, i] = m[..., i - 1, j - 1] + m[..., j - 1, i - 1]
    best = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    q = np.take_along_axis(outer, best[..., None, None], axis=-2)[..., 0, :]
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    result: F64 = np.where(q[..., :1] < 0, -q, q)
    return result


def project_to_so3(M: ArrayLike) -> F64:
    """The rotations nearest to matrices in the Frobenius norm: (..., 3, 3) -> (..., 3, 3)."""
    left, _, right = np.linalg.svd(_batch("M", M, (3, 3)))
    sign = np.ones(left.shape[:-1])
    sign[..., 2] = np.linalg.det(left @ right)
    result: F64 = (left * sign[..., None, :]) @ right
    return result


def _batch(name: str, values: ArrayLike, last: tuple[int, ...]) -> F64:
    array = np.asarray(values, dtype=np.float64)
    if array.shape == last:
        return array
    check_shape(name, array, (*array.shape[: max(array.ndim - len(last), 0)], *last))
    return array
