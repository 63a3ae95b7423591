"""Means and variances of colours on both sides of a mask's border, and on which side pixels near it rather are."""

# mypy: allow-untyped-defs

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR

CHANNELS = 7
"""Of the sums of a side: how many pixels, their colours, and the squares of these."""
_NOISE = 0.03  # standard deviation of a colour, that of an even surface: noise of a sensor, and what a mean leaves
_MOST_RATIO = 4.0  # log of the ratio of two densities is clipped here: the tails are no Gaussians'
_FEWEST = 8  # pixels of a side, below which nothing is known of it
_STRAIGHT, _SLANTED = np.float32(1.0), np.float32(4.0 / 3.0)  # a chamfer distance, good to 6 % (Borgefors 1986)
_HALF = np.float32(0.5)


@njit(**KERNEL)
def fill_distance(mask, away):
    """Signed distance (H, W) from the border of a mask, pixels, negative inside; its border is between pixels."""
    height, width = mask.shape
    far = np.float32(height + width)
    for side in range(2):
        for v in range(height):
            for u in range(width):
                inside = mask[v, u] > _HALF
                if inside == (side == 1):
                    away[side, v, u] = np.float32(0.0)
                    continue
                d = far
                if u > 0:
                    d = min(d, away[side, v, u - 1] + _STRAIGHT)
                if v > 0:
                    d = min(d, away[side, v - 1, u] + _STRAIGHT)
                    if u > 0:
                        d = min(d, away[side, v - 1, u - 1] + _SLANTED)
                    if u < width - 1:
                        d = min(d, away[side, v - 1, u + 1] + _SLANTED)
                away[side, v, u] = d
        for v in range(height - 1, -1, -1):
            for u in range(width - 1, -1, -1):
                d = away[side, v, u]
                if u < width - 1:
                    d = min(d, away[side, v, u + 1] + _STRAIGHT)
                if v < height - 1:
                    d = min(d, away[side, v + 1, u] + _STRAIGHT)
                    if u > 0:
                        d = min(d, away[side, v + 1, u - 1] + _SLANTED)
                    if u < width - 1:
                        d = min(d, away[side, v + 1, u + 1] + _SLANTED)
                away[side, v, u] = d
    deepest = np.float32(0.0)
    for v in range(height):
        for u in range(width):
            outside = away[1, v, u] > np.float32(0.0)
            away[0, v, u] = away[1, v, u] - _HALF if outside else _HALF - away[0, v, u]
            deepest = min(deepest, away[0, v, u])
    return deepest


@njit(**KERNEL)
def sum_up(rgb, away, first, last, sums):
    """Fills integral images (H + 1, W + 1, CHANNELS) of the pixels whose distance is between two."""
    height, width = away.shape
    for u in range(width + 1):
        for k in range(CHANNELS):
            sums[0, u, k] = 0.0
    for v in range(height):
        count = 0.0
        r = g = b = rr = gg = bb = 0.0
        for k in range(CHANNELS):
            sums[v + 1, 0, k] = 0.0
        for u in range(width):
            if first < away[v, u] < last:
                x, y, z = np.float64(rgb[v, u, 0]), np.float64(rgb[v, u, 1]), np.float64(rgb[v, u, 2])
                count += 1.0
                r += x
                g += y
                b += z
                rr += x * x
                gg += y * y
                bb += z * z
            above, here = sums[v, u + 1], sums[v + 1, u + 1]
            here[0] = above[0] + count
            here[1] = above[1] + r
            here[2] = above[2] + g
            here[3] = above[3] + b
            here[4] = above[4] + rr
            here[5] = above[5] + gg
            here[6] = above[6] + bb


@njit(**SCALAR)
def sum_around(sums, v, u, reach, k):
    """Of channel k over the square of pixels around one."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    top, bottom = max(v - reach, 0), min(v + reach + 1, height)
    left, right = max(u - reach, 0), min(u + reach + 1, width)
    return sums[bottom, right, k] - sums[top, right, k] - sums[bottom, left, k] + sums[top, left, k]


@njit(**SCALAR)
def log_density(rgb, v, u, sums, reach, count):
    """Log density of a pixel's colour, up to a constant, by the `count` pixels of one side around it."""
    total = 0.0
    for k in range(3):
        mean = sum_around(sums, v, u, reach, k + 1) / count
        square = sum_around(sums, v, u, reach, k + 4) / count
        variance = max(square - mean * mean, 0.0) + _NOISE * _NOISE
        total -= 0.5 * ((rgb[v, u, k] - mean) ** 2 / variance + np.log(variance))
    return total


@njit(**ENTRY)
def move_border(rgb, mask, band, softness, reach, away, inner, outer, moved):
    """Which pixels are the object's, by the mask and, near its border, by their colours.

    Args:
        rgb: (H, W, 3).
        mask: (H, W).
        band: pixels to both sides of the border in which the true one may be.
        softness: pixels, scale of the logistic distribution of where the true border is.
        reach: pixels around one, in rows and columns, whose colours are those of the sides.
        away: (2, H, W) float32, room.
        inner: (H + 1, W + 1, CHANNELS) float64, room.
        outer: the same.
        moved: (H, W) bool; all of it is written.
    """
    height, width = mask.shape
    deepest = fill_distance(mask, away)
    far = np.float32(3.0) * band
    sum_up(rgb, away[0], np.float32(-height - width - 1), max(-band, _HALF * deepest), inner)
    sum_up(rgb, away[0], band, far, outer)
    for v in range(height):
        for u in range(width):
            moved[v, u] = mask[v, u] > _HALF
            d = away[0, v, u]
            if abs(d) > band:
                continue
            inside, outside = sum_around(inner, v, u, reach, 0), sum_around(outer, v, u, reach, 0)
            if inside < _FEWEST or outside < _FEWEST:
                continue
            ratio = log_density(rgb, v, u, inner, reach, inside) - log_density(rgb, v, u, outer, reach, outside)
            moved[v, u] = min(max(ratio, -_MOST_RATIO), _MOST_RATIO) > d / softness
