"""Normal equations of one modality at one pose, compiled; see `regression.py` and `regression_kernel.py`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.regression_kernel import (
    CHUNK,
    add_scores,
    explain,
    list_weights,
    scale_moments,
    sum_leaning,
    sum_left,
    sum_products,
    sum_pulls,
    sum_tiles,
)
from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, SMALL
from diffdope.solve.linear_algebra import eigen_symmetric

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

NEGLIGIBLE = 1e-4
"""Share of the largest curvature below which a modality says nothing."""
_DOUBTFUL = 0.25**2  # of a colour's Jacobian, if leaning facets change more than a quarter of it, it says nothing
_FEWEST_TILES = 12  # fewer say little, and less than that after the pose was fitted
_LEAST_CORRELATION = 1e-6
_ONE, _NONE = np.float32(1.0), np.float32(0.0)


class SumRoom(NamedTuple):
    """Of one call, overwritten: product (CHUNK,); moments (C, R, R) of rows; mixed (10, CHUNK), of some of them."""

    product: F32
    moments: F64
    mixed: F32

    @classmethod
    def of(cls, channels: int, size: int) -> SumRoom:
        """For C channels of R rows."""
        return cls(np.empty(CHUNK, np.float32), np.empty((channels, size, size)), np.empty((10, CHUNK), np.float32))


class TileRoom(NamedTuple):
    """The same of `correlation_of`: huber, strict (C, N) weights; mix (C, 8, R) of rows; scores (6, N); sums (S, 6) and
    seen (S,), of as many tiles as any side makes; matrix, vectors (6, 6), values, gradient, step, along (6,).
    """

    huber: F32
    strict: F32
    mix: F64
    scores: F32
    sums: F64
    seen: NDArray[np.int64]
    matrix: F64
    vectors: F64
    values: F64
    gradient: F64
    step: F64
    along: F64

    @classmethod
    def of(cls, channels: int, size: int, n: int, tiles: int) -> TileRoom:
        """For C channels of R rows of N pixels, and S tiles."""
        f32 = np.float32
        return cls(
            np.empty((channels, n), f32), np.empty((channels, n), f32), np.empty((channels, 8, size)),
            np.empty((6, n), f32), np.empty((tiles, 6)), np.empty(tiles, np.int64), np.empty((6, 6)), np.empty((6, 6)),
            np.empty(6), np.empty(6), np.empty(6), np.empty(6),
        )  # fmt: skip


@njit(**ENTRY)
def reduce_channels(rows, weight, lights, scale, unit, whole, room, weights, out):
    """Weighs the residuals of all channels, finds what the light explains, and sums what it leaves.

    Args:
        rows: see above.
        weight: (N,) of the pixels.
        lights: see above: those by which residuals are weighed, and then what is found.
        scale: standard deviation of the residuals.
        unit: factor on all sums.
        whole: False to find what the light explains of residuals alone, in a fraction of the time.
        room: see there.
        weights: (C, N), room.
        out: (7, 7) moments of residual and Jacobian less what the light explains, if they are wanted: a result.

    Returns:
        What Huber's loss adds up to.
    """
    k, loss = lights.shape[1], np.float64(0.0)
    end = len(rows[0]) if whole else k + 1
    for c in range(len(rows)):
        loss += list_weights(rows[c], weight, lights[c], scale, False, weights[c])
        sum_products(rows[c], end, weights[c], room.product, room.moments[c])
    scale_moments(room.moments, end, unit)
    explain(room.moments, k, end, lights)
    if not whole:
        return loss
    sum_left(room.moments, k, lights, out)
    if k > 0:
        loss = np.float64(0.0)
        for c in range(len(rows)):
            loss += list_weights(rows[c], weight, lights[c], scale, False, weights[c])
    return loss


@njit(**ENTRY)
def inform(rows, weight, lights, scale, unit, sensitivity, tilt, light, offset, slide, room, weights, out, leaning):
    """What a modality says about the pose, and what leaning facets would.

    Args:
        rows: see above.
        weight: (N,) of the pixels.
        lights: see above; overwritten where they are eliminated.
        scale: standard deviation of the residuals.
        unit: factor on all sums.
        sensitivity: (N,), see `linearised.ResidualBlock`.
        tilt: variance by which facets lean, radians squared.
        light: whether what is shared is light. This is eliminated, and pixels whose Jacobian facets may have made up
            say nothing. Anything else that is shared is left, for the caller propagates it to the pose.
        offset: (3, N) of the surface point from the object's origin, metres.
        slide: (6, N) Jacobian of the depth there.
        room: see there.
        weights: (C, N) strict ones: a result.
        out: (7, 7) moments of residual and Jacobian, less what the light explains if that is wanted: a result.
        leaning: (10, 10) moments of 1, offset and slide, weighed by how steep the Jacobians are: a result.
    """
    k, size = lights.shape[1], len(rows[0])
    for c in range(len(rows)):
        list_weights(rows[c], weight, lights[c], scale, True, weights[c])
        if light:
            for i in range(len(weight)):
                weights[c, i] *= _ONE if tilt * sensitivity[i] < _DOUBTFUL else _NONE
        sum_products(rows[c], size, weights[c], room.product, room.moments[c])
    scale_moments(room.moments, size, unit)
    if light:
        explain(room.moments, k, size, lights)
        sum_left(room.moments, k, lights, out)
    else:
        for a in range(7):
            for b in range(7):
                out[a, b] = 0.0
                for c in range(len(rows)):
                    out[a, b] += room.moments[c, k + a, k + b]
    sum_leaning(rows, weights, sensitivity, offset, slide, room.product, room.mixed, leaning)


@njit(**ENTRY)
def correlation_of(rows, weight, lights, scale, units, pixel, width, tiles, room, tile_room):
    """Variance of the scores over what the normal matrix makes of it: of the tile size for which it is largest.

    The scores are those at the modality's own optimum, one Gauss-Newton step away: how far the pose is from it says
    nothing about correlation.

    Args:
        rows: see above.
        weight: (N,) of the pixels.
        lights: see above.
        scale: standard deviation of the residuals.
        units: (6,) of the pose.
        pixel: (N,) row-major index in the crop.
        width: of the crop.
        tiles: (T,) sides of tiles, pixels.
        room: see there.
        tile_room: see there.
    """
    t, k, last = tile_room, lights.shape[1], np.int64(0)
    for i in range(len(pixel)):
        last = max(last, np.int64(pixel[i]))
    height = last // width + 1
    for c in range(len(rows)):
        list_weights(rows[c], weight, lights[c], scale, False, t.huber[c])
        list_weights(rows[c], weight, lights[c], scale, True, t.strict[c])
        sum_products(rows[c], len(rows[c]), t.strict[c], room.product, room.moments[c])
    set_normal(rows, lights, scale, units, room, t)
    eigen_symmetric(t.matrix, t.values, t.vectors)
    largest, rank = 1e-300, 0
    for d in range(6):
        largest = max(largest, t.values[d])
    for i in range(6):
        t.step[i] = 0.0
    for d in range(6):
        if t.values[d] > NEGLIGIBLE * largest:
            slope, root = 0.0, 1.0 / math.sqrt(t.values[d])
            for i in range(6):
                slope += t.vectors[i, d] * t.gradient[i]
            for i in range(6):
                t.step[i] += t.vectors[i, d] * slope / t.values[d] * units[i]
                t.along[i] = t.vectors[i, d] * root * units[i]
            mix_rows(t.along, lights, k, t.mix, rank)
            rank += 1
    if rank == 0:  # black, or one colour: nothing in it says anything about the pose
        return 1.0
    mix_rows(t.step, lights, k, t.mix, rank + 1)
    for c in range(len(rows)):
        for a in range(k):
            t.mix[c, rank, a] = -lights[c, a, 0] / scale
        for a in range(7):
            t.mix[c, rank, k + a] = 1.0 / scale if a == 0 else 0.0
    scores = t.scores[:rank]
    for r in range(rank):
        for i in range(len(pixel)):
            scores[r, i] = _NONE
    for c in range(len(rows)):
        add_scores(rows[c], t.huber[c], t.strict[c], t.mix[c, : rank + 2], room.mixed, scores)
    most, alone = np.float64(_LEAST_CORRELATION), np.float64(0.0)
    for r in range(rank):
        for i in range(len(pixel)):
            alone += scores[r, i] * scores[r, i]
    most = max(most, alone / rank)
    for m in range(len(tiles)):  # over tiles, less what fitting has taken
        across, down = (width - 1) // tiles[m] + 1, (height - 1) // tiles[m] + 1
        sums = t.sums[: across * down]
        count = sum_tiles(scores, pixel, width, tiles[m], across, sums, t.seen)
        if count >= _FEWEST_TILES:
            total = np.float64(0.0)
            for place in range(across * down):
                for r in range(rank):
                    total += sums[place, r] * sums[place, r]
            most = max(most, total / rank * count / (count - 1))
    return most


@njit(**SMALL)
def set_normal(rows, lights, scale, units, room, t):
    """J^T W J (6, 6) and J^T W r / scale (6,), in `units`, of what the light leaves.

    Args:
        rows: see above.
        lights: see above.
        scale: standard deviation of the residuals.
        units: (6,) of the pose.
        room: has the moments (C, R, R) with strict weights.
        t: has Huber's weights (C, N); its matrix and its gradient are the results.
    """
    k = lights.shape[1]
    for i in range(6):
        t.gradient[i] = 0.0
        for j in range(6):
            t.matrix[i, j] = 0.0
    for c in range(len(rows)):
        m, light, pulls = room.moments[c], lights[c], t.mix[c, 0]
        sum_pulls(rows[c], light, t.huber[c], room.product, pulls)
        for i in range(6):
            left = pulls[k + 1 + i]
            for a in range(k):
                left -= light[a, 1 + i] * pulls[a]
            t.gradient[i] += left * units[i] / scale
            for j in range(6):
                own = m[k + 1 + i, k + 1 + j]
                for a in range(k):
                    own -= light[a, 1 + i] * m[a, k + 1 + j] + light[a, 1 + j] * m[k + 1 + i, a]
                    for b in range(k):
                        own += light[a, 1 + i] * light[b, 1 + j] * m[a, b]
                t.matrix[i, j] += own * units[i] * units[j]


@njit(**SMALL)
def mix_rows(direction, lights, k, mix, number):
    """Row `number` of mix (C, 8, R): by which rows add up to the Jacobian along a direction (6,), less the light."""
    for c in range(len(mix)):
        for a in range(k):
            total = 0.0
            for i in range(6):
                total += direction[i] * lights[c, a, 1 + i]
            mix[c, number, a] = -total
        mix[c, number, k] = 0.0
        for i in range(6):
            mix[c, number, k + 1 + i] = direction[i]
