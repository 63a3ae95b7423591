"""The loops over pixels of `search/box_proposals.py`: how well drawings of an object explain what a box shows.

A box says where the object's visible part ends, and not which of its pixels show the object. So a drawing earns for
pixels that it explains, pays for those that contradict it, and nothing is owed for the rest of the box.
"""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from diffdope.problem.screening_kernel import FRONT
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR

F32 = NDArray[np.float32]
_NONE, _ONE, _HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)
_LEAST_GAIN, _MOST_GAIN = np.float32(0.25), np.float32(4.0)
_NOTHING = np.float32(-1e6)
BINS = 13
"""Of the histogram of differences of depth, each half of `depth_m` wide. A drawing that could move farther than three
`depth_m` would leave the object's distance for that of a larger surface that hides it."""


class BoxSeen(NamedTuple):
    """A crop of H x W pixels.

    depth (H, W) metres, 0 where none was measured; rgb (H, W, 3); box (4,): first and last column and row in it
    (x0, y0, x1, y1); aspect: fy / fx.
    """

    depth: F32
    rgb: F32
    box: F32
    aspect: np.float32


class BoxPenalties(NamedTuple):
    """What a pixel pays, in units of what one earns whose depth is right.

    depth_m: difference of depths from which nothing is earned; color: what a pixel earns whose colour is right, and
    pays where it is wrong; color_range: sum of three channels' differences that is half right; behind: for a surface
    that lies farther than is drawn; in_front: for one that hides what is drawn; outside: for what would show the object
    outside of the box; edge: for a pixel by which its visible part ends before the box, or beyond, after
    the first on each side.
    """

    depth_m: np.float32
    color: np.float32
    color_range: np.float32
    behind: np.float32
    in_front: np.float32
    outside: np.float32
    edge: np.float32


@njit(**KERNEL)
def _moved(seen, depth, scale, x, y, z, pay, bins):
    """The distance at which most of the pixels inside of the box agree: the mode of a histogram (BINS,)."""
    height, width = seen.depth.shape
    rows, columns = depth.shape
    step = _ONE / scale
    half_v, half_u = _HALF * np.float32(rows), _HALF * np.float32(columns)
    bin_m = _HALF * pay.depth_m
    for k in range(BINS):
        bins[k] = _NONE
    for row in range(height):
        v = int(np.floor(half_v + (np.float32(row) - y) * step / seen.aspect))
        if v < 0 or v >= rows or row < seen.box[1] or row > seen.box[3]:
            continue
        for column in range(width):
            u = int(np.floor(half_u + (np.float32(column) - x) * step))
            if u < 0 or u >= columns or column < seen.box[0] or column > seen.box[2]:
                continue
            if depth[v, u] > _NONE and seen.depth[row, column] > _NONE:
                away = (seen.depth[row, column] - (depth[v, u] - FRONT) - z) / bin_m
                k = int(np.floor(away + np.float32(0.5 * BINS)))
                if k >= 0 and k < BINS:
                    bins[k] += _ONE
    best, most = BINS // 2, _NONE
    for k in range(1, BINS - 1):
        three = bins[k - 1] + bins[k] + bins[k + 1]
        if three > most:
            best, most = k, three
    if most <= _NONE:
        return z
    return z + bin_m * (np.float32(best) - np.float32(0.5 * BINS - 0.5) + (bins[best + 1] - bins[best - 1]) / most)


