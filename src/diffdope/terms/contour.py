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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import DiffDopeError, check_at_least_zero
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.terms.layout import CONTOUR
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_STEP = 0.5  # pixels between samples along a normal
_LEAST_POINTS = 20
_BLUR = 0.7  # of the photograph, pixels
_AROUND = 1.0 / 16.0  # share of the crop over which the usual contrast is taken
_FLAT = 0.01  # contrast that noise alone has
_STRONG = 3.0  # an edge with so many times the usual contrast is as good as any
_BLIND = 0.3  # variance of the place of the best edge, pixels^2
_FAR = 0.6  # share of the reach at which an edge counts half an e-fold less
_INDEPENDENT = 10.0  # edges around an outline that err on their own
_BINS = 16  # of each colour's histogram
_LEFT = 0.1  # share of an edge's contrast that is left where the model has as much
_CLEAR = 3  # pixels next to the outline that the statistics leave out
_RING = 25.0 / 160.0  # share of the crop around the outline that is taken for the surroundings


@dataclass(frozen=True)
@checked_fields()
class ContourSettings:
    """How edges hold the outline."""

    weight: float = 0.014
    """What an outline pays that is one pixel off good edges all around; 0 leaves edges out."""
    weight_with_depth: float = 0.0
    """The same where depth is compared, which holds the object better than edges do."""
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
    tolerance_px: float = 1.5
    """Edges farther off than this count as outliers do (Cauchy)."""

    @property
    def active(self) -> bool:
        """Whether edges ever count."""
        return self.weight > 0.0 or self.weight_with_depth > 0.0

    def __post_init__(self) -> None:
        """Refuses numbers that make no search."""
        if not self.reach_px or min(self.reach_px) < 1.0:
            raise DiffDopeError(f"reach_px: expected at least one round of 1 pixel or more, got {self.reach_px}")
        check_at_least_zero(self, "weight", "weight_with_depth", "contrast", "colours", "painted")
        if self.closing_px and min(self.closing_px) < 1.0:
            raise DiffDopeError(f"closing_px: expected rounds of 1 pixel or more, got {self.closing_px}")
        if not 0.0 < self.closing <= 1.0:
            raise DiffDopeError(f"closing: expected a share above 0, at most 1, got {self.closing}")
        if self.closing_steps < 1:
            raise DiffDopeError(f"closing_steps: expected at least 1, got {self.closing_steps}")
        if not self.tolerance_px > 0.0:
            raise DiffDopeError(f"tolerance_px: expected a number > 0, got {self.tolerance_px}")


class ContourPoints:
    """Points of a rendered outline: place (N, 2) in pixels, outward normal (N, 2), camera-frame point (N, 3) [m]."""

    def __init__(self, coverage: F32, depth: F32, camera: Camera) -> None:
        from scipy.ndimage import gaussian_filter

        smooth = gaussian_filter(coverage.astype(np.float64), 1.5)
        down, across = _slopes(smooth)
        v, u = np.nonzero(border(coverage) & (depth > 0.0))
        slope = np.maximum(np.hypot(across[v, u], down[v, u]), 1e-6)
        self.normal = -np.stack([across[v, u], down[v, u]], axis=1) / slope[:, None]
        off = np.clip((smooth[v, u] - 0.5) / slope, -1.5, 1.5)
        self.place = np.stack([u, v], axis=1) + off[:, None] * self.normal
        z = depth[v, u].astype(np.float64)
        x, y = (self.place[:, 0] - camera.cx) / camera.fx, (self.place[:, 1] - camera.cy) / camera.fy
        self.X_c = np.stack([x * z, y * z, z], axis=1)

    def __len__(self) -> int:
        return len(self.place)

    def along(self, off: F64) -> F64:
        """Rows and columns (2, N, S) at offsets (S,) along the normals."""
        at = self.place[:, None, :] + off[None, :, None] * self.normal[:, None, :]
        return np.stack([at[..., 1], at[..., 0]])

    def jacobian(self, camera: Camera, centre: F64) -> F64:
        """(N, 6): pixels by which a point moves along its normal, by (rho [m], phi [rad]) about `centre`."""
        x, y, z = self.X_c.T
        a, b = camera.fx * self.normal[:, 0] / z, camera.fy * self.normal[:, 1] / z
        row = np.stack([a, b, -(a * x + b * y) / z], axis=1)
        return np.concatenate([row, np.cross(self.X_c - centre, row)], axis=1)


def _slopes(image: F64) -> tuple[F64, F64]:
    """Differences down and across (H, W, ...); 0 along an axis of a single pixel, as crops at a border may have."""
    down, across = (np.gradient(image, axis=k) if image.shape[k] > 1 else np.zeros_like(image) for k in (0, 1))
    return down, across


