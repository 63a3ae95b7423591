"""The contour term: correspondences between the drawn outline and the edges of the photograph.

It holds the outline where no mask says which pixels are the object's.

Along the normal of every point of the outline, the photograph's edges are found and weighed: by their contrast against
the usual one around them, by how near they are, and by how well they part the colours of the object from those of its
surroundings. Their mean is where the outline should be. Sources: Harris and Stennett, RAPID, BMVC 1990 (edges along the
normals of a projected model); Prisacariu and Reid, PWP3D, IJCV 2012, and Stoiber et al., M3T, IJCV 2023 (colour
statistics of object and background along them).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_at_least_zero, check_count, expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.terms.contour_kernel import (
    STEP,
    LineScratch,
    Normal,
    OutlinePoints,
    Statistics,
    Strengths,
    sum_contour,
    sum_lines,
    sum_support,
)
from diffdope.terms.contour_points import ContourPoints, EdgePoints, gaussian, view_of, writable
from diffdope.terms.layout import CONTOUR
from diffdope.terms.mask_border import MaskBorder
from diffdope.terms.outline_kernel import LEAST_POINTS, count_outline, mark_shown
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.smoothing_kernel import BLOCK, smooth_photograph

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_BLUR = 0.7  # of the photograph, pixels
_AROUND = 1.0 / 16.0  # share of the crop over which the usual contrast is taken
_FLAT = 0.01  # contrast that noise alone has
STRONG = 3.0  # an edge with so many times the usual contrast is as good as any
_BLIND = 0.3  # variance of the place of the best edge, pixels^2
_FAR = 0.6  # share of the reach at which an edge counts half an e-fold less
_INDEPENDENT = 10.0  # edges around an outline that err on their own
_LEFT = 0.1  # share of an edge's contrast that is left where the model has as much
_BESIDE_PX = 2.0  # of a point of an outline that lies on an edge
LARGEST_CROP = 2**15
"""Pixels; images are smaller."""
_NO_COLOURS = np.zeros((0, 0, 3), np.float32)
_OFF = 0.03  # share of the crop by which the border of a mask may be off that says what can be seen
_EVERYWHERE = np.ones((0, 0), np.uint8)
_RING = 25.0 / 160.0  # share of the crop around the outline that is taken for the surroundings


@dataclass(frozen=True)
@checked_fields()
class ContourSettings:
    """How edges hold the outline."""

    weight: float = 0.014
    """What an outline pays that is one pixel off good edges all around; 0 leaves edges out."""
    weight_with_depth: float = 0.0
    """The same where depth is compared, which holds an object with colours better than edges do."""
    plain: float = 0.014
    """The same of a mesh without colours, or of a single one, with or without depth: colours say nothing of its
    outline, and depth lets its faces slide along themselves."""
    plain_size: int = 320
    """Longest side of the last level's crop, in pixels, where edges take the place of a mask that is off and is all
    that there is of such a mesh, but in films: a crop that is reduced blurs them. A level that is as large already
    stays as it is; 0 for all."""
    reach_px: tuple[float, ...] = (4.0, 2.0)
    """How far from the outline edges are looked for, in pixels of the level's crop; one number a round."""
    closing_px: tuple[float, ...] = (1.5, 1.5)
    """The same for rounds after the last level, where the object has colours: near the pose these know better than
    edges, some of which are a print's or a neighbour's. None of them if empty."""
    closing: float = 0.3
    """Factor on the weight in those rounds."""
    closing_steps: int = 6
    """Newton steps in each of them."""
    contrast: float = 1.5
    """Power of the contrast with which edges on the same normal compete."""
    colours: float = 0.1
    """How much colour statistics say about which edge it is; 0 for nothing, 1 if pixels were independent."""
    painted: float = 1.0
    """How much of the contrast that the model itself has near its outline is taken off the photograph's."""
    inner: float = 1.0
    """Weight of a point of a crease within the outline (`terms/inner_contour.py`), that of a point of the outline being
    1, of a mesh without colours or of a single one in a photograph without depth; 0 leaves creases out."""
    inner_px: tuple[float, ...] = (2.0, 2.0, 2.0)
    """How far from creases edges are looked for, in rounds after the last level: before them, a crease may be nearer to
    its neighbour's edge than to its own."""
    tolerance_px: float = 1.5
    """Edges farther off than this count as outliers do (Cauchy)."""

    @classmethod
    def off(cls) -> ContourSettings:
        """Edges that never count."""
        return cls(weight=0.0, weight_with_depth=0.0, plain=0.0)

    def active(self, *, pattern: bool) -> bool:
        """Whether edges ever count, of a mesh with a pattern or without: only then are they looked at."""
        return max(self.weight, self.weight_with_depth) > 0.0 if pattern else self.plain > 0.0

    def __post_init__(self) -> None:
        """Refuses numbers that make no search."""
        if not self.reach_px or min(self.reach_px) < 1.0:
            raise expected("reach_px", "at least one round of 1 pixel or more", self.reach_px)
        check_at_least_zero(self, "weight", "weight_with_depth", "plain", "contrast", "colours", "painted", "inner")
        if self.closing_px and min(self.closing_px) < 1.0:
            raise expected("closing_px", "rounds of 1 pixel or more", self.closing_px)
        if self.inner_px and min(self.inner_px) < 1.0:
            raise expected("inner_px", "rounds of 1 pixel or more", self.inner_px)
        if not 0.0 < self.closing <= 1.0:
            raise expected("closing", "a share above 0, at most 1", self.closing)
        if self.closing_steps < 1:
            raise expected("closing_steps", "at least 1", self.closing_steps)
        if not self.tolerance_px > 0.0:
            raise expected("tolerance_px", "a number > 0", self.tolerance_px)
        check_count("plain_size", self.plain_size, least=0, most=LARGEST_CROP)


