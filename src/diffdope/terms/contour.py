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
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import DiffDopeError, check_at_least_zero
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.terms.contour_kernel import (
    BINS,
    BLOCK,
    STEP,
    LineScratch,
    Strengths,
    count_colours,
    find_outline,
    log_ratio,
    smooth_photograph,
    sum_contour,
    sum_support,
)
from diffdope.terms.layout import CONTOUR
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_LEAST_POINTS = 20
_BLUR = 0.7  # of the photograph, pixels
_AROUND = 1.0 / 16.0  # share of the crop over which the usual contrast is taken
_FLAT = 0.01  # contrast that noise alone has
_STRONG = 3.0  # an edge with so many times the usual contrast is as good as any
_BLIND = 0.3  # variance of the place of the best edge, pixels^2
_FAR = 0.6  # share of the reach at which an edge counts half an e-fold less
_INDEPENDENT = 10.0  # edges around an outline that err on their own
_LEFT = 0.1  # share of an edge's contrast that is left where the model has as much
_SMOOTHING = 1.5  # pixels, of the coverage, for its normals
_BESIDE_PX = 2.0  # of a point of an outline that lies on an edge
_NO_COLOURS = np.zeros((0, 0, 3), np.float32)
_OFF = 0.03  # share of the crop by which the border of a mask may be off that says what can be seen
_INSIDE_PX = 2.0  # of an outline, where the object is that it belongs to
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
            raise DiffDopeError(f"reach_px: expected at least one round of 1 pixel or more, got {self.reach_px}")
        check_at_least_zero(self, "weight", "weight_with_depth", "plain", "contrast", "colours", "painted", "inner")
        if self.closing_px and min(self.closing_px) < 1.0:
            raise DiffDopeError(f"closing_px: expected rounds of 1 pixel or more, got {self.closing_px}")
        if self.inner_px and min(self.inner_px) < 1.0:
            raise DiffDopeError(f"inner_px: expected rounds of 1 pixel or more, got {self.inner_px}")
        if not 0.0 < self.closing <= 1.0:
            raise DiffDopeError(f"closing: expected a share above 0, at most 1, got {self.closing}")
        if self.closing_steps < 1:
            raise DiffDopeError(f"closing_steps: expected at least 1, got {self.closing_steps}")
        if not self.tolerance_px > 0.0:
            raise DiffDopeError(f"tolerance_px: expected a number > 0, got {self.tolerance_px}")


class EdgePoints(Protocol):
    """Points of contours: place (N, 2) in pixels, normal (N, 2), camera-frame point (N, 3) [m]."""

    place: F64
    normal: F64
    X_c: F64


class ContourPoints:
    """Points of a rendered outline: place (N, 2) in pixels, outward normal (N, 2), camera-frame point (N, 3) [m]."""

    def __init__(self, coverage: F32, depth: F32, camera: Camera) -> None:
        coverage, depth = np.array(coverage, np.float32, order="C"), np.array(depth, np.float32, order="C")
        most, count = int(np.count_nonzero(border(coverage))), np.zeros(1, np.int64)
        place, normal, points = np.empty((most, 2)), np.empty((most, 2)), np.empty((most, 3))
        weights = gaussian(_SMOOTHING)
        find_outline(
            coverage, depth, weights, _SMOOTHING**2, camera.fx, camera.fy, camera.cx, camera.cy,
            place, normal, points, count,
        )  # fmt: skip
        found = int(count[0])
        self.place, self.normal, self.X_c = place[:found], normal[:found], points[:found]

    def __len__(self) -> int:
        return len(self.place)

    def taken(self, chosen: NDArray[np.bool_]) -> ContourPoints:
        """Some of them; chosen: (N,)."""
        other = copy(self)
        other.place, other.normal, other.X_c = self.place[chosen], self.normal[chosen], self.X_c[chosen]
        return other

    def jacobian(self, camera: Camera, centre: F64) -> F64:
        """(N, 6): pixels by which a point moves along its normal, by (rho [m], phi [rad]) about `centre`."""
        x, y, z = self.X_c.T
        a, b = camera.fx * self.normal[:, 0] / z, camera.fy * self.normal[:, 1] / z
        row = np.stack([a, b, -(a * x + b * y) / z], axis=1)
        return np.concatenate([row, np.cross(self.X_c - centre, row)], axis=1)


