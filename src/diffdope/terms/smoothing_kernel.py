"""The photograph as contours see it: slightly blurred, between its pixels, and how much contrast is usual around."""

# mypy: allow-untyped-defs

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR

BLOCK = 4
"""Pixels on whose means the usual contrast is kept: it changes slowly."""


@njit(**SCALAR)
def clamped(i, size):
    """The number of a row or column, or that of the nearest one that there is."""
    return min(max(i, 0), size - 1)


@njit(**KERNEL)
def _blur_down(source, out, weights):
    """A symmetric filter (2 n + 1,) along the columns of (H, W); borders go on as they are."""
    height, width = source.shape
    n = len(weights) // 2
    for v in range(height):
        for u in range(width):
            out[v, u] = np.float32(0.0)
        for k in range(-n, n + 1):
            row, weight = clamped(v + k, height), weights[k + n]
            for u in range(width):
                out[v, u] += weight * source[row, u]


@njit(**KERNEL)
def _blur_across(source, out, weights, channels):
    """The same along rows (W * channels,)."""
    height, length = source.shape
    n, columns = len(weights) // 2, length // channels
    first, last = min(n * channels, length), max(length - n * channels, min(n * channels, length))
    for v in range(height):
        for i in range(length):
            out[v, i] = np.float32(0.0)
        for k in range(-n, n + 1):
            weight, shift = weights[k + n], k * channels
            for i in range(first, last):
                out[v, i] += weight * source[v, i + shift]
            for i in range(first):
                out[v, i] += weight * source[v, clamped(i // channels + k, columns) * channels + i % channels]
            for i in range(last, length):
                out[v, i] += weight * source[v, clamped(i // channels + k, columns) * channels + i % channels]


@njit(**ENTRY)
def smooth_photograph(rgb, smooth, narrow, usual, wide, flat, scratch, strength):
    """Fills smooth (H, W * 3), the photograph blurred, and usual (h, w): the usual contrast around, plus `flat`.

    rgb, scratch: (H, W * 3); narrow, wide: weights of the two filters; usual and strength (h, w): of blocks of
    BLOCK x BLOCK pixels, those at the end smaller.
    """
    height, length = rgb.shape
    width = length // 3
    _blur_down(rgb, scratch, narrow)
    _blur_across(scratch, smooth, narrow, 3)
    for v in range(strength.shape[0]):
        for u in range(strength.shape[1]):
            strength[v, u] = np.float32(0.0)
    for v in range(height):
        up, down = max(v - 1, 0), min(v + 1, height - 1)
        for u in range(width):
            left, right = max(u - 1, 0), min(u + 1, width - 1)
            total = np.float32(0.0)
            for c in range(3):
                across = (smooth[v, right * 3 + c] - smooth[v, left * 3 + c]) / np.float32(max(right - left, 1))
                along = (smooth[down, u * 3 + c] - smooth[up, u * 3 + c]) / np.float32(max(down - up, 1))
                total += across * across + along * along
            strength[v // BLOCK, u // BLOCK] += np.sqrt(total)
    for v in range(strength.shape[0]):
        rows = min(BLOCK, height - v * BLOCK)
        for u in range(strength.shape[1]):
            strength[v, u] /= np.float32(rows * min(BLOCK, width - u * BLOCK))
    _blur_down(strength, usual, wide)
    _blur_across(usual, strength, wide, 1)
    for v in range(strength.shape[0]):
        for u in range(strength.shape[1]):
            usual[v, u] = strength[v, u] + flat


@njit(**SCALAR)
def sampled_at(image, v, u, c):
    """Channel c of (H, W, C) between its pixels; beyond the border it goes on as it is."""
    height, width = image.shape[0], image.shape[1]
    v, u = min(max(v, 0.0), height - 1.0), min(max(u, 0.0), width - 1.0)
    row, column = min(int(v), max(height - 2, 0)), min(int(u), max(width - 2, 0))
    below, right = min(row + 1, height - 1), min(column + 1, width - 1)
    b, a = v - row, u - column
    upper = (1.0 - a) * image[row, column, c] + a * image[row, right, c]
    lower = (1.0 - a) * image[below, column, c] + a * image[below, right, c]
    return (1.0 - b) * upper + b * lower


@njit(**SCALAR)
def usual_at(usual, v, u):
    """The usual contrast at a pixel, between the middles of its blocks."""
    half = 0.5 * (BLOCK - 1)
    return sampled_at(usual, (v - half) / BLOCK, (u - half) / BLOCK, 0)
