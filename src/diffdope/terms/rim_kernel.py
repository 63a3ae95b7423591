"""The loops of `terms/rim.py`: along the normals of a drawn outline, over few pixels of a small photograph."""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL
from diffdope.terms.outline_kernel import trace_outline
from diffdope.terms.smoothing_kernel import clamped, sampled_at

F64 = NDArray[np.float64]

STEP = 0.5
"""Pixels between samples along a normal."""
WIDEST_PX = 2.0
"""To both sides of the outline, where colours may be mixed."""
_BESIDE_PX = 2.0  # beyond the rim, over which either side's own colour is read
_NOISE = 0.03  # of a colour, that both sides have at least
_BLIND = 0.02  # variance of the place of the clearest rim, pixels^2: what is left of the coverage's own errors
_TOLERANCE_PX = 1.0  # rims farther off count as outliers do (Cauchy)
_OTHER = 0.2  # share of a side that is not its own: another part of the object outside, or a part that is too thin

_BESIDE = round(_BESIDE_PX / STEP)

SAMPLES = 2 * round((WIDEST_PX + _BESIDE_PX) / STEP) + 1
"""Along a normal, at most."""


class RimRoom(NamedTuple):
    """What one normal needs: photographed colours (S, 3), drawn ones (S, 3), and those times coverage (S, 3), coverage
    (S,), row (6,), both sides (2, 3)."""

    seen: F64
    drawn: F64
    mixed: F64
    coverage: F64
    row: F64
    beside: F64

    @classmethod
    def empty(cls) -> "RimRoom":
        """For one at a time."""
        seen, drawn, mixed = (np.empty((SAMPLES, 3)) for _ in range(3))
        return cls(seen, drawn, mixed, np.empty(SAMPLES), np.empty(6), np.empty((2, 3)))


@njit(**KERNEL)
def _sample(photo, drawn, coverage, lines, x, y, nx, ny, half, room):
    """Fills room with what lies along a normal; beyond the outline, the last drawn colour goes on.

    half: samples to either side of the outline; lines (2, 3): gain and bias of the light over the drawn colours.
    """
    height, width = coverage.shape
    r, g, b = 0.0, 0.0, 0.0
    for s in range(2 * half + 1):  # from within outwards
        off = (s - half) * STEP
        px, py = x + off * nx, y + off * ny
        for c in range(3):
            room.seen[s, c] = sampled_at(photo, py, px, c)
        column, row = clamped(int(np.floor(px)), width - 1), clamped(int(np.floor(py)), height - 1)
        a, d = min(max(px - column, 0.0), 1.0), min(max(py - row, 0.0), 1.0)
        upper = (1.0 - a) * coverage[row, column] + a * coverage[row, column + 1]
        lower = (1.0 - a) * coverage[row + 1, column] + a * coverage[row + 1, column + 1]
        room.coverage[s] = (1.0 - d) * upper + d * lower
        for c in range(3):
            room.mixed[s, c] = lines[0, c] * sampled_at(drawn, py, px, c) + lines[1, c] * room.coverage[s]
        u, v = clamped(int(np.floor(px + 0.5)), width), clamped(int(np.floor(py + 0.5)), height)
        share = coverage[v, u]
        if share > 0.5:
            r, g, b = drawn[v, u, 0] / share, drawn[v, u, 1] / share, drawn[v, u, 2] / share
        room.drawn[s, 0] = lines[0, 0] * r + lines[1, 0]
        room.drawn[s, 1] = lines[0, 1] * g + lines[1, 1]
        room.drawn[s, 2] = lines[0, 2] * b + lines[1, 2]


@njit(**KERNEL)
def _beside(room, last):
    """Fills room.beside: mean colour of the background, of what the light leaves of the object's; returns variances.

    last: sample, the outermost. The variance of a colour about both means, the sum of both sides'.
    """
    variance = 0.0
    for c in range(3):
        outer, inner = 0.0, 0.0
        for k in range(_BESIDE):
            outer += room.seen[last - k, c]
            inner += room.seen[k, c] - room.drawn[k, c]
        outer, inner = outer / _BESIDE, inner / _BESIDE
        room.beside[0, c], room.beside[1, c] = outer, inner
        for k in range(_BESIDE):
            far, near = room.seen[last - k, c] - outer, room.seen[k, c] - room.drawn[k, c] - inner
            variance += (far * far + near * near) / (3 * _BESIDE)
    return variance


