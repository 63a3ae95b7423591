"""Arithmetic of many vectors, to the bit as numpy does it, but column by column, which takes half of the time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def cross(a: F64, b: F64) -> F64:
    """Cross products (N, 3) of vectors (N, 3)."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    product = np.empty(a.shape)
    product[:, 0], product[:, 1], product[:, 2] = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    return product


def lengths(vectors: F64) -> F64:
    """Lengths (N,) of vectors (N, 3)."""
    x, y, z = vectors.T
    return np.asarray(np.sqrt(x * x + y * y + z * z))
