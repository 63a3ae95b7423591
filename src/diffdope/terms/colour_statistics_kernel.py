"""Histograms of colours on both sides of a drawn outline, and which side a colour speaks for."""

# mypy: allow-untyped-defs

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR

BINS = 16
"""Of each colour's histogram."""
_SPREAD = 0.7  # standard deviation by which counts are spread over neighbouring bins
_FLOOR = 0.1  # of a histogram's mean, in every bin: colours that were not seen are not impossible
_MOST_RATIO = 2.0  # log of the ratio of two densities is clipped here
_CLEAR = 3  # pixels next to the outline that the statistics leave out


@njit(**SCALAR)
def cell_of(rgb, v, u):
    """The bin of a pixel's colour."""
    r = min(int(rgb[v, u, 0] * BINS), BINS - 1)
    g = min(int(rgb[v, u, 1] * BINS), BINS - 1)
    b = min(int(rgb[v, u, 2] * BINS), BINS - 1)
    return (r * BINS + g) * BINS + b


@njit(**KERNEL)
def count_inside(rgb, coverage, inside):
    """Adds to counts (BINS^3,) of the object's colours, but for the pixels next to its outline."""
    height, width = coverage.shape
    for v in range(_CLEAR, height - _CLEAR):
        for u in range(_CLEAR, width - _CLEAR):
            if (coverage[v, u] > 0.5 and coverage[v - _CLEAR, u] > 0.5 and coverage[v + _CLEAR, u] > 0.5
                    and coverage[v, u - _CLEAR] > 0.5 and coverage[v, u + _CLEAR] > 0.5):  # fmt: skip
                inside[cell_of(rgb, v, u)] += np.float32(1.0)


@njit(**KERNEL)
def count_colours(rgb, coverage, place, normal, points, ring, inside, outside):
    """Adds to counts (BINS^3,) of the object's colours, and of those outside of its outline as far as `ring` pixels.

    Of the places and normals (N, 2), the first `points` count.
    """
    height, width = coverage.shape
    count_inside(rgb, coverage, inside)
    for i in range(points):
        for k in range(_CLEAR + 1, ring):
            u = int(np.floor(place[i, 0] + k * normal[i, 0] + 0.5))
            v = int(np.floor(place[i, 1] + k * normal[i, 1] + 0.5))
            if u < 0 or v < 0 or u >= width or v >= height:
                break
            if coverage[v, u] > 0.5:
                break
            outside[cell_of(rgb, v, u)] += np.float32(1.0)


@njit(**KERNEL)
def _spread_along(counts, out, outer, stride):
    """Counts of `outer` blocks of BINS bins, `stride` numbers apart, spread over the bins beside; the ends go on."""
    w1, w2 = np.float32(np.exp(-0.5 / _SPREAD**2)), np.float32(np.exp(-2.0 / _SPREAD**2))
    share = np.float32(1.0) / (np.float32(1.0) + np.float32(2.0) * (w1 + w2))
    for block in range(outer):
        first = block * BINS * stride
        for k in range(BINS):
            at = first + k * stride
            down, up = first + max(k - 1, 0) * stride, first + min(k + 1, BINS - 1) * stride
            low, high = first + max(k - 2, 0) * stride, first + min(k + 2, BINS - 1) * stride
            for i in range(stride):
                near = counts[down + i] + counts[up + i]
                far = counts[low + i] + counts[high + i]
                out[at + i] = share * (counts[at + i] + w1 * near + w2 * far)


@njit(**KERNEL)
def _density(counts, one, other):
    """Turns counts (BINS^3,) into a density above a floor, spread over neighbouring bins; one, other: to work in."""
    _spread_along(counts, one, BINS * BINS, 1)
    _spread_along(one, other, BINS, BINS)
    _spread_along(other, counts, 1, BINS * BINS)
    total = np.float32(0.0)
    for i in range(len(counts)):
        total += counts[i]
    share = np.float32(1.0) / max(total, np.float32(1e-9))
    floor = np.float32(_FLOOR / BINS**3)
    for i in range(len(counts)):
        counts[i] = counts[i] * share + floor


@njit(**KERNEL)
def log_ratio(inside, outside, ratio, room):
    """Fills ratio: log p(colour | object) / p(colour | surroundings), clipped, from counts, which become densities.

    All are (BINS^3,); room: to work in.
    """
    _density(inside, ratio, room)
    _density(outside, ratio, room)
    for i in range(len(ratio)):
        ratio[i] = np.float32(0.0)
        if inside[i] != outside[i]:  # of most colours, nothing has been seen on either side
            value = np.log(inside[i] / outside[i])
            ratio[i] = min(max(value, np.float32(-_MOST_RATIO)), np.float32(_MOST_RATIO))


@njit(**ENTRY)
def fill_posterior(rgb, coverage, ring, away, inside, outside, share, room, posterior):
    """The probability that a pixel of its colour is the object's, without a prior for either side.

    Colours of the surroundings are those from _CLEAR to `ring` pixels outside of what is drawn, along rows and columns.

    Args:
        rgb: (H, W, 3) in [0, 1].
        coverage: (H, W) of the rendering.
        ring: pixels.
        away: (H, W) int32, room.
        inside: (BINS^3,) zeros, which become a density.
        outside: the same.
        share: (BINS^3,), room.
        room: the same.
        posterior: (H, W); all of it is written.
    """
    height, width = coverage.shape
    farthest = np.int32(height + width)
    for v in range(height):
        for u in range(width):
            d = np.int32(0) if coverage[v, u] > 0.5 else farthest
            if v > 0:
                d = min(d, away[v - 1, u] + np.int32(1))
            if u > 0:
                d = min(d, away[v, u - 1] + np.int32(1))
            away[v, u] = d
    for v in range(height - 1, -1, -1):
        for u in range(width - 1, -1, -1):
            d = away[v, u]
            if v < height - 1:
                d = min(d, away[v + 1, u] + np.int32(1))
            if u < width - 1:
                d = min(d, away[v, u + 1] + np.int32(1))
            away[v, u] = d
            if _CLEAR < d <= ring:
                outside[cell_of(rgb, v, u)] += np.float32(1.0)
    count_inside(rgb, coverage, inside)
    _density(inside, share, room)
    _density(outside, share, room)
    for i in range(len(inside)):
        share[i] = inside[i] / (inside[i] + outside[i])
    for v in range(height):
        for u in range(width):
            posterior[v, u] = share[cell_of(rgb, v, u)]
