"""Selection: which hypotheses go on to the next level, and which result is believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

SAME_RAD, SAME = np.radians(6.0), 0.03
"""Poses closer than both, the second times the diameter, come to rest at the same place."""


def non_maximum_suppression(
    R: F64, t: F64, cost: F64, keep: int, *, angle_rad: float, distance_m: float
) -> NDArray[np.intp]:
    """Indices of the `keep` best poses, leaving out those that another, better one already stands for.

    Args:
        R: (B, 3, 3).
        t: (B, 3), metres.
        cost: (B,), lower is better.
        keep: at most.
        angle_rad: poses closer than this and than `distance_m` are the same.
        distance_m: see `angle_rad`.
    """
    kept: list[int] = []
    turns, same_trace = R.reshape(-1, 9), 1.0 + 2.0 * np.cos(angle_rad)
    left = np.ones(len(cost), np.bool_)
    for b in np.argsort(cost, kind="stable"):
        if left[b]:
            kept.append(int(b))
            if len(kept) == keep:
                break
            off = t - t[b]
            near = np.einsum("bi,bi->b", off, off) < distance_m**2
            left &= ~(near & (turns @ turns[b] > same_trace))
    return np.array(kept, np.intp)