@njit(**KERNEL)
def _gain(seen, depth, rgb, scale, x, y, z, pay):
    """Of the light: observed by drawn grey, of pixels inside of the box whose depth agrees or was not measured."""
    height, width = seen.depth.shape
    rows, columns = depth.shape
    step = _ONE / scale
    half_v, half_u = _HALF * np.float32(rows), _HALF * np.float32(columns)
    observed, drawn = _NONE, _NONE
    for row in range(height):
        v = int(np.floor(half_v + (np.float32(row) - y) * step / seen.aspect))
        if v < 0 or v >= rows or row < seen.box[1] or row > seen.box[3]:
            continue
        for column in range(width):
            u = int(np.floor(half_u + (np.float32(column) - x) * step))
            if u < 0 or u >= columns or column < seen.box[0] or column > seen.box[2] or depth[v, u] <= _NONE:
                continue
            measured = seen.depth[row, column]
            if measured <= _NONE or abs(measured - (depth[v, u] - FRONT + z)) < pay.depth_m:
                for c in range(3):
                    observed += seen.rgb[row, column, c]
                    drawn += rgb[v, u, c]
    return min(max(observed / max(drawn, np.float32(1e-6)), _LEAST_GAIN), _MOST_GAIN)


@njit(**SCALAR)
def _beyond(gap):
    """Pixels by which an end is off, beyond the one that it is known to: little is seen of a pixel at a border."""
    return max(abs(gap) - _ONE, _NONE)


@njit(**KERNEL)
def _score(seen, depth, rgb, scale, x, y, z, gain, pay):
    """What all pixels earn, less what they pay."""
    height, width = seen.depth.shape
    rows, columns = depth.shape
    step = _ONE / scale
    half_v, half_u = _HALF * np.float32(rows), _HALF * np.float32(columns)
    x0, y0, x1, y1 = seen.box[0], seen.box[1], seen.box[2], seen.box[3]
    left, top, right, bottom = np.float32(width), np.float32(height), -_ONE, -_ONE
    total = _NONE
    for row in range(height):
        v = int(np.floor(half_v + (np.float32(row) - y) * step / seen.aspect))
        if v < 0 or v >= rows:
            continue
        for column in range(width):
            u = int(np.floor(half_u + (np.float32(column) - x) * step))
            if u < 0 or u >= columns or depth[v, u] <= _NONE:
                continue
            measured, drawn = seen.depth[row, column], depth[v, u] - FRONT + z
            known = measured > _NONE
            away = abs(measured - drawn) / pay.depth_m
            inside = column >= x0 and column <= x1 and row >= y0 and row <= y1
            if known and away >= _ONE and measured < drawn:  # hidden
                total -= pay.in_front if inside else _NONE
            elif not inside:
                total -= pay.outside
            elif known and away >= _ONE:
                total -= pay.behind
            else:
                total += _ONE - away if known else _NONE
                left, right = min(left, np.float32(column)), max(right, np.float32(column))
                top, bottom = min(top, np.float32(row)), max(bottom, np.float32(row))
                if pay.color > _NONE:
                    off = _NONE
                    for c in range(3):
                        off += abs(seen.rgb[row, column, c] - gain * rgb[v, u, c])
                    total += pay.color * (_ONE - min(off / pay.color_range, np.float32(2.0)))
    if right < left:
        return _NOTHING
    high, wide = y1 - y0 + _ONE, x1 - x0 + _ONE
    sides = _beyond(left - x0) + _beyond(right - x1), _beyond(top - y0) + _beyond(bottom - y1)
    short = sides[0] * high + sides[1] * wide
    return total - pay.edge * short


@njit(**ENTRY)
def screen_box(seen, templates, placements, first, last, follow, pay, bins, score, z):
    """Fills score (J,) and z (J,), metres, of placements first to last (excluded).

    With `follow`, drawings move along the optical axis to where most of their pixels agree; bins (BINS,) is scratch.
    """
    for j in range(first, last):
        number, scale, x, y = placements.template[j], placements.scale[j], placements.x[j], placements.y[j]
        depth, rgb, far = templates.depth[number], templates.rgb[number], placements.z[j]
        if follow > 0:
            far = _moved(seen, depth, scale, x, y, far, pay, bins)
        gain = _gain(seen, depth, rgb, scale, x, y, far, pay) if pay.color > _NONE else _ONE
        score[j] = _score(seen, depth, rgb, scale, x, y, far, gain, pay)
        z[j] = far
