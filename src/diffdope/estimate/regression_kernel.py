"""The loops over pixels of `regression.py`.

`rows` (K + 7, N) are one channel: for each pixel the K <= 2 columns of the light, the residual, and the Jacobian.

Residuals are weighed by Huber's M-estimator. Beside least absolute deviations, whose efficiency under Gaussian noise is
2 / pi, it has 95 % with the bound below, and an outlier still pulls no harder than a residual of that bound. Source:
Huber and Ronchetti, Robust Statistics, 2nd edition, Wiley 2009, sections 4.5 (influence) and 7.6 (covariance).
"""

import numpy as np
from numba import njit

from diffdope.render.kernels.options import ENTRY

BOUND = 1.345
"""In standard deviations: residuals beyond it pull with constant force."""
CHUNK = 256
_BOUND = np.float32(BOUND)
_ONE, _HALF, _NONE = np.float32(1.0), np.float32(0.5), np.float32(0.0)


@njit(**ENTRY)
def list_weights(rows, weight, light, scale, strict, out):
    """Weights (N,) of the squares of residuals, those of pixels (N,) included; returns what Huber's loss adds up to.

    Args:
        rows: see above.
        weight: (N,) of the pixels.
        light: (K,), what each of its columns explains of the residuals.
        scale: standard deviation of the residuals.
        strict: psi'(u), the slope of Huber's influence, instead of psi(u) / u.
        out: the result.
    """
    factor, k, total = np.float32(1.0 / scale), len(light), np.float64(0.0)
    for first in range(0, len(out), CHUNK):
        u, own, row = out[first : first + CHUNK], weight[first : first + CHUNK], rows[k, first : first + CHUNK]
        for i in range(len(u)):
            u[i] = row[i]
        for m in range(k):
            share, row = np.float32(light[m]), rows[m, first : first + CHUNK]
            for i in range(len(u)):
                u[i] -= share * row[i]
        part = np.float32(0.0)
        for i in range(len(u)):
            size = abs(u[i] * factor)
            inside = min(size, _BOUND)
            part += own[i] * inside * (size - _HALF * inside)
            psi = (_ONE if size < _BOUND else _NONE) if strict else _BOUND / max(size, _BOUND)
            u[i] = own[i] * psi
        total += part
    return total


@njit(**ENTRY)
def sum_products(rows, weight, product, out):
    """Weighed products of all rows (R, N) with each other (R, R), in chunks that stay in the cache.

    Sums are float32 within a chunk and float64 across chunks. `product` (CHUNK,) is room.
    """
    out[:] = 0.0
    for first in range(0, len(weight), CHUNK):
        own = weight[first : first + CHUNK]
        for a in range(len(rows)):
            row = rows[a, first : first + CHUNK]
            for i in range(len(own)):
                product[i] = own[i] * row[i]
            for b in range(a, len(rows)):
                row, total = rows[b, first : first + CHUNK], _NONE
                for i in range(len(row)):
                    total += product[i] * row[i]
                out[a, b] += total
    for a in range(len(rows)):
        for b in range(a):
            out[a, b] = out[b, a]


@njit(**ENTRY)
def add_scores(rows, huber, strict, mix, room, out):
    """Adds one channel's scores (R, N): mixed Jacobian times the influence that is left after a step.

    Args:
        rows: see above.
        huber: (N,) weights.
        strict: (N,) strict weights.
        mix: (R + 2, K + 7) of the rows: the R results, the residual, and how the step changes it.
        room: (R + 2, CHUNK).
        out: the result.
    """
    for first in range(0, len(huber), CHUNK):
        one, other = huber[first : first + CHUNK], strict[first : first + CHUNK]
        for r in range(len(mix)):
            mixed = room[r, : len(one)]
            for i in range(len(one)):
                mixed[i] = _NONE
            for a in range(len(rows)):
                share, row = np.float32(mix[r, a]), rows[a, first : first + CHUNK]
                for i in range(len(one)):
                    mixed[i] += share * row[i]
        residual, change = room[len(mix) - 2, : len(one)], room[len(mix) - 1, : len(one)]
        for i in range(len(one)):
            residual[i] = one[i] * residual[i] - other[i] * change[i]
        for r in range(len(out)):
            mixed, score = room[r, : len(one)], out[r, first : first + CHUNK]
            for i in range(len(one)):
                score[i] += mixed[i] * residual[i]


@njit(**ENTRY)
def sum_tiles(scores, pixel, width, tile, sums, seen):
    """Sums (T, R) of scores (R, N) over tiles of a side, counted row by row; marks tiles that have pixels (T,).

    Returns:
        How many have.
    """
    sums[:] = 0.0
    seen[:] = 0
    across, count = (width - 1) // tile + 1, 0
    for i in range(len(pixel)):
        y = pixel[i] // width
        number = y // tile * across + (pixel[i] - y * width) // tile
        count += 1 - seen[number]
        seen[number] = 1
        for r in range(len(scores)):
            sums[number, r] += scores[r, i]
    return count
