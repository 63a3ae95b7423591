"""The loops over pixels of `equations_kernel.py`.

`rows` (C, K + 7, N) are the channels of a modality: for each pixel the K <= 2 columns of the light, the residual, and
the Jacobian; `lights` (C, K, 7) what each column explains of residual and Jacobian.

Residuals are weighed by Huber's M-estimator. Beside least absolute deviations, whose efficiency under Gaussian noise is
2 / pi, it has 95 % with the bound below, and an outlier still pulls no harder than a residual of that bound. Source:
Huber and Ronchetti, Robust Statistics, 2nd edition, Wiley 2009, sections 4.5 (influence) and 7.6 (covariance).
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import KERNEL, SMALL

BOUND = 1.345
"""In standard deviations: residuals beyond it pull with constant force."""
CHUNK = 256
_ALIKE = 1e-9  # share of a determinant that is rounding
WEAK = 1.0
"""Prior precision of the light's gain and offset, as good as none, and of an error in its deviations."""
_BOUND = np.float32(BOUND)
_ONE, _HALF, _NONE = np.float32(1.0), np.float32(0.5), np.float32(0.0)


@njit(**SMALL)
def scale_moments(moments, end, unit):
    """Moments (C, R, R) of the first rows times a factor."""
    for c in range(len(moments)):
        for a in range(end):
            for b in range(end):
                moments[c, a, b] *= unit


@njit(**SMALL)
def explain(moments, k, end, lights):
    """What the light explains of rows K to `end`, from moments (C, R, R) of rows, to (C, K, 7)."""
    for c in range(len(moments)):
        m = moments[c]
        if k == 1:
            for j in range(k, end):
                lights[c, 0, j - k] = m[0, j] / (m[0, 0] + WEAK)
        elif k == 2:
            first, mixed, second = m[0, 0] + WEAK, m[0, 1], m[1, 1] + WEAK
            # Colours that do not vary cannot tell gain from bias: the determinant is rounding, and any split will do.
            determinant = max(first * second - mixed * mixed, _ALIKE * first * second)
            for j in range(k, end):
                lights[c, 0, j - k] = (second * m[0, j] - mixed * m[1, j]) / determinant
                lights[c, 1, j - k] = (first * m[1, j] - mixed * m[0, j]) / determinant


@njit(**SMALL)
def sum_left(moments, k, lights, out):
    """Moments (7, 7) of residual and Jacobian less what the light explains, of all channels together."""
    for a in range(7):
        for b in range(a, 7):
            total = 0.0
            for c in range(len(moments)):
                own, other = moments[c, k + a, k + b], moments[c, k + b, k + a]
                for j in range(k):
                    own -= moments[c, k + a, j] * lights[c, j, b]
                    other -= moments[c, k + b, j] * lights[c, j, a]
                total += 0.5 * (own + other)
            out[a, b], out[b, a] = total, total


@njit(**KERNEL)
def sum_leaning(rows, weights, sensitivity, offset, slide, product, mixed, out):
    """Moments (10, 10) of 1, offset (3, N) and slide (6, N).

    Their weights are those of residuals (C, N), times squares of Jacobians along x, y and z, times sensitivities (N,).
    `product` (CHUNK,) and `mixed` (10, CHUNK) are room.
    """
    jacobian = len(rows[0]) - 6
    for a in range(10):
        for b in range(10):
            out[a, b] = 0.0
    for first in range(0, len(sensitivity), CHUNK):
        less = sensitivity[first : first + CHUNK]
        steep, weighed = mixed[0, : len(less)], product[: len(less)]
        for i in range(len(less)):
            steep[i] = _NONE
        for c in range(len(rows)):
            own = weights[c, first : first + CHUNK]
            for j in range(jacobian, jacobian + 3):
                row = rows[c, j, first : first + CHUNK]
                for i in range(len(less)):
                    steep[i] += own[i] * row[i] * row[i]
        for i in range(len(less)):
            steep[i] *= less[i]
        for j in range(3):
            row, moved = offset[j, first : first + CHUNK], mixed[1 + j, : len(less)]
            for i in range(len(less)):
                moved[i] = row[i]
        for j in range(6):
            row, moved = slide[j, first : first + CHUNK], mixed[4 + j, : len(less)]
            for i in range(len(less)):
                moved[i] = row[i]
        # The first row is the weights themselves, for what they weigh there is 1.
        for b in range(10):
            row, total = mixed[b, : len(less)], _NONE
            for i in range(len(less)):
                total += row[i] if b == 0 else steep[i] * row[i]
            out[0, b] += total
        for a in range(1, 10):
            row = mixed[a, : len(less)]
            for i in range(len(less)):
                weighed[i] = steep[i] * row[i]
            for b in range(a, 10):
                row, total = mixed[b, : len(less)], _NONE
                for i in range(len(less)):
                    total += weighed[i] * row[i]
                out[a, b] += total
    for a in range(10):
        for b in range(a):
            out[a, b] = out[b, a]


