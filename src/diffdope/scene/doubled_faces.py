"""Triangles that stand twice in the same place, wound alike: exporters write a layer or a part twice.

Each edge of them has four faces, so nothing of a watertight body would be known as one. A triangle with the same
corners wound the other way is something else: the back of a sheet.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
U64 = NDArray[np.uint64]
Bool = NDArray[np.bool_]

# Odd numbers with bits in all places: the fractions of the square roots of 2, 3, 5 and 7.
_ODD = np.array([0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B], np.uint64)
_LAST = np.uint64(0xA54FF53A5F1D36F1)


def first_of_doubled(vertices: F64, faces: NDArray[Any]) -> Bool:
    """Which triangles (F,) come first of those with the same corners in the same order; corners by their places."""
    first = np.ones(len(faces), np.bool_)
    maybe = _of_equal_sums(_hashes(vertices), faces)
    if len(maybe) == 0:
        return first
    corners = faces[maybe]
    place = np.unique(vertices[corners].reshape(-1, 3) + 0.0, axis=0, return_inverse=True)[1].reshape(-1, 3)
    least = place.argmin(axis=1)
    turned = np.take_along_axis(place, (least[:, None] + np.arange(3)) % 3, axis=1)  # as wound, from the least on
    kept = np.unique(turned, axis=0, return_index=True)[1]
    first[maybe] = False
    first[maybe[kept]] = True
    return first


def _of_equal_sums(hashes: U64, faces: NDArray[Any]) -> NDArray[np.intp]:
    """Triangles whose corners have the sum of another one's: nearly always none, and found by one sort."""
    sums = hashes[faces].sum(axis=1, dtype=np.uint64)
    ordered = np.sort(sums)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.flatnonzero(np.isin(sums, twice)) if len(twice) else np.zeros(0, np.intp)


def _hashes(vertices: F64) -> U64:
    """A number for each place (V,), well mixed, so that sums of three differ."""
    bits = np.ascontiguousarray(vertices + 0.0, np.float64).view(np.uint64)  # -0.0 becomes 0.0
    mixed = np.zeros(len(bits), np.uint64)
    for column, odd in zip(bits.T, _ODD, strict=True):  # after each other: signs of two columns must not cancel
        mixed = mixed ^ column
        mixed ^= mixed >> np.uint64(32)
        mixed *= odd
        mixed ^= mixed >> np.uint64(29)
    return mixed * _LAST