class ContourCorrespondences:
    """The edges of one crop.

    Attributes:
        weight: of them all.
        smooth: the photograph (H, W, 3), slightly blurred.
        camera: of the crop.
        inner: weight of a point of a crease, that of one of the outline being 1.

    Args:
        rgb: (H, W, 3) in [0, 1].
        camera: of the crop.
        settings: see there.
        weight: of them all; None for the settings'.
    """

    def __init__(self, rgb: F32, camera: Camera, settings: ContourSettings, weight: float | None = None) -> None:
        self.weight = settings.weight if weight is None else weight
        self.camera, self.inner = camera, settings.inner
        self._settings = settings
        self._rgb = writable(rgb)
        self._shown = _EVERYWHERE
        self._border: MaskBorder | None = None
        self.smooth, self.usual = _smooth_and_usual(self._rgb)

    def factor(
        self, coverage: F32, depth: F32, pose: Pose, reach_px: float, rgb: F32 | None = None
    ) -> QuadraticFactor | None:
        """Where the edges near a rendered outline would move it; None if there is hardly any outline.

        Args:
            coverage: of the rendering (H, W).
            depth: of the rendering (H, W), metres.
            pose: that was rendered.
            reach_px: how far off edges are looked for.
            rgb: of the rendering (H, W, 3), times coverage: what is painted on the object is not its outline. None for
                an object without colours.
        """
        coverage, depth, s = writable(coverage), writable(depth), self._settings
        most = count_outline(coverage, depth)
        if most < LEAST_POINTS:
            return None
        pay = Strengths(
            reach_px, s.contrast, s.colours, s.painted, s.tolerance_px, STRONG, _BLIND, _FAR, _LEFT,
        )  # fmt: skip
        ring, normal = int(_RING * max(coverage.shape)) + 1, Normal.zero()
        points = sum_contour(
            self.smooth, self.usual, self._rgb, writable(_NO_COLOURS if rgb is None else rgb), coverage, depth,
            self._shown, view_of(self.camera), ring, pose.t_m2c.copy(), pay, OutlinePoints.of(most), Statistics.empty(),
            LineScratch.of(samples(reach_px)), normal,
        )  # fmt: skip
        return _pull(pose, normal, self.weight / points)

    def pull(self, points: EdgePoints, pose: Pose, reach_px: float, share: float) -> QuadraticFactor:
        """Where the edges along the normals of points would move a pose, whatever the colours on both sides are.

        Args:
            points: of what was drawn.
            pose: that was drawn.
            reach_px: how far off edges are looked for.
            share: weight of each point.
        """
        s, normal = self._settings, Normal.zero()
        pay = Strengths(reach_px, s.contrast, 0.0, 0.0, s.tolerance_px, STRONG, _BLIND, _FAR, _LEFT)
        sum_lines(
            self.smooth, self.usual, self._rgb, np.zeros(0, np.float32), writable(_NO_COLOURS),
            np.zeros((0, 0), np.float32), OutlinePoints(points.place, points.normal, points.X_c), view_of(self.camera),
            pose.t_m2c.copy(), pay, LineScratch.of(samples(reach_px)), normal,
        )  # fmt: skip
        return _pull(pose, normal, share)

    def within(self, mask: F32, off_px: float = 0.0) -> ContourCorrespondences:
        """The same edges of an object of which only what lies in a mask, or next to it, can be seen.

        Args:
            mask: (H, W) of the crop, whose border may be off by a few pixels.
            off_px: by how many, a deviation: then it holds the outline beside the edges; 0 if it says nothing of that.
        """
        from scipy.ndimage import maximum_filter

        other = copy(self)
        grown = max(round(_OFF * max(mask.shape)), 2)
        other._shown = np.asarray(maximum_filter(np.asarray(mask) > 0.5, size=2 * grown + 1), np.uint8)
        other._border = MaskBorder(mask, off_px) if off_px > 0.0 else None
        return other

    def border_factor(self, coverage: F32, depth: F32, pose: Pose) -> QuadraticFactor | None:
        """Where the border of the mask would move a rendered outline; None if none was given that says, or there is
        hardly any outline; see `factor`.
        """
        if self._border is None:
            return None
        points = ContourPoints(coverage, depth, self.camera)
        if len(points) < LEAST_POINTS:
            return None
        return self._border.factor(points, self.seen(points), self.weight, self.camera, pose)

    def seen(self, points: EdgePoints) -> NDArray[np.bool_]:
        """(N,) which points the mask shows, if one was given (`within`); all if hardly any are."""
        shown = np.empty(len(points.place), np.bool_)
        mark_shown(self._shown, points.place, points.normal, len(shown), LEAST_POINTS, shown)
        return shown

    def weighing(self, factor: float) -> ContourCorrespondences:
        """The same edges, their weight multiplied."""
        other = copy(self)
        other.weight = factor * self.weight
        return other

    def information(self, factor: QuadraticFactor) -> F64:
        """(6, 6): of a factor of these edges, as the inverse of a covariance.

        Points next to each other take the same wrong edge: an outline has as many edges as err on their own.
        """
        return factor.curvature * self.likelihoods(1.0)

    def likelihoods(self, cost: float) -> float:
        """Negative log likelihood of what these edges cost; for their number see `information`."""
        return cost * _INDEPENDENT / (2.0 * self.weight)

    def support(self, coverage: F32, depth: F32) -> float | None:
        """Share of a rendered outline that lies on edges, those with less contrast counting less; None without one."""
        coverage, depth = writable(coverage), writable(depth)
        points = int(count_outline(coverage, depth))
        if points < LEAST_POINTS:
            return None
        sums = np.zeros(1)
        sum_support(
            self.smooth, self.usual, coverage, depth, view_of(self.camera), STRONG, OutlinePoints.of(points),
            LineScratch.of(samples(_BESIDE_PX)), sums,
        )  # fmt: skip
        return float(sums[0]) / points


