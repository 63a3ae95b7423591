"""The loops over pixels of `search/proposals/box_proposals.py`: how well drawings explain what a box shows.

A box says where the object's visible part ends, and not which of its pixels show the object. So a drawing earns for
pixels that it explains, pays for those that contradict it, and nothing is owed for the rest of the box.
"""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_loading import njit
from diffdope.problem.screening_kernel import FRONT
from diffdope.render.kernels.calls import prepare_at, shade_at
from diffdope.render.kernels.layout import C_B, C_G, C_R, C_Z, CHUNK
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR
from diffdope.render.kernels.prepare import release_pose
from diffdope.render.kernels.raster import FAR_OFF

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


@njit(**SCALAR)
def _within(middle, half, scale, size):
    """First and last row or column of a crop that a drawing of so many pixels to either side may reach."""
    reach = half * scale + _ONE
    return max(int(np.floor(middle - reach)), 0), min(int(np.ceil(middle + reach)), size - 1)


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
    first, last = _within(x, half_u, scale, width)
    first, last = max(int(np.ceil(seen.box[0])), first), min(int(np.floor(seen.box[2])), last)
    for row in range(max(int(np.ceil(seen.box[1])), 0), min(int(np.floor(seen.box[3])), height - 1) + 1):
        v = int(np.floor(half_v + (np.float32(row) - y) * step / seen.aspect))
        if v < 0 or v >= rows:
            continue
        for column in range(first, last + 1):
            u = int(np.floor(half_u + (np.float32(column) - x) * step))
            if u < 0 or u >= columns:
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
    first, last = _within(x, half_u, scale, width)
    first, last = max(int(np.ceil(seen.box[0])), first), min(int(np.floor(seen.box[2])), last)
    for row in range(max(int(np.ceil(seen.box[1])), 0), min(int(np.floor(seen.box[3])), height - 1) + 1):
        v = int(np.floor(half_v + (np.float32(row) - y) * step / seen.aspect))
        if v < 0 or v >= rows:
            continue
        for column in range(first, last + 1):
            u = int(np.floor(half_u + (np.float32(column) - x) * step))
            if u < 0 or u >= columns or depth[v, u] <= _NONE:
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


@njit(**SCALAR)
def _earned(measured, drawn, inside, pay):
    """What a drawn pixel earns by its depth, less what it pays; and whether the object is seen there."""
    known = measured > _NONE
    away = abs(measured - drawn) / pay.depth_m
    if known and away >= _ONE and measured < drawn:  # hidden
        return (-pay.in_front if inside else _NONE), False
    if not inside:
        return -pay.outside, False
    if known and away >= _ONE:
        return -pay.behind, False
    return (_ONE - away if known else _NONE), True


@njit(**SCALAR)
def _earned_by_color(off, pay):
    """What a pixel earns whose channels are off by this sum, less what it pays."""
    return pay.color * (_ONE - min(off / pay.color_range, np.float32(2.0)))


@njit(**SCALAR)
def _with_ends(total, box, left, top, right, bottom, pay):
    """The score of a drawing whose visible part ends there."""
    if right < left:
        return _NOTHING
    x0, y0, x1, y1 = box[0], box[1], box[2], box[3]
    high, wide = y1 - y0 + _ONE, x1 - x0 + _ONE
    sides = _beyond(left - x0) + _beyond(right - x1), _beyond(top - y0) + _beyond(bottom - y1)
    return total - pay.edge * (sides[0] * high + sides[1] * wide)


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
    first, last = _within(x, half_u, scale, width)
    for row in range(height):
        v = int(np.floor(half_v + (np.float32(row) - y) * step / seen.aspect))
        if v < 0 or v >= rows:
            continue
        for column in range(first, last + 1):
            u = int(np.floor(half_u + (np.float32(column) - x) * step))
            if u < 0 or u >= columns or depth[v, u] <= _NONE:
                continue
            inside = column >= x0 and column <= x1 and row >= y0 and row <= y1
            own, shown = _earned(seen.depth[row, column], depth[v, u] - FRONT + z, inside, pay)
            total += own
            if shown:
                left, right = min(left, np.float32(column)), max(right, np.float32(column))
                top, bottom = min(top, np.float32(row)), max(bottom, np.float32(row))
                if pay.color > _NONE:
                    off = _NONE
                    for c in range(3):
                        off += abs(seen.rgb[row, column, c] - gain * rgb[v, u, c])
                    total += _earned_by_color(off, pay)
    return _with_ends(total, seen.box, left, top, right, bottom, pay)


