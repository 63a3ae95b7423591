"""The loops over pixels of `regression.py`.

`rows` (C, K + 7, N) are the channels of a modality: for each pixel the K <= 2 columns of the light, the residual, and
the Jacobian; `lights` (C, K, 7) what each column explains of residual and Jacobian.

Residuals are weighed by Huber's M-estimator. Beside least absolute deviations, whose efficiency under Gaussian noise is
2 / pi, it has 95 % with the bound below, and an outlier still pulls no harder than a residual of that bound. Source:
Huber and Ronchetti, Robust Statistics, 2nd edition, Wiley 2009, sections 4.5 (influence) and 7.6 (covariance).
"""

import numpy as np
from numba import njit

from diffdope.render.kernels.options import ENTRY, KERNEL

BOUND = 1.345
"""In standard deviations: residuals beyond it pull with constant force."""
CHUNK = 256
_BOUND = np.float32(BOUND)
_ONE, _HALF, _NONE = np.float32(1.0), np.float32(0.5), np.float32(0.0)


@njit(**ENTRY)
def sum_channels(rows, weight, lights, scale, strict, count, weights, product, moments):
    """Weighs the residuals of all channels, and sums products of their rows.

    Args:
        rows: see above.
        weight: (N,) of the pixels.
        lights: see above.
        scale: standard deviation of the residuals.
        strict: psi'(u), the slope of Huber's influence, instead of psi(u) / u.
        count: of each channel's rows, how many have products.
        weights: (C, N) of the squares of residuals, those of pixels included: a result.
        product: (CHUNK,), room.
        moments: (C, K + 7, K + 7), weighed products of rows with each other: a result.

    Returns:
        What Huber's loss adds up to.
    """
    total = np.float64(0.0)
    for c in range(len(rows)):
        total += list_weights(rows[c], weight, lights[c], scale, strict, weights[c])
        sum_products(rows[c], count, weights[c], product, moments[c])
    return total


@njit(**ENTRY)
def sum_scores(rows, huber, strict, mix, pixel, width, height, tiles, room, scores, sums, seen, out):
    """Scores (R, N), mixed Jacobians times the influence that is left after a step, and squares of their sums.

    Args:
        rows: see above.
        huber: (C, N) weights.
        strict: (C, N) strict weights.
        mix: (C, R + 2, K + 7) of the rows: the R results, the residual, and how the step changes it.
        pixel: (N,) row-major index in the crop.
        width: of the crop.
        height: up to the last row that has pixels.
        tiles: (T,) sides of tiles.
        room: (R + 2, CHUNK).
        scores: (R, N), a result.
        sums: (S, R), room for the sums over tiles of any of these sides.
        seen: (S,), room.
        out: (T, 2): for the tiles of each side, squares of sums of scores, and how many tiles have pixels.
    """
    for r in range(len(scores)):
        for i in range(len(pixel)):
            scores[r, i] = _NONE
    for c in range(len(rows)):
        add_scores(rows[c], huber[c], strict[c], mix[c], room, scores)
    for k in range(len(tiles)):
        across, down = (width - 1) // tiles[k] + 1, (height - 1) // tiles[k] + 1
        out[k, 1] = sum_tiles(scores, pixel, width, tiles[k], across, sums[: across * down], seen)
        total = np.float64(0.0)
        for place in range(across * down):
            for r in range(len(scores)):
                total += sums[place, r] * sums[place, r]
        out[k, 0] = total


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
