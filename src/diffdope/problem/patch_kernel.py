"""The loops over pixels of `search/tracking/template_matching.py`: how well a small picture lies over each place."""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL

F32 = NDArray[np.float32]
Int = NDArray[np.int64]
_NONE, _ONE, _HALF = np.float32(0.0), np.float32(1.0), np.float32(0.5)


class PatchPixels(NamedTuple):
    """N pixels of the object: row and column (N,) in the patch, rgb (N, 3), and depth as drawn (N,), metres."""

    row: Int
    column: Int
    rgb: F32
    depth: F32


class Searched(NamedTuple):
    """rgb (H, W, 3) and depth (H, W), metres, 0 where none was measured, of the crop in which places are tried."""

    rgb: F32
    depth: F32


class PatchPenalties(NamedTuple):
    """What a pixel pays that is off by the range or more: in colour and in depth; 0 for what is not compared.

    color_range: sum of three channels' differences; depth_m; reach_m: by which the object may have come nearer or gone.
    """

    color: np.float32
    depth: np.float32
    color_range: np.float32
    depth_m: np.float32
    reach_m: np.float32


@njit(**KERNEL)
def _moved(patch, seen, top, left, about, limit):
    """Mean difference of depths, clipped at `limit` about `about`, metres."""
    total, count = _NONE, _NONE
    for i in range(len(patch.row)):
        v, u = top + patch.row[i], left + patch.column[i]
        if v < 0 or v >= seen.depth.shape[0] or u < 0 or u >= seen.depth.shape[1] or seen.depth[v, u] <= _NONE:
            continue
        away = seen.depth[v, u] - patch.depth[i] - about
        total += min(max(away, -limit), limit)
        count += _ONE
    return total / max(count, _ONE)


@njit(**KERNEL)
def _cost(patch, seen, top, left, moved, pay):
    """Mean over the patch's pixels. One without a depth pays half: it may be either.

    One outside of the crop pays in full, as most pixels do that are not the object's: else the object would be found
    wherever nothing is seen.
    """
    total, full = _NONE, pay.color + pay.depth
    for i in range(len(patch.row)):
        v, u = top + patch.row[i], left + patch.column[i]
        if v < 0 or v >= seen.depth.shape[0] or u < 0 or u >= seen.depth.shape[1]:
            total += full
            continue
        if pay.color > _NONE:
            away = _NONE
            for c in range(3):
                away += abs(seen.rgb[v, u, c] - patch.rgb[i, c])
            total += pay.color * min(away / pay.color_range, _ONE)
        if pay.depth > _NONE:
            if seen.depth[v, u] > _NONE:
                total += pay.depth * min(abs(seen.depth[v, u] - patch.depth[i] - moved) / pay.depth_m, _ONE)
            else:
                total += _HALF * pay.depth
    return total / np.float32(len(patch.row))


@njit(**ENTRY)
def match_patch(patch, seen, first, last, origin_row, origin_column, pay, cost, moved_m):
    """Fills cost (R, C) and moved_m (R, C), metres, for rows first to last (excluded) of places.

    Place (i, j) has the patch's upper left corner at row origin_row + i and column origin_column + j of the crop.
    """
    for i in range(first, last):
        for j in range(cost.shape[1]):
            top, left, away = origin_row + i, origin_column + j, _NONE
            if pay.depth > _NONE:
                limit = pay.reach_m
                for _ in range(2):  # from all that is possible to the object's own surface
                    away += _moved(patch, seen, top, left, away, limit)
                    limit = max(_HALF * limit, pay.depth_m)
                away = min(max(away, -pay.reach_m), pay.reach_m)
            cost[i, j] = _cost(patch, seen, top, left, away, pay)
            moved_m[i, j] = away
