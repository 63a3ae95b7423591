"""The loops of `terms/contour.py`: along the normals of a drawn outline, over few pixels of a small photograph."""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

BINS = 16
"""Of each colour's histogram."""
STEP = 0.5
"""Pixels between samples along a normal."""
BLOCK = 4
"""Pixels on whose means the usual contrast is kept: it changes slowly."""
_SPREAD = 0.7  # standard deviation by which counts are spread over neighbouring bins
_FLOOR = 0.1  # of a histogram's mean, in every bin: colours that were not seen are not impossible
_MOST_RATIO = 2.0  # log of the ratio of two densities is clipped here
_CLEAR = 3  # pixels next to the outline that the statistics leave out


class Strengths(NamedTuple):
    """How samples along a normal are weighed; see `ContourSettings` and the constants of `terms/contour.py`."""

    reach_px: float
    contrast: float
    colours: float
    painted: float
    tolerance_px: float
    strong: float
    blind: float
    far: float
    left: float


class LineScratch(NamedTuple):
    """What one normal needs: colours and paint (S, 3), contrast, painted and log_likely (S,), and row (6,)."""

    colours: F64
    paint: F64
    contrast: F64
    painted: F64
    log_likely: F64
    row: F64

    @classmethod
    def of(cls, samples: int) -> "LineScratch":
        """For so many samples along a normal."""
        colours, paint = np.empty((samples, 3)), np.empty((samples, 3))
        return cls(colours, paint, np.empty(samples), np.empty(samples), np.empty(samples), np.empty(6))


