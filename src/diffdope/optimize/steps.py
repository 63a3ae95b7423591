"""The steps of `levenberg_marquardt`, compiled: with one pose, a dozen numpy calls cost as much as an evaluation.

Loops over single numbers that allocate nothing, because each sum, product or assignment of whole arrays would add up
to a second to compiling. So do numba's eigenvectors: numpy's take a few microseconds more.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
_OPTIONS = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "_nrt": False,
}  # no reference counts
_TINY = 1e-300


def curvatures(normal: F64, length_m: float) -> tuple[F64, F64]:
    """Eigenvalues (B, 6), ascending, and eigenvectors (B, 6, 6) of normal matrices for (rho / length_m, phi)."""
    scale = np.array([length_m] * 3 + [1.0] * 3)
    values, vectors = np.linalg.eigh(normal * scale[:, None] * scale)
    return values, vectors


def observable_directions(normal: F64, length_m: float, share: float) -> F64:
    """Projectors (B, 6, 6) on the directions with more than `share` of the largest curvature."""
    values, vectors = curvatures(normal, length_m)
    kept = vectors * (values > share * np.maximum(values[:, 5:], _TINY))[:, None]
    return np.asarray(kept @ kept.transpose(0, 2, 1))


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
    R: F64, t: F64, gradient: F64, curvature: F64, directions: F64, damping: F64, length_m: float, observable: float,
    longest: float, R_new: F64, t_new: F64, steps: F64, size: F64, expected: F64,
) -> None:  # fmt: skip
    """-(N + damping max(N) I)^-1 g of B poses within the observable directions, limited in length.

    Takes the `curvatures` of N. Writes the moved poses, the steps (B, 6) in (rho / length_m, phi) and their length, and
    by how much the quadratic model expects the cost to fall.
    """
    for b in range(len(t)):
        step = steps[b]
        largest = max(curvature[b, 5], _TINY)
        for i in range(6):
            step[i] = 0.0
        fall = 0.0
        for k in range(6):
            if curvature[b, k] > observable * largest:
                slope = 0.0
                for i in range(6):
                    slope += directions[b, i, k] * (gradient[b, i] * length_m if i < 3 else gradient[b, i])
                along = slope / (max(curvature[b, k], 0.0) + damping[b] * largest)
                fall += along * (slope - 0.5 * curvature[b, k] * along)
                for i in range(6):
                    step[i] -= directions[b, i, k] * along
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
