"""Huber's M-estimator on standardised residuals: scale, influence, and what it costs in efficiency.

Beside least absolute deviations, whose efficiency under Gaussian noise is 2 / pi, it has 95 % with the bound below,
and an outlier still pulls no harder than a residual of that bound. Source: Huber and Ronchetti, Robust Statistics,
2nd edition, Wiley 2009, sections 4.5 (influence), 5.1 (scale) and 7.6 (covariance).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

BOUND = 1.345
"""In standard deviations: residuals beyond it pull with constant force."""
_GAUSSIAN = 1.4826  # standard deviation of a Gaussian over its median absolute value


def scale(residual: F32, floor: float) -> float:
    """Standard deviation of the bulk of residuals of any shape, by their median absolute value.

    Args:
        residual: about zero, not about their own median: a common offset is an error too.
        floor: least result, in the residuals' units; rounding alone leaves as much.
    """
    if residual.size == 0:
        return floor
    size = np.abs(residual).ravel()
    middle = size.size // 2
    return max(float(_GAUSSIAN * np.partition(size, middle)[middle]), floor)


def loss(standardised: F32) -> F32:
    """rho(u): half the square within the bound, linear beyond."""
    size = np.abs(standardised)
    inside = np.minimum(size, BOUND)
    return np.asarray(inside * (size - 0.5 * inside), np.float32)


def influence(standardised: F32) -> F32:
    """psi(u): u, but no more than the bound."""
    return np.clip(standardised, np.float32(-BOUND), np.float32(BOUND))


def weight(standardised: F32) -> F32:
    """psi(u) / u, the weight of reweighted least squares."""
    return np.asarray(np.float32(BOUND) / np.maximum(np.abs(standardised), np.float32(BOUND)))


def slope(standardised: F32) -> F32:
    """psi'(u): 1 within the bound, 0 beyond."""
    return (np.abs(standardised) < BOUND).astype(np.float32)
