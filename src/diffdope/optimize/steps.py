"""The steps of `levenberg_marquardt`, compiled: with one pose, a dozen numpy calls cost as much as an evaluation.

Loops over single numbers, because each sum, product or assignment of whole arrays would add a second to compiling.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
_TINY = 1e-300


@njit(**_OPTIONS)
def scaled(normal: F64, length_m: float) -> F64:
    """A normal matrix (6, 6) for (rho / length_m, phi)."""
    result = np.empty((6, 6))
    for i in range(6):
        for k in range(6):
            entry = normal[i, k] * length_m if i < 3 else normal[i, k]
            result[i, k] = entry * length_m if k < 3 else entry
    return result


@njit(**_OPTIONS)
def turn(step: F64, R: F64, out: F64) -> None:
    """Exp(phi) R (3, 3), by Rodrigues, with phi the last three numbers of a step (6,)."""
    phi = (step[3], step[4], step[5])
    angle2 = phi[0] * phi[0] + phi[1] * phi[1] + phi[2] * phi[2]
    angle = math.sqrt(angle2)
    first = math.sin(angle) / angle if angle > 1e-8 else 1.0
    half = math.sin(0.5 * angle) / (0.5 * angle) if angle > 1e-8 else 1.0
    second = 0.5 * half * half
    for k in range(3):
        x, y, z = R[0, k], R[1, k], R[2, k]
        # Exp(phi) v = v + a phi x v + b phi x (phi x v)
        u, v, w = phi[1] * z - phi[2] * y, phi[2] * x - phi[0] * z, phi[0] * y - phi[1] * x
        out[0, k] = x + first * u + second * (phi[1] * w - phi[2] * v)
        out[1, k] = y + first * v + second * (phi[2] * u - phi[0] * w)
        out[2, k] = z + first * w + second * (phi[0] * v - phi[1] * u)


@njit(**_OPTIONS)
def propose(
    R: F64, t: F64, gradient: F64, normal: F64, damping: F64, length_m: float, observable: float, longest: float,
    R_new: F64, t_new: F64, size: F64, expected: F64,
) -> None:  # fmt: skip
    """-(N + damping max(N) I)^-1 g of B poses within the observable directions, limited in length.

    Writes the moved poses, the steps' length in (rho / length_m, phi), and by how much the quadratic model expects the
    cost to fall.
    """
    step = np.empty(6)
    for b in range(len(t)):
        curvature, directions = np.linalg.eigh(scaled(normal[b], length_m))
        largest = max(curvature[5], _TINY)
        for i in range(6):
            step[i] = 0.0
        fall = 0.0
        for k in range(6):
            if curvature[k] > observable * largest:
                slope = 0.0
                for i in range(6):
                    slope += directions[i, k] * (gradient[b, i] * length_m if i < 3 else gradient[b, i])
                along = slope / (max(curvature[k], 0.0) + damping[b] * largest)
                fall += along * (slope - 0.5 * curvature[k] * along)
                for i in range(6):
                    step[i] -= directions[i, k] * along
        squares = 0.0
        for i in range(6):
            squares += step[i] * step[i]
        length = math.sqrt(squares)
        share = min(1.0, longest / max(length, _TINY))
        for i in range(6):
            step[i] *= share
        size[b], expected[b] = min(length, longest), fall
        turn(step, R[b], R_new[b])
        for i in range(3):
            t_new[b, i] = t[b, i] + length_m * step[i]


@njit(**_OPTIONS)
def observable_directions(normal: F64, length_m: float, share: float, out: F64) -> None:
    """Projectors (B, 6, 6) on the directions with more than `share` of the largest curvature."""
    for b in range(len(normal)):
        curvature, directions = np.linalg.eigh(scaled(normal[b], length_m))
        for k in range(6):
            if curvature[k] > share * max(curvature[5], _TINY):
                for i in range(6):
                    for j in range(6):
                        out[b, i, j] += directions[i, k] * directions[j, k]
