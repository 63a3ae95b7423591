"""Depth of single points, as a lidar's, continued to the pixels between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_REACH = 2.0  # times as far as points are apart in the mean: half of it for lines, which are denser one way


def filled(depth: F32) -> F32:
    """Depth (H, W) metres, 0 where missing, of which every pixel has that of the nearest point, as far as points reach.

    Args:
        depth: of points.
    """
    from scipy.ndimage import distance_transform_edt

    there = depth > 0.0
    ys, xs = np.nonzero(there)
    if not len(ys):
        return depth
    apart = np.sqrt((np.ptp(ys) + 1.0) * (np.ptp(xs) + 1.0) / len(ys))
    away, (rows, columns) = distance_transform_edt(~there, return_indices=True)
    return np.where(away <= _REACH * apart, depth[rows, columns], np.float32(0.0))