@njit(**KERNEL)
def _draw(at, mesh, s, n, with_color, drawn):
    """Writes depth and colours (4, N) of all fragments."""
    c = s.fragments.chunk
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_at(at.shade, mesh.skin, s.visible.planes, s.fragments, first, count, with_color)
        for i in range(count):
            drawn[0, first + i] = c[C_Z + i]
        if with_color:
            for i in range(count):
                drawn[1, first + i], drawn[2, first + i], drawn[3, first + i] = c[C_R + i], c[C_G + i], c[C_B + i]


@njit(**KERNEL)
def _gain_drawn(depth, rgb, box, f, drawn, n, pay):
    """`_gain` of what was drawn where it is seen."""
    observed, total = _NONE, _NONE
    for i in range(n):
        inside = (f.x[i] >= box[0]) & (f.x[i] <= box[2]) & (f.y[i] >= box[1]) & (f.y[i] <= box[3])
        pixel = np.uint32(f.pixel[i])
        if inside and (depth[pixel] <= _NONE or abs(depth[pixel] - drawn[0, i]) < pay.depth_m):
            observed += rgb[pixel, 0] + rgb[pixel, 1] + rgb[pixel, 2]
            total += drawn[1, i] + drawn[2, i] + drawn[3, i]
    return min(max(observed / max(total, np.float32(1e-6)), _LEAST_GAIN), _MOST_GAIN)


@njit(**KERNEL)
def _score_drawn(depth, rgb, box, f, drawn, n, gain, with_color, pay):
    """`_score` of what was drawn where it is seen."""
    left, top, right, bottom, total = FAR_OFF, FAR_OFF, -_ONE, -_ONE, _NONE
    for i in range(n):
        x, y, pixel = f.x[i], f.y[i], np.uint32(f.pixel[i])
        inside = (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])
        own, shown = _earned(depth[pixel], drawn[0, i], inside, pay)
        total += own
        if shown:
            left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
            if with_color:
                off = _NONE
                for c in range(3):
                    off += abs(rgb[pixel, c] - gain * drawn[1 + c, i])
                total += _earned_by_color(off, pay)
    return _with_ends(total, box, left, top, right, bottom, pay)


@njit(**ENTRY)
def score_poses(at, mesh, view, R, t, first, last, s, seen, pay, drawn, score):
    """Fills score (B,) of poses first to last (excluded) of B, R (B, 3, 3) and t (B, 3), drawn in the crop's own view.

    What a pixel's centre shows is compared: no image is made, and no contour is blended, which would take most of the
    time. drawn (4, H*W) is scratch.
    """
    depth, rgb = seen.depth.reshape(-1), seen.rgb.reshape(-1, 3)
    with_color = pay.color > _NONE and mesh.skin.shading != 0
    for b in range(first, last):
        n, _, used = prepare_at(at.prepare, mesh, view, R[b], t[b], s, at.shade, False)
        _draw(at, mesh, s, n, with_color, drawn)
        gain = _gain_drawn(depth, rgb, seen.box, s.fragments, drawn, n, pay) if with_color else _ONE
        score[b] = _score_drawn(depth, rgb, seen.box, s.fragments, drawn, n, gain, with_color, pay)
        release_pose(view, s, used)


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