@njit(**KERNEL)
def _offset(room, half):
    """How far outwards of the drawn outline the photograph's is, pixels, and the weight of that, at most 1.

    half: samples to either side of the outline.
    """
    variance = _beside(room, 2 * half) + _NOISE * _NOISE
    for k in range(_BESIDE):
        if room.coverage[2 * half - k] > _OTHER or room.coverage[k] < 1.0 - _OTHER:
            return 0.0, 0.0
    clear, total = 0.0, 0.0
    red, green, blue = 0.0, 0.0, 0.0
    first, end = _BESIDE, 2 * half + 1 - _BESIDE
    for s in range(first, end):
        off = (s - half) * STEP
        near = np.exp(-off * off)
        red += near * room.drawn[s, 0]
        green += near * room.drawn[s, 1]
        blue += near * room.drawn[s, 2]
        total += near
    between = (
        red / total + room.beside[1, 0] - room.beside[0, 0],
        green / total + room.beside[1, 1] - room.beside[0, 1],
        blue / total + room.beside[1, 2] - room.beside[0, 2],
    )
    for c in range(3):
        clear += between[c] * between[c]
    clear = max(clear, 1e-9)
    offset = 0.0
    for s in range(first, end):
        step = STEP if first < s < end - 1 else 0.5 * STEP
        share = room.coverage[s]
        for c in range(3):
            expected = room.mixed[s, c] + share * room.beside[1, c] + (1.0 - share) * room.beside[0, c]
            offset += step * (room.seen[s, c] - expected) * between[c] / clear
    rim_px = (half - _BESIDE) * STEP
    if abs(offset) > rim_px:
        return 0.0, 0.0
    weight = _BLIND / (variance / clear * rim_px + _BLIND)
    return offset, weight / (1.0 + (offset / _TOLERANCE_PX) ** 2)


@njit(**ENTRY)
def sum_rims(
    photo, drawn, coverage, depth, lines, view, centre, reach_px, outline, room, slope, curvature, shared, sums
):
    """Adds the normal equations of the rims along a rendered outline; returns how many points that has.

    photo (H, W, 3): observed; drawn (H, W, 3), coverage, depth (H, W): of the rendering, colours times coverage; lines
    (2, 3): gain and bias of the light; centre (3,): about which rotations turn; reach_px: to both sides of the outline,
    where colours may be mixed, at most WIDEST_PX; outline, room: filled; slope (6,),
    curvature (6, 6), shared (6,): what a pixel outwards all around adds to the slope, less; sums (2,): of weighted
    squared offsets, and of weights.
    """
    points = trace_outline(
        coverage, depth, view.gauss, view.variance, view.fx, view.fy, view.cx, view.cy,
        outline.place, outline.normal, outline.point,
    )  # fmt: skip
    place, normal, point, row = outline.place, outline.normal, outline.point, room.row
    half = min(int(reach_px / STEP + 0.5) + _BESIDE, SAMPLES // 2)
    for i in range(points):
        nx, ny = normal[i, 0], normal[i, 1]
        _sample(photo, drawn, coverage, lines, place[i, 0], place[i, 1], nx, ny, half, room)
        offset, weight = _offset(room, half)
        if weight <= 0.0:
            continue
        px, py, pz = point[i, 0], point[i, 1], point[i, 2]
        a, b = view.fx * nx / pz, view.fy * ny / pz
        c = -(a * px + b * py) / pz
        dx, dy, dz = px - centre[0], py - centre[1], pz - centre[2]
        row[0], row[1], row[2] = a, b, c
        row[3], row[4], row[5] = dy * c - dz * b, dz * a - dx * c, dx * b - dy * a
        sums[0] += weight * offset * offset
        sums[1] += weight
        for j in range(6):
            slope[j] -= weight * offset * row[j]
            shared[j] += weight * row[j]
            for k in range(6):
                curvature[j, k] += weight * row[j] * row[k]
    return points
