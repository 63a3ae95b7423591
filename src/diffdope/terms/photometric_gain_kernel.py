"""The robust straight line of `fit_gain` and what it leaves, compiled: a tracker fits one every frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

WHOLE, OWN = np.float32(0.99), np.float32(0.5)  # coverage and weight of pixels that show the object and nothing else
FEWEST = 8  # pixels through which a line is drawn
LEAST_GAIN, MOST_GAIN = 0.2, 4.0  # that light and exposure have, beside those of the model's colours
SPREAD = 0.05  # of colours: below it, a bias cannot be told from a gain
LEAST_RESIDUAL = 0.02  # of a colour: smaller ones are noise, and count alike
_ROUNDS = 4  # of reweighting


@njit(**ENTRY)
def line_through(
    model: F64, photo: F64, middle: F64, weight: F64, with_bias: bool, hold: float, lines: F64
) -> tuple[float, float]:
    """Gain and bias of photo = gain * model + bias, (3, N) each, by reweighted least squares: `fit_gain`.

    Args:
        model: rendered colours.
        photo: observed ones.
        middle: (3,) a colour to compare with.
        weight: (N,), room.
        with_bias: see `fit_lines`, as all that follow.
        hold: how strongly the bias is held to 0.
        lines: (2, 3) gain and bias of each channel.

    Returns:
        Sums of |photo - line| and of |photo - middle| over channels and pixels.
    """
    left = there = 0.0
    for c in range(3):
        for i in range(len(weight)):
            weight[i] = 1.0
        gain, bias = _line(model[c], photo[c], weight, len(weight), with_bias, hold)
        lines[0, c], lines[1, c] = gain, bias
        for i in range(len(weight)):
            left += abs(photo[c, i] - gain * model[c, i] - bias)
            there += abs(photo[c, i] - middle[c])
    return left, there


@njit(**ENTRY)
def fit_lines(
    model: F32, photo: F32, coverage: F32, appearance: F32, room: F64, with_bias: bool, hold: float, lines: F64
) -> None:
    """The same of each channel of two images, over the pixels that show the object and nothing else; see `fit_gain_at`.

    Args:
        model: rendered colours (N, 3).
        photo: observed ones (N, 3).
        coverage: of the rendering (N,).
        appearance: weights (N,) of the photograph's pixels.
        room: (7, N): both colours of those pixels, and weights.
        with_bias: whether there is a bias.
        hold: how strongly the bias is held to 0.
        lines: (2, 3) gain and bias of each channel; left as they are where there are too few pixels.
    """
    count = 0
    for i in range(len(coverage)):
        if coverage[i] > WHOLE and appearance[i] > OWN:
            for c in range(3):
                room[c, count] = model[i, c]
                room[3 + c, count] = photo[i, c]
            count += 1
    if count < FEWEST:
        return
    for c in range(3):
        for i in range(count):
            room[6, i] = 1.0
        lines[0, c], lines[1, c] = _line(room[c], room[3 + c], room[6], count, with_bias, hold)


@njit(**KERNEL)
def _line(x: F64, y: F64, weight: F64, count: int, with_bias: bool, hold: float) -> tuple[float, float]:
    gain, bias = 1.0, 0.0
    for _ in range(_ROUNDS):
        total, sx, sy, sxx, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(count):
            weighted = weight[i] * x[i]
            total += weight[i]
            sx += weighted
            sy += weight[i] * y[i]
            sxx += weighted * x[i]
            sxy += weighted * y[i]
        prior = 0.01 * total * SPREAD**2
        sxx += prior
        sxy += prior
        damped = total * (1.0 + hold)
        slope, curvature = (damped * sxy - sx * sy, damped * sxx - sx * sx) if with_bias else (sxy, sxx)
        gain = slope / max(curvature, 1e-12)
        gain = min(max(gain, LEAST_GAIN), MOST_GAIN)
        if with_bias:
            bias = (sy - gain * sx) / damped
        for i in range(count):
            weight[i] = 1.0 / max(abs(y[i] - gain * x[i] - bias), LEAST_RESIDUAL)
    return gain, bias
