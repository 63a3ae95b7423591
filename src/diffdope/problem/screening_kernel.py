"""The loops over pixels of `search/proposals/view_sphere.py`: how well templates, laid over a small crop, explain it.

A template is a rendering of the object: depth 0 where it covers nothing, else metres behind the object's middle plus 1
(so that it is never 0). It is laid over the crop by a scale and the place of its middle, and read at the nearest pixel.
"""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL

F32 = NDArray[np.float32]
_NONE, _ONE, _HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)
_LEAST_GAIN, _MOST_GAIN = np.float32(0.25), np.float32(4.0)
FRONT = np.float32(1.0)
"""Metres: what a template's depth is at the object's middle."""


class Seen(NamedTuple):
    """A crop of H x W pixels.

    mask (H, W); outside (H, W): how much a template pays that covers a pixel which is not in the mask, 0 to 1; depth
    (H, W) metres, 0 where none was measured; rgb (H, W, 3); covered: pixels of the mask;
    aspect: fy / fx.
    """

    mask: F32
    outside: F32
    depth: F32
    rgb: F32
    covered: np.float32
    aspect: np.float32


class Templates(NamedTuple):
    """depth (N, h, h), see the module; rgb (N, h, h, 3). The object's middle is in the middle of the image."""

    depth: F32
    rgb: F32


class Placements(NamedTuple):
    """What is tried.

    template (J,): its number; scale (J,): pixels of the crop for one of the template; x, y (J,): column and row of its
    middle in the crop; z (J,): distance, metres.
    """

    template: NDArray[np.int64]
    scale: F32
    x: F32
    y: F32
    z: F32


class Penalties(NamedTuple):
    """What a pixel pays.

    depth, color, silhouette: what they cost. depth_m: difference of depths that pays in full; behind_m: by which a
    surface must be nearer than the template to hide it; color_range: sum of three channels' differences that pays in
    full; limit_m: a depth that is farther off does not pull the template more.
    """

    depth: np.float32
    color: np.float32
    silhouette: np.float32
    depth_m: np.float32
    behind_m: np.float32
    color_range: np.float32
    limit_m: np.float32


@njit(**KERNEL)
def _shared(seen, depth, rgb, scale, x, y, z, limit):
    """Of pixels that both cover: mean difference of depths, clipped about `z`; sums of observed and drawn grey."""
    height, width = seen.mask.shape
    side = depth.shape[0]
    step, half = _ONE / scale, _HALF * np.float32(side)
    total, count, observed, drawn = _NONE, _NONE, _NONE, _NONE
    for row in range(height):
        v = int(np.floor(half + (np.float32(row) - y) * step / seen.aspect))
        if v < 0 or v >= side:
            continue
        for column in range(width):
            u = int(np.floor(half + (np.float32(column) - x) * step))
            if u < 0 or u >= side or seen.mask[row, column] <= _HALF or depth[v, u] <= _NONE:
                continue
            if seen.depth[row, column] > _NONE:
                away = seen.depth[row, column] - (depth[v, u] - FRONT) - z
                total += min(max(away, -limit), limit)
                count += _ONE
            for c in range(3):
                observed += seen.rgb[row, column, c]
                drawn += rgb[v, u, c]
    return total / max(count, _ONE), observed, drawn


@njit(**KERNEL)
def _cost(seen, depth, rgb, scale, x, y, z, gain, pay):
    """What all pixels pay."""
    height, width = seen.mask.shape
    side = depth.shape[0]
    step, half = _ONE / scale, _HALF * np.float32(side)
    full = pay.silhouette + pay.depth + pay.color
    total = full * seen.covered  # unless the template is there
    for row in range(height):
        v = int(np.floor(half + (np.float32(row) - y) * step / seen.aspect))
        if v < 0 or v >= side:
            continue
        for column in range(width):
            u = int(np.floor(half + (np.float32(column) - x) * step))
            if u < 0 or u >= side or depth[v, u] <= _NONE:
                continue
            measured, drawn = seen.depth[row, column], depth[v, u] - FRONT + z
            if seen.mask[row, column] <= _HALF:
                if not (measured > _NONE and measured < drawn - pay.behind_m):
                    total += full * seen.outside[row, column]
                continue
            total -= full
            if measured > _NONE:
                total += pay.depth * min(abs(measured - drawn) / pay.depth_m, _ONE)
            if pay.color > _NONE:
                away = _NONE
                for c in range(3):
                    away += abs(seen.rgb[row, column, c] - gain * rgb[v, u, c])
                total += pay.color * min(away / pay.color_range, _ONE)
    return total


@njit(**ENTRY)
def screen(seen, templates, placements, first, last, pay, cost, z):
    """Fills cost (J,) and z (J,), metres, of placements first to last (excluded)."""
    for j in range(first, last):
        number, scale, x, y = placements.template[j], placements.scale[j], placements.x[j], placements.y[j]
        depth, rgb, far = templates.depth[number], templates.rgb[number], placements.z[j]
        moved, observed, drawn = _shared(seen, depth, rgb, scale, x, y, far, pay.limit_m)
        far += moved
        if pay.depth > _NONE:
            moved, _, _ = _shared(seen, depth, rgb, scale, x, y, far, _HALF * pay.limit_m)
            far += moved
        gain = min(max(observed / max(drawn, np.float32(1e-6)), _LEAST_GAIN), _MOST_GAIN)
        cost[j] = _cost(seen, depth, rgb, scale, x, y, far, gain, pay)
        z[j] = far