@njit(**SCALAR)
def _clamped(i, size):
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
            row, weight = _clamped(v + k, height), weights[k + n]
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
                out[v, i] += weight * source[v, _clamped(i // channels + k, columns) * channels + i % channels]
            for i in range(last, length):
                out[v, i] += weight * source[v, _clamped(i // channels + k, columns) * channels + i % channels]


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


@njit(**ENTRY)
def find_outline(coverage, depth, gauss, variance, fx, fy, cx, cy, place, normal, point, count):
    """Points of a rendered outline, sub-pixel: place and outward normal (N, 2), camera-frame point (N, 3), count (1,).

    They are covered pixels next to one that is not, away from the picture's own border, moved along the slope of the
    smoothed coverage to where that is a half. gauss (2 n + 1,): weights of the smoothing, of that variance.
    """
    height, width = coverage.shape
    n = len(gauss) // 2
    found = 0
    for v in range(1, height - 1):
        for u in range(1, width - 1):
            if coverage[v, u] <= 0.5 or depth[v, u] <= 0.0:
                continue
            if (coverage[v - 1, u] > 0.5 and coverage[v + 1, u] > 0.5 and coverage[v, u - 1] > 0.5
                    and coverage[v, u + 1] > 0.5):  # fmt: skip
                continue
            level, across, down = 0.0, 0.0, 0.0
            for j in range(-n, n + 1):
                for i in range(-n, n + 1):
                    weight = gauss[j + n] * gauss[i + n]
                    value = coverage[_clamped(v + j, height), _clamped(u + i, width)] * weight
                    level += value
                    across += value * i
                    down += value * j
            # The derivative of a Gaussian is itself times the offset over the variance.
            across, down = across / variance, down / variance
            length = max(np.sqrt(across * across + down * down), 1e-6)
            normal[found, 0], normal[found, 1] = -across / length, -down / length
            off = min(max((level - 0.5) / length, -1.5), 1.5)
            place[found, 0], place[found, 1] = u + off * normal[found, 0], v + off * normal[found, 1]
            z = depth[v, u]
            point[found, 0] = (place[found, 0] - cx) / fx * z
            point[found, 1] = (place[found, 1] - cy) / fy * z
            point[found, 2] = z
            found += 1
    count[0] = found


@njit(**SCALAR)
def _cell(rgb, v, u):
    """The bin of a pixel's colour."""
    r = min(int(rgb[v, u, 0] * BINS), BINS - 1)
    g = min(int(rgb[v, u, 1] * BINS), BINS - 1)
    b = min(int(rgb[v, u, 2] * BINS), BINS - 1)
    return (r * BINS + g) * BINS + b


@njit(**ENTRY)
def count_colours(rgb, coverage, place, normal, ring, inside, outside):
    """Adds to counts (BINS^3,) of the object's colours, and of those outside of its outline as far as `ring` pixels."""
    height, width = coverage.shape
    for v in range(_CLEAR, height - _CLEAR):
        for u in range(_CLEAR, width - _CLEAR):
            if (coverage[v, u] > 0.5 and coverage[v - _CLEAR, u] > 0.5 and coverage[v + _CLEAR, u] > 0.5
                    and coverage[v, u - _CLEAR] > 0.5 and coverage[v, u + _CLEAR] > 0.5):  # fmt: skip
                inside[_cell(rgb, v, u)] += np.float32(1.0)
    for i in range(len(place)):
        for k in range(_CLEAR + 1, ring):
            u = int(np.floor(place[i, 0] + k * normal[i, 0] + 0.5))
            v = int(np.floor(place[i, 1] + k * normal[i, 1] + 0.5))
            if u < 0 or v < 0 or u >= width or v >= height:
                break
            if coverage[v, u] > 0.5:
                break
            outside[_cell(rgb, v, u)] += np.float32(1.0)


@njit(**KERNEL)
def _spread(counts, scratch):
    """Counts (BINS^3,) spread over neighbouring bins, as a density above a floor."""
    w0 = np.float32(1.0)
    w1 = np.float32(np.exp(-0.5 / _SPREAD**2))
    w2 = np.float32(np.exp(-2.0 / _SPREAD**2))
    norm = w0 + np.float32(2.0) * (w1 + w2)
    stride = 1
    for _ in range(3):
        for i in range(len(counts)):
            position = (i // stride) % BINS
            total = w0 * counts[i]
            for k in range(1, 3):
                w = w1 if k == 1 else w2
                low, high = max(position - k, 0), min(position + k, BINS - 1)
                total += w * (counts[i + (low - position) * stride] + counts[i + (high - position) * stride])
            scratch[i] = total / norm
        for i in range(len(counts)):
            counts[i] = scratch[i]
        stride *= BINS
    total = np.float32(0.0)
    for i in range(len(counts)):
        total += counts[i]
    total = max(total, np.float32(1e-9))
    floor = np.float32(_FLOOR / len(counts))
    for i in range(len(counts)):
        counts[i] = counts[i] / total + floor


@njit(**ENTRY)
def log_ratio(inside, outside, ratio):
    """Turns two histograms (BINS^3,) into log p(colour | object) / p(colour | surroundings), clipped."""
    _spread(inside, ratio)
    _spread(outside, ratio)
    for i in range(len(ratio)):
        value = np.log(inside[i] / outside[i])
        ratio[i] = min(max(value, np.float32(-_MOST_RATIO)), np.float32(_MOST_RATIO))


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
def _usual_at(usual, v, u):
    """The usual contrast at a pixel, between the middles of its blocks."""
    half = 0.5 * (BLOCK - 1)
    return sampled_at(usual, (v - half) / BLOCK, (u - half) / BLOCK, 0)


@njit(**KERNEL)
def _change(colours, usual, x, y, nx, ny, count, out):
    """Fills out (S,): how fast colours (S, 3) along a normal change, in units of the usual contrast there."""
    half = count // 2
    for s in range(count):
        low, high = max(s - 1, 0), min(s + 1, count - 1)
        total = 0.0
        for c in range(3):
            slope = (colours[high, c] - colours[low, c]) / ((high - low) * STEP)
            total += slope * slope
        off = (s - half) * STEP
        out[s] = np.sqrt(total) / _usual_at(usual, y + off * ny, x + off * nx)


@njit(**KERNEL)
def _profile(smooth, usual, x, y, nx, ny, count, colours, contrast):
    """Contrast (S,) across the outline at each sample along a normal, in units of the usual one; colours: (S, 3)."""
    half = count // 2
    for s in range(count):
        off = (s - half) * STEP
        for c in range(3):
            colours[s, c] = sampled_at(smooth, y + off * ny, x + off * nx, c)
    _change(colours, usual, x, y, nx, ny, count, contrast)


@njit(**KERNEL)
def _take_off_paint(rgb, coverage, usual, x, y, nx, ny, count, pay, colours, painted, contrast):
    """Lowers contrast (S,) where the model itself, drawn as rgb (H, W, 3) times coverage, has an edge."""
    height, width = coverage.shape
    half = count // 2
    last = (0.0, 0.0, 0.0)
    for s in range(count):  # from within outwards: beyond the outline, its last colour goes on
        off = (s - half) * STEP
        u = _clamped(int(np.floor(x + off * nx + 0.5)), width)
        v = _clamped(int(np.floor(y + off * ny + 0.5)), height)
        share = coverage[v, u]
        if share > 0.5:
            last = (rgb[v, u, 0] / share, rgb[v, u, 1] / share, rgb[v, u, 2] / share)
        colours[s, 0], colours[s, 1], colours[s, 2] = last
    _change(colours, usual, x, y, nx, ny, count, painted)
    for s in range(count):
        most = painted[s]
        if s > 0:
            most = max(most, painted[s - 1])
        if s + 1 < count:
            most = max(most, painted[s + 1])
        contrast[s] = max(contrast[s] - pay.painted * most, pay.left * contrast[s])


@njit(**KERNEL)
def _parted(rgb, ratio, x, y, nx, ny, count, weight, log_likely):
    """Adds to log_likely (S,) how well an outline at each sample parts colours of the object from others."""
    height, width = rgb.shape[0], rgb.shape[1]
    half = count // 2
    total = 0.0
    for s in range(count):
        off = (s - half) * STEP
        u = _clamped(int(np.floor(x + off * nx + 0.5)), width)
        v = _clamped(int(np.floor(y + off * ny + 0.5)), height)
        total += ratio[_cell(rgb, v, u)]
        log_likely[s] += weight * total
    for s in range(count):
        log_likely[s] -= 0.5 * weight * total


@njit(**ENTRY)
def sum_contour(
    smooth, usual, raw, ratio, drawn, coverage, place, normal, point, fx, fy, centre, pay, scratch, slope, curvature,
    sums,
):  # fmt: skip
    """Normal equations of all points: slope (6,), curvature (6, 6), sums (1,) of weighted squared offsets.

    smooth, usual: of `smooth_photograph`; raw (H, W, 3): the photograph; ratio: of `log_ratio`; drawn (H, W, 3),
    coverage (H, W): of the rendering, drawn of height 0 if colours are not compared; place, normal, point: of
    `find_outline`; centre (3,): about which rotations turn.
    """
    count = len(scratch.contrast)
    half = count // 2
    colours, contrast, log_likely, row = scratch.colours, scratch.contrast, scratch.log_likely, scratch.row
    for i in range(len(place)):
        x, y, nx, ny = place[i, 0], place[i, 1], normal[i, 0], normal[i, 1]
        _profile(smooth, usual, x, y, nx, ny, count, colours, contrast)
        if pay.painted > 0.0 and drawn.shape[0] > 0:
            _take_off_paint(
                drawn, coverage, usual, x, y, nx, ny, count, pay, scratch.paint, scratch.painted, contrast
            )  # fmt: skip
        most, top = 0.0, -1e30
        for s in range(count):
            off = (s - half) * STEP
            most = max(most, contrast[s])
            log_likely[s] = pay.contrast * np.log(max(contrast[s], 1e-9)) - 0.5 * (off / (pay.far * pay.reach_px)) ** 2
        if pay.colours > 0.0:
            _parted(raw, ratio, x, y, nx, ny, count, pay.colours, log_likely)
        for s in range(count):
            top = max(top, log_likely[s])
        total, first, second = 0.0, 0.0, 0.0
        for s in range(count):
            off = (s - half) * STEP
            likely = np.exp(log_likely[s] - top)
            total += likely
            first += likely * off
            second += likely * off * off
        mean = first / total
        variance = second / total - mean * mean
        weight = min(most / pay.strong, 1.0) / (variance + pay.blind) / (1.0 + (mean / pay.tolerance_px) ** 2)
        px, py, pz = point[i, 0], point[i, 1], point[i, 2]
        a, b = fx * nx / pz, fy * ny / pz
        c = -(a * px + b * py) / pz
        dx, dy, dz = px - centre[0], py - centre[1], pz - centre[2]
        row[0], row[1], row[2] = a, b, c
        row[3], row[4], row[5] = dy * c - dz * b, dz * a - dx * c, dx * b - dy * a
        sums[0] += weight * mean * mean
        for j in range(6):
            slope[j] -= weight * mean * row[j]
            for k in range(6):
                curvature[j, k] += weight * row[j] * row[k]


@njit(**ENTRY)
def sum_support(smooth, usual, place, normal, strong, scratch, sums):
    """Adds to sums (1,) for every point how much of an edge it lies on: 1 for one of `strong` contrast or more."""
    count, contrast = len(scratch.contrast), scratch.contrast
    for i in range(len(place)):
        _profile(
            smooth, usual, place[i, 0], place[i, 1], normal[i, 0], normal[i, 1], count, scratch.colours, contrast
        )  # fmt: skip
        most = 0.0
        for s in range(2, count - 2):
            most = max(most, contrast[s])
        sums[0] += min(most / strong, 1.0)