class ContourCorrespondences:
    """The edges of one crop.

    Args:
        rgb: (H, W, 3) in [0, 1].
        camera: of the crop.
        settings: see there.
    """

    def __init__(self, rgb: F32, camera: Camera, settings: ContourSettings) -> None:
        from scipy.ndimage import gaussian_filter

        self.weight = settings.weight
        self._camera, self._settings = camera, settings
        self._rgb = rgb
        smooth = gaussian_filter(rgb.astype(np.float64), (_BLUR, _BLUR, 0.0))
        down, across = _slopes(smooth)
        strength = np.sqrt((down**2 + across**2).sum(axis=2))
        usual = gaussian_filter(strength, _AROUND * max(strength.shape)) + _FLAT
        self._planes = [*np.moveaxis(smooth, 2, 0), usual]

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
        points = ContourPoints(coverage, depth, self._camera)
        if len(points) < _LEAST_POINTS:
            return None
        s = self._settings
        off = np.arange(-reach_px, reach_px + 0.5 * _STEP, _STEP)
        sides = OutlineDistances.of(coverage)
        contrast, inside = self._along(points, off, self._likely(sides) if s.colours > 0.0 else None)
        if rgb is not None and s.painted > 0.0:
            painted = s.painted * self._painted(points, off, coverage, rgb, sides)
            contrast = np.maximum(contrast - painted, _LEFT * contrast)
        likely = contrast**s.contrast * np.exp(-0.5 * (off / (_FAR * reach_px)) ** 2)
        if inside is not None:  # what is within an edge at an offset should look like the object, what is beyond not
            so_far = np.cumsum(inside, axis=1)
            parted = s.colours * (so_far - 0.5 * so_far[:, -1:])
            likely *= np.exp(parted - parted.max(axis=1, keepdims=True))
        total = likely.sum(axis=1) + 1e-9
        mean = (likely @ off) / total
        variance = (likely @ off**2) / total - mean**2
        weight = np.minimum(contrast.max(axis=1) / _STRONG, 1.0) / (variance + _BLIND)
        weight /= 1.0 + (mean / s.tolerance_px) ** 2
        jacobian = points.jacobian(self._camera, pose.t_m2c)
        weighted = (2.0 * self.weight / len(points)) * weight[:, None] * jacobian
        constant = self.weight * float(weight @ mean**2) / len(points)
        return QuadraticFactor(pose, -weighted.T @ mean, weighted.T @ jacobian, constant, shown=CONTOUR)

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
        points = ContourPoints(coverage, depth, self._camera)
        if len(points) < _LEAST_POINTS:
            return None
        contrast, _ = self._along(points, np.arange(-2.0, 2.1, _STEP), None)
        return float(np.minimum(contrast[:, 2:-2].max(axis=1) / _STRONG, 1.0).mean())

    def _along(self, points: ContourPoints, off: F64, likely: F64 | None) -> tuple[F64, F64 | None]:
        """Contrast across the outline at offsets along its normals (N, S), and how likely they are the object's."""
        where = points.along(off)
        *colours, usual = (sampled(plane, where) for plane in self._planes)
        return change(colours) / usual, None if likely is None else sampled(likely, where)

    def _painted(self, points: ContourPoints, off: F64, coverage: F32, rgb: F32, sides: OutlineDistances) -> F64:
        """The contrast (N, S) that the model itself has there, within a sample: none beyond its outline."""
        from scipy.ndimage import gaussian_filter, maximum_filter1d

        own = (rgb / np.maximum(coverage, 1e-3)[..., None])[sides.nearest]
        smooth = gaussian_filter(own.astype(np.float64), (_BLUR, _BLUR, 0.0))
        where = points.along(off)
        contrast = change([sampled(smooth[..., c], where) for c in range(3)]) / sampled(self._planes[-1], where)
        return np.asarray(maximum_filter1d(contrast, 3, axis=1))

    def _likely(self, sides: OutlineDistances) -> F64:
        """log p(colour | object) / p(colour | surroundings) of every pixel (H, W), by histograms either side."""
        from scipy.ndimage import gaussian_filter

        cell = np.minimum((self._rgb * _BINS).astype(np.intp), _BINS - 1)
        cell = (cell[..., 0] * _BINS + cell[..., 1]) * _BINS + cell[..., 2]

        def density(chosen: NDArray[np.bool_]) -> F64:
            counts = np.bincount(cell[chosen], minlength=_BINS**3).astype(np.float64)
            spread = gaussian_filter(counts.reshape(_BINS, _BINS, _BINS), 0.7, mode="nearest").ravel()
            return np.asarray(spread / max(spread.sum(), 1e-9) + 0.1 / _BINS**3)

        ring = (sides.away > _CLEAR) & (sides.away < _RING * max(sides.away.shape))
        ratio = np.log(density(sides.deep > _CLEAR) / density(ring))
        return np.asarray(np.clip(ratio, -2.0, 2.0)[cell])


class OutlineDistances(NamedTuple):
    """Distances (H, W), in pixels, from a rendered outline: `deep` inside of it, `away` outside; 0 on the other side.

    nearest: row and column, (2, H, W), of the pixel of the object that is nearest to each.
    """

    deep: F64
    away: F64
    nearest: tuple[NDArray[np.intp], ...]

    @classmethod
    def of(cls, coverage: F32) -> OutlineDistances:
        """Of a rendering (H, W)."""
        from scipy.ndimage import distance_transform_edt

        inside = coverage > 0.5
        away, nearest = distance_transform_edt(~inside, return_indices=True)
        return cls(distance_transform_edt(inside), away, tuple(nearest))


def sampled(plane: F64, where: F64) -> F64:
    """A plane (H, W) between its pixels, at rows and columns (2, N, S)."""
    from scipy.ndimage import map_coordinates

    return np.asarray(map_coordinates(plane, where, order=1, mode="nearest"))


def change(colours: list[F64]) -> F64:
    """How fast colours (3, N, S) change from sample to sample, a pixel."""
    slopes = np.gradient(np.stack(colours), _STEP, axis=2)
    return np.asarray(np.sqrt((slopes**2).sum(axis=0)))


def border(coverage: F32) -> NDArray[np.bool_]:
    """Covered pixels (H, W) next to one that is not, away from the picture's own border."""
    inside = coverage > 0.5
    within = inside[1:-1, 1:-1]
    walled = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    found = np.zeros_like(inside)
    found[1:-1, 1:-1] = within & ~walled
    return found