@njit(**KERNEL)
def sum_pulls(rows, light, weight, product, out):
    """Sums (R,) of rows times weights (N,) times the residuals of one channel less what the light explains.

    `product` (CHUNK,) is room.
    """
    k = len(light)
    for a in range(len(rows)):
        out[a] = 0.0
    for first in range(0, len(weight), CHUNK):
        own, row = weight[first : first + CHUNK], rows[k, first : first + CHUNK]
        pull = product[: len(own)]
        for i in range(len(own)):
            pull[i] = row[i]
        for a in range(k):
            share, row = np.float32(light[a, 0]), rows[a, first : first + CHUNK]
            for i in range(len(own)):
                pull[i] -= share * row[i]
        for i in range(len(own)):
            pull[i] *= own[i]
        for a in range(len(rows)):
            row, total = rows[a, first : first + CHUNK], _NONE
            for i in range(len(own)):
                total += pull[i] * row[i]
            out[a] += total


@njit(**KERNEL)
def list_weights(rows, weight, light, scale, strict, out):
    """Weights (N,) of the squares of residuals, those of pixels (N,) included; returns what Huber's loss adds up to.

    Args:
        rows: (K + 7, N) of one channel.
        weight: (N,) of the pixels.
        light: (K, 7), what each of its columns explains of residuals and Jacobians.
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
            share, row = np.float32(light[m, 0]), rows[m, first : first + CHUNK]
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


@njit(**KERNEL)
def sum_products(rows, count, weight, product, out):
    """Weighed products of the first rows (R, N) with each other (R, R), in chunks that stay in the cache.

    Sums are float32 within a chunk and float64 across chunks. `product` (CHUNK,) is room.
    """
    for a in range(count):
        for b in range(count):
            out[a, b] = 0.0
    for first in range(0, len(weight), CHUNK):
        own = weight[first : first + CHUNK]
        for a in range(count):
            row = rows[a, first : first + CHUNK]
            for i in range(len(own)):
                product[i] = own[i] * row[i]
            for b in range(a, count):
                row, total = rows[b, first : first + CHUNK], _NONE
                for i in range(len(row)):
                    total += product[i] * row[i]
                out[a, b] += total
    for a in range(count):
        for b in range(a):
            out[a, b] = out[b, a]


@njit(**KERNEL)
def add_scores(rows, huber, strict, mix, room, out):
    """Adds one channel's scores (R, N): mixed Jacobian times the influence that is left after a step.

    Args:
        rows: (K + 7, N) of the channel.
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


@njit(**KERNEL)
def sum_tiles(scores, pixel, width, tile, across, sums, seen):
    """Sums (S, R) of scores (R, N) over tiles of a side, counted row by row; marks tiles that have pixels (S,).

    Args:
        scores: (R, N).
        pixel: (N,) row-major index in the crop.
        width: of the crop.
        tile: side of the tiles.
        across: how many tiles are in a row.
        sums: the result.
        seen: the marks.

    Returns:
        How many have.
    """
    for number in range(len(sums)):
        seen[number] = 0
        for r in range(len(scores)):
            sums[number, r] = 0.0
    # In place of divisions, which take longest: a half more is nowhere near a whole number.
    count, a_row, a_tile = 0, 1.0 / width, 1.0 / tile
    for i in range(len(pixel)):
        y = int((pixel[i] + 0.5) * a_row)
        number = int((y + 0.5) * a_tile) * across + int((pixel[i] - y * width + 0.5) * a_tile)
        count += 1 - seen[number]
        seen[number] = 1
        for r in range(len(scores)):
            sums[number, r] += scores[r, i]
    return count
