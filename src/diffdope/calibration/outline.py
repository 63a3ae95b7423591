"""Where a drawn outline passes, its normals, and where along them a mask ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from diffdope.render.renderer import RenderedImages

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_SMOOTH = 1.5  # pixels, of the drawn silhouette, whose slope is the outline's normal: stairs are 1 pixel
_STEP = 1.0  # pixel between samples along a normal
_MOST = 1200  # rows of a picture: neighbours say the same


class Outline(NamedTuple):
    """Pixels (row, column) (N,) along an outline, where it passes (N, 2), its normals, and whether they are clear."""

    row: I64
    column: I64
    point: F64
    normal: F64
    clear: Bool


def outline_of(drawn: RenderedImages) -> Outline | None:
    """Along a drawn silhouette, evenly thinned; None if nothing is drawn."""
    inside = drawn.triangle_id >= 0
    row, column, shift = _border(inside, drawn.coverage)
    if len(row) == 0:
        return None
    every = -(-len(row) // _MOST)
    row, column, shift = row[::every], column[::every], shift[::every]
    smooth = gaussian_filter(inside.astype(np.float32), _SMOOTH, mode="nearest")
    slope = np.stack([-_difference(smooth, row, column, 1), -_difference(smooth, row, column, 0)], axis=1)
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    point = np.stack([column, row], axis=1) + shift
    return Outline(row, column, point, slope / np.maximum(length, 1e-9), length[:, 0] > 1e-3)


def _border(inside: Bool, coverage: F32) -> tuple[I64, I64, F64]:
    """Pixels inside that have a neighbour outside, and where between the two the outline passes (N, 2), columns first.

    Of a pixel and its neighbour, the covered share of both tells how far from the first one's centre it passes.
    """
    rows, columns, shifts = [], [], []
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        there = inside & ~np.roll(inside, -sign, axis=axis)
        end = -1 if sign > 0 else 0  # what leaves the image is not an outline
        there[(end, slice(None)) if axis == 0 else (slice(None), end)] = False
        row, column = np.nonzero(there)
        beside = (row + sign, column) if axis == 0 else (row, column + sign)
        share = np.clip(coverage[row, column], 0.0, 1.0) + np.clip(coverage[beside], 0.0, 1.0) - 0.5
        shift = np.zeros((len(row), 2))
        shift[:, 1 - axis] = sign * share
        rows.append(row)
        columns.append(column)
        shifts.append(shift)
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(shifts)


def _difference(image: F32, row: I64, column: I64, axis: int) -> F64:
    """Half of central differences."""
    last = image.shape[axis] - 1
    at = (row, column)[axis]
    ends = (np.minimum(at + 1, last), np.maximum(at - 1, 0))
    high, low = (image[(end, column) if axis == 0 else (row, end)] for end in ends)
    return np.asarray(0.5 * (high - low), np.float64)


def crossing(mask: F32, point: F64, normal: F64, reach: float) -> tuple[F64, Bool]:
    """Along normals (N, 2) from points (N, 2), the nearest place where the mask ends, and whether there is one."""
    count = max(int(np.ceil(reach / _STEP)), 2)
    steps = _STEP * np.arange(-count, count + 1)
    places = point[:, None] + steps[None, :, None] * normal[:, None]
    height, width = mask.shape
    value = map_coordinates(mask, [places[..., 1], places[..., 0]], order=1, mode="nearest")
    ends = (value[:, :-1] > 0.5) & (value[:, 1:] <= 0.5)
    share = (value[:, :-1] - 0.5) / np.maximum(value[:, :-1] - value[:, 1:], 1e-6)
    where = steps[None, :-1] + _STEP * share
    away = np.where(ends, np.abs(where), np.inf)
    best = away.argmin(axis=1)
    at = where[np.arange(len(best)), best]
    end = point + at[:, None] * normal
    within = (end > 0.5).all(axis=1) & (end[:, 0] < width - 1.5) & (end[:, 1] < height - 1.5)
    return np.where(np.isfinite(away.min(axis=1)), at, 0.0), np.isfinite(away.min(axis=1)) & within
