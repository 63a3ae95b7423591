"""What lines speak for a pose: its outline and its creases, those on the photograph's edges and those that are not.

A pose whose outline lies on edges may still be wrong: where an object's own crease has the stronger contrast, the
outline of a smaller or turned one fits it as well. But then the edge beyond is explained by nothing, and no crease is
where it should be. So lines are counted, not averaged: whoever explains more edges is likelier.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.creases import Creases
from diffdope.terms.contour import STRONG, ContourCorrespondences, samples
from diffdope.terms.contour_kernel import LineScratch, OutlinePoints
from diffdope.terms.contour_points import view_of
from diffdope.terms.drawn_lines_kernel import share_anywhere, sum_on_edges
from diffdope.terms.inner_contour import MARGIN
from diffdope.terms.outline_kernel import LEAST_POINTS

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_SEEN = 0.7  # share of the lines of a right pose that leave an edge: some are as bright as what is beside them
_LEAST, _MOST = 0.05, 0.6  # share of lines that lie on edges by chance: none at all, or a photograph of nothing else
_SAME_EDGE = 1.0 / 6.0  # of a crop's longer side, in points along a line: ten of an outline err on their own


class DrawnLines:
    """The edges of a photograph, as renderings of an object may explain them.

    Args:
        edges: of the photograph.
        creases: of the object.
        length_m: its diameter.
    """

    def __init__(self, edges: ContourCorrespondences, creases: Creases, length_m: float) -> None:
        self._edges, self._creases, self._margin_m = edges, creases, MARGIN * length_m

    def log_likelihood(self, coverage: F32, depth: F32, R: F64, t: F64, reach_px: float) -> F64:
        """(B,) of renderings, against that of nothing being there.

        Every point of a line is on an edge with one probability if the pose is right, and with another if it lies
        anywhere: the logarithms of their ratios are summed.

        Args:
            coverage: (B, H, W).
            depth: (B, H, W), metres.
            R: (B, 3, 3) in which poses.
            t: (B, 3), metres.
            reach_px: how far from a line an edge still counts, less the farther it is.
        """
        edges, creases = self._edges, self._creases
        scratch, pixels = LineScratch.of(samples(reach_px)), coverage.shape[1] * coverage.shape[2]
        by_chance = share_anywhere(edges.smooth, edges.usual, STRONG, scratch)
        sums = np.zeros((len(t), 4))
        sum_on_edges(
            edges.smooth, edges.usual, coverage, depth, np.ascontiguousarray(R), np.ascontiguousarray(t),
            creases.points, creases.directions, creases.lengths, self._margin_m, view_of(edges.camera), STRONG,
            OutlinePoints.of(pixels), OutlinePoints.of(len(creases)), scratch, sums,
        )  # fmt: skip
        by_chance = min(max(by_chance, _LEAST), _MOST)
        on, off = np.log(_SEEN / by_chance), np.log((1.0 - _SEEN) / (1.0 - by_chance))
        points, there = sums[:, 0] + sums[:, 2], sums[:, 1] + sums[:, 3]
        found = (there * on + (points - there) * off) / (_SAME_EDGE * max(coverage.shape[1:]))
        return np.where(sums[:, 0] < LEAST_POINTS, -np.inf, found)