def gaussian(sigma: float) -> F64:
    """Weights (2 n + 1,) of a Gaussian filter, cut off at four standard deviations; they sum to 1."""
    n = max(int(np.ceil(4.0 * sigma)), 1)
    weights = np.exp(-0.5 * (np.arange(-n, n + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())


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
    """

    def __init__(self, rgb: F32, camera: Camera, settings: ContourSettings) -> None:
        self.weight = settings.weight
        self.camera, self.inner = camera, settings.inner
        self._settings = settings
        self._rgb = np.array(rgb, np.float32, order="C")
        self._shown: NDArray[np.bool_] | None = None
        self.smooth, self._usual = _smooth_and_usual(self._rgb)

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
        points = ContourPoints(coverage, depth, self.camera)
        points = points.taken(self.seen(points))
        if len(points) < _LEAST_POINTS:
            return None
        s = self._settings
        coverage = np.array(coverage, np.float32, order="C")
        drawn = np.array(rgb if rgb is not None else _NO_COLOURS, np.float32, order="C")
        ratio = self._ratio(coverage, points) if s.colours > 0.0 else None
        return self.pull(points, pose, reach_px, self.weight / len(points), (coverage, drawn), ratio)

    def pull(
        self, points: EdgePoints, pose: Pose, reach_px: float, share: float, rendering: tuple[F32, F32] | None = None,
        ratio: F32 | None = None,
    ) -> QuadraticFactor:  # fmt: skip
        """Where the edges along the normals of points would move a pose.

        Args:
            points: of what was drawn.
            pose: that was drawn.
            reach_px: how far off edges are looked for.
            share: weight of each point.
            rendering: coverage (H, W) and colours (H, W, 3) times coverage, whose own contrast is taken off.
            ratio: of `log_ratio`: what colours say; None for nothing.
        """
        s, camera = self._settings, self.camera
        coverage, drawn = rendering if rendering is not None else (_NO_COLOURS[..., 0], _NO_COLOURS)
        colours = s.colours if ratio is not None else 0.0
        counts = ratio if ratio is not None else np.zeros(0, np.float32)
        pay = Strengths(
            reach_px, s.contrast, colours, s.painted, s.tolerance_px, _STRONG, _BLIND, _FAR, _LEFT,
        )  # fmt: skip
        slope, curvature, sums = np.zeros(6), np.zeros((6, 6)), np.zeros(1)
        sum_contour(
            self.smooth, self._usual, self._rgb, counts, drawn, np.array(coverage, np.float32, order="C"),
            points.place, points.normal, points.X_c,
            camera.fx, camera.fy, np.array(pose.t_m2c), pay, LineScratch.of(samples(reach_px)), slope, curvature, sums,
        )  # fmt: skip
        return QuadraticFactor(pose, 2.0 * share * slope, 2.0 * share * curvature, share * sums[0], shown=CONTOUR)

    def within(self, mask: F32) -> ContourCorrespondences:
        """The same edges of an object of which only what lies in a mask, or next to it, can be seen.

        Args:
            mask: (H, W) of the crop, whose border may be off by a few pixels.
        """
        from scipy.ndimage import maximum_filter

        other = copy(self)
        grown = max(round(_OFF * max(mask.shape)), 2)
        other._shown = np.asarray(maximum_filter(np.asarray(mask) > 0.5, size=2 * grown + 1), bool)
        return other

    def seen(self, points: EdgePoints) -> NDArray[np.bool_]:
        """(N,) which points the mask shows, if one was given (`within`); all if hardly any are."""
        if self._shown is None:
            return np.ones(len(points.place), bool)
        height, width = self._shown.shape
        u, v = np.rint(points.place - _INSIDE_PX * points.normal).astype(np.intp).T
        shown = self._shown[np.clip(v, 0, height - 1), np.clip(u, 0, width - 1)]
        return shown if np.count_nonzero(shown) >= _LEAST_POINTS else np.ones(len(shown), bool)

    def weighing(self, factor: float) -> ContourCorrespondences:
        """The same edges, their weight multiplied."""
        other = copy(self)
        other.weight = factor * self.weight
        return other

    def information(self, factor: QuadraticFactor) -> F64:
        """(6, 6): of a factor of these edges, as the inverse of a covariance.

        Points next to each other take the same wrong edge: an outline has as many edges as err on their own.
        """
        return factor.curvature * (_INDEPENDENT / (2.0 * self.weight))

    def support(self, coverage: F32, depth: F32) -> float | None:
        """Share of a rendered outline that lies on edges, those with less contrast counting less; None without one."""
        points = ContourPoints(coverage, depth, self.camera)
        if len(points) < _LEAST_POINTS:
            return None
        sums = np.zeros(1)
        sum_support(
            self.smooth, self._usual, points.place, points.normal, _STRONG, LineScratch.of(samples(_BESIDE_PX)), sums
        )
        return float(sums[0]) / len(points)

    def _ratio(self, coverage: F32, points: ContourPoints) -> F32:
        """log p(colour | object) / p(colour | surroundings) (BINS^3,), by histograms either side of an outline."""
        inside, outside, ratio = (np.zeros(BINS**3, np.float32) for _ in range(3))
        ring = int(_RING * max(coverage.shape)) + 1
        count_colours(self._rgb, coverage, points.place, points.normal, ring, inside, outside)
        log_ratio(inside, outside, ratio)
        return ratio


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


def border(coverage: F32) -> NDArray[np.bool_]:
    """Covered pixels (H, W) next to one that is not, away from the picture's own border."""
    inside = coverage > 0.5
    within = inside[1:-1, 1:-1]
    walled = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    found = np.zeros_like(inside)
    found[1:-1, 1:-1] = within & ~walled
    return found