def _pull(pose: Pose, normal: Normal, share: float) -> QuadraticFactor:
    return QuadraticFactor(
        pose, 2.0 * share * normal.slope, 2.0 * share * normal.curvature, share * float(normal.sums[0]), shown=CONTOUR
    )


def smoothed(rgb: F32) -> F32:
    """A photograph (H, W, 3), blurred as contours see it."""
    return _smooth_and_usual(np.array(rgb, np.float32, order="C"))[0]


def _smooth_and_usual(rgb: F32) -> tuple[F32, F32]:
    """The photograph (H, W, 3), blurred, and the usual contrast of its blocks (h, w, 1)."""
    height, width, _ = rgb.shape
    smooth, scratch = np.empty((height, 3 * width), np.float32), np.empty((height, 3 * width), np.float32)
    blocks = (-(-height // BLOCK), -(-width // BLOCK))
    usual, strength = np.empty(blocks, np.float32), np.empty(blocks, np.float32)
    narrow, wide = (gaussian(sigma).astype(np.float32) for sigma in (_BLUR, _AROUND * max(height, width) / BLOCK))
    flat = rgb.reshape(height, 3 * width)
    smooth_photograph(flat, smooth, narrow, usual, wide, np.float32(_FLAT), scratch, strength)
    return smooth.reshape(height, width, 3), usual.reshape(*blocks, 1)


def samples(reach_px: float) -> int:
    """Along a normal, as far as a reach in both directions."""
    return 2 * round(reach_px / STEP) + 1
