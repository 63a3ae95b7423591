"""The loops of `terms/contour.py`: along the normals of a drawn outline, over few pixels of a small photograph."""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL
from diffdope.terms.colour_statistics_kernel import BINS, cell_of, count_colours, log_ratio
from diffdope.terms.outline_kernel import LEAST_POINTS, keep_shown, trace_outline
from diffdope.terms.smoothing_kernel import clamped, sampled_at, usual_at

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

STEP = 0.5
"""Pixels between samples along a normal."""


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


class OutlinePoints(NamedTuple):
    """Room for points of an outline: place and outward normal (N, 2) in pixels, camera-frame point (N, 3) [m]."""

    place: F64
    normal: F64
    point: F64

    @classmethod
    def of(cls, points: int) -> "OutlinePoints":
        """For so many."""
        return cls(np.empty((points, 2)), np.empty((points, 2)), np.empty((points, 3)))


class Statistics(NamedTuple):
    """Histograms of colours (BINS^3,) within and outside of an outline, their log ratio, and room to work in."""

    inside: F32
    outside: F32
    ratio: F32
    room: F32

    @classmethod
    def empty(cls) -> "Statistics":
        """Nothing counted."""
        return cls(*(np.zeros(BINS**3, np.float32) for _ in range(4)))


class Normal(NamedTuple):
    """Normal equations of a pose: slope (6,), curvature (6, 6), and sums (1,) of weighted squared residuals."""

    slope: F64
    curvature: F64
    sums: F64

    @classmethod
    def zero(cls) -> "Normal":
        """Nothing added."""
        return cls(np.zeros(6), np.zeros((6, 6)), np.zeros(1))


class OutlineView(NamedTuple):
    """A pinhole, and how the coverage is smoothed for normals: weights (2 n + 1,) of a filter of that variance."""

    fx: float
    fy: float
    cx: float
    cy: float
    gauss: F64
    variance: float


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
        out[s] = np.sqrt(total) / usual_at(usual, y + off * ny, x + off * nx)


@njit(**KERNEL)
def profile(smooth, usual, x, y, nx, ny, count, colours, contrast):
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
        u = clamped(int(np.floor(x + off * nx + 0.5)), width)
        v = clamped(int(np.floor(y + off * ny + 0.5)), height)
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
        u = clamped(int(np.floor(x + off * nx + 0.5)), width)
        v = clamped(int(np.floor(y + off * ny + 0.5)), height)
        total += ratio[cell_of(rgb, v, u)]
        log_likely[s] += weight * total
    for s in range(count):
        log_likely[s] -= 0.5 * weight * total


@njit(**KERNEL)
def add_lines(
    smooth, usual, raw, ratio, drawn, coverage, outline, points, fx, fy, centre, pay, scratch, slope, curvature, sums
):  # fmt: skip
    """Adds normal equations of so many points of an outline: slope (6,), curvature (6, 6), sums (1,) of weighted
    squared offsets.

    smooth, usual: of `smooth_photograph`; raw (H, W, 3): the photograph; ratio: of `log_ratio`; drawn (H, W, 3),
    coverage (H, W): of the rendering, drawn of height 0 if colours are not compared; outline: of `trace_outline`;
    centre (3,): about which rotations turn.
    """
    count = len(scratch.contrast)
    half = count // 2
    colours, contrast, log_likely, row = scratch.colours, scratch.contrast, scratch.log_likely, scratch.row
    place, normal, point = outline.place, outline.normal, outline.point
    for i in range(points):
        x, y, nx, ny = place[i, 0], place[i, 1], normal[i, 0], normal[i, 1]
        profile(smooth, usual, x, y, nx, ny, count, colours, contrast)
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
def sum_lines(smooth, usual, raw, ratio, drawn, coverage, outline, view, centre, pay, scratch, normal):
    """Adds the normal equations of given points; for the arguments see `add_lines`."""
    add_lines(
        smooth, usual, raw, ratio, drawn, coverage, outline, len(outline.place), view.fx, view.fy, centre, pay, scratch,
        normal.slope, normal.curvature, normal.sums,
    )  # fmt: skip


@njit(**ENTRY)
def sum_contour(
    smooth, usual, raw, drawn, coverage, depth, shown, view, ring, centre, pay, outline, statistics, scratch, normal
):  # fmt: skip
    """Adds the normal equations of the points of a rendered outline; returns how many there are.

    smooth, usual, raw: the photograph; drawn, coverage, depth: of the rendering; shown: see `mark_shown`; ring: how far
    out colours of the surroundings are counted, pixels; outline, statistics and scratch: filled.
    """
    points = trace_outline(
        coverage, depth, view.gauss, view.variance, view.fx, view.fy, view.cx, view.cy,
        outline.place, outline.normal, outline.point,
    )  # fmt: skip
    if shown.shape[0] > 0:
        points = keep_shown(shown, outline.place, outline.normal, outline.point, points, LEAST_POINTS)
    if pay.colours > 0.0:
        count_colours(
            raw, coverage, outline.place, outline.normal, points, ring, statistics.inside, statistics.outside
        )  # fmt: skip
        log_ratio(statistics.inside, statistics.outside, statistics.ratio, statistics.room)
    add_lines(
        smooth, usual, raw, statistics.ratio, drawn, coverage, outline, points, view.fx, view.fy, centre, pay, scratch,
        normal.slope, normal.curvature, normal.sums,
    )  # fmt: skip
    return points


@njit(**ENTRY)
def sum_support(smooth, usual, coverage, depth, view, strong, outline, scratch, sums):
    """Adds to sums (1,) for every point how much of an edge it lies on: 1 for one of `strong` contrast or more.

    outline, scratch: filled.
    """
    points = trace_outline(
        coverage, depth, view.gauss, view.variance, view.fx, view.fy, view.cx, view.cy,
        outline.place, outline.normal, outline.point,
    )  # fmt: skip
    place, normal = outline.place, outline.normal
    count, contrast = len(scratch.contrast), scratch.contrast
    for i in range(points):
        profile(
            smooth, usual, place[i, 0], place[i, 1], normal[i, 0], normal[i, 1], count, scratch.colours, contrast
        )  # fmt: skip
        most = 0.0
        for s in range(2, count - 2):
            most = max(most, contrast[s])
        sums[0] += min(most / strong, 1.0)
