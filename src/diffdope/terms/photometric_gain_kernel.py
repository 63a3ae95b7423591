"""The robust straight line of `fit_gain` and what it leaves, compiled: a tracker fits one every frame."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from diffdope.render.kernels.options import ENTRY

F64 = NDArray[np.float64]


@njit(**ENTRY)
def line(
    x: F64, y: F64, weight: F64, rounds: int, spread: float, with_bias: bool, least: float, most: float, hold: float
) -> tuple[float, float]:
    """Gain and bias of y = gain * x + bias, (N,) each, by least squares reweighted from `weight` on: `fit_gain`."""
    gain, bias = 1.0, 0.0
    for _ in range(rounds):
        total, sx, sy, sxx, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(len(x)):
            weighted = weight[i] * x[i]
            total += weight[i]
            sx += weighted
            sy += weight[i] * y[i]
            sxx += weighted * x[i]
            sxy += weighted * y[i]
        prior = 0.01 * total * spread**2
        sxx += prior
        sxy += prior
        damped = total * (1.0 + hold)
        slope, curvature = (damped * sxy - sx * sy, damped * sxx - sx * sx) if with_bias else (sxy, sxx)
        gain = slope / max(curvature, 1e-12)
        gain = min(max(gain, least), most)
        if with_bias:
            bias = (sy - gain * sx) / damped
        for i in range(len(x)):
            weight[i] = 1.0 / max(abs(y[i] - gain * x[i] - bias), 0.02)
    return gain, bias


@njit(**ENTRY)
def left_over(model: F64, photo: F64, gain: F64, bias: F64, middle: F64) -> tuple[float, float]:
    """Sums of |photo - line| and of |photo - middle| over channels and pixels (C, N), with `middle` (C,)."""
    left = there = 0.0
    for c in range(len(photo)):
        for i in range(photo.shape[1]):
            left += abs(photo[c, i] - gain[c] * model[c, i] - bias[c])
            there += abs(photo[c, i] - middle[c])
    return left, there
