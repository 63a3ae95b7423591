"""The border of a mask that is off, as evidence of the outline with a variance of its own.

Beside edges, whose place is known to half a pixel but which may be another thing's, such a border says roughly where
the outline is. Each point of the drawn outline pays for its distance from the border, squared, over the border's
variance; points that are much farther off count as outliers do (Cauchy), for there something hides the object. How much
too wide such a mask is all around is as unknown as each place of it, so it says little about the object's distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.signed_distance import signed_distance
from diffdope.terms.contour_points import ContourPoints
from diffdope.terms.layout import CONTOUR
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_LEAST_PX = 0.5  # deviation: on small crops, pixels round a border as much
_OUTLIER = 2.0  # deviations from which on a point rather belongs to what an occluder hides
_WIDTH = 0.1  # of the weight: what a width of one deviation costs, which is as likely as one of ten places off by that
_EDGE_PX = 2.0  # of the crop: what ends there is cut by the picture


class MaskBorder:
    """The border of one crop's mask.

    Args:
        mask: (H, W).
        off_px: deviation of the border, pixels of the crop.
    """

    def __init__(self, mask: F32, off_px: float) -> None:
        self._outside = signed_distance(np.asarray(mask) > 0.5)
        self._off_px = max(off_px, _LEAST_PX)

    def distances(self, place: F64) -> F64:
        """(N,) how far places (N, 2), columns and rows, are outside of the mask, pixels; negative inside."""
        from scipy.ndimage import map_coordinates

        return np.asarray(map_coordinates(self._outside, place.T[::-1], order=1, mode="nearest"), np.float64)

    def factor(
        self, points: ContourPoints, seen: NDArray[np.bool_], weight: float, camera: Camera, pose: Pose
    ) -> QuadraticFactor:  # fmt: skip
        """Where the border would move an outline.

        As many points err on their own as do of the edges, so both have the same weight, over the variance of each.

        Args:
            points: (N,) of the outline.
            seen: (N,) which of them the mask shows.
            weight: of the edges beside which it counts.
            camera: of the crop.
            pose: that was drawn.
        """
        height, width = self._outside.shape
        within = (points.place > _EDGE_PX) & (points.place < np.array([width, height]) - 1.0 - _EDGE_PX)
        counted = seen & within.all(axis=1)
        off = self.distances(points.place) / self._off_px
        each = counted / (1.0 + (off / _OUTLIER) ** 2) * (weight / max(int(np.count_nonzero(counted)), 1))
        row = points.jacobian(camera, pose.t_m2c) / self._off_px
        # The width, in deviations, is eliminated: a column of ones.
        precision = float(each.sum()) + _WIDTH * weight
        shared, mean = each @ row, float(each @ off)
        return QuadraticFactor(
            pose, 2.0 * (row.T @ (each * off) - shared * mean / precision),
            2.0 * (row.T @ (each[:, None] * row) - np.outer(shared, shared) / precision),
            float(each @ off**2) - mean**2 / precision, shown=CONTOUR,
        )  # fmt: skip
