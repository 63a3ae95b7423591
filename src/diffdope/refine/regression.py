"""The objective at one pose as a robust regression: what each modality says about the pose, and how surely.

Three things make it more than J^T J / sigma^2. The light, which all pixels share, is an unknown of its own, eliminated
(its correction: what was fitted before was fitted at another pose). Residuals of neighbouring pixels are not
independent: sums of scores over tiles say how much less they know together (a sandwich estimate with clusters, Liang
and Zeger 1986). And the facets of a mesh lean away from the surface they stand for, which must not be taken for shape:
a ball of triangles would feel its turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.objective.linear import Block, Linearised
from diffdope.optimize import robust
from diffdope.refine import regression_kernel as kernel
from diffdope.refine.settings import LightModel, NoiseSettings

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_WEAK = 1.0  # prior precision of the light's gain and offset: as good as none
_NEGLIGIBLE = 1e-4  # share of the largest curvature below which a modality says nothing
_LEAST_TILES = 12  # fewer say little, and less than that after the pose was fitted
_LEANING = 4.0  # variance: the visible part of a mesh may lean twice as far as the average of the whole


@dataclass(frozen=True)
class View:
    """What the regression needs to know beside the images.

    distance_m: of the object; pixel_m: length of a pixel there; length_m: half the diameter; tilt: of the mesh's
    facets [rad]; width: of the crop in pixels; light: what was fitted of it; ray (3,) towards the object, its depth 1.
    """

    distance_m: float
    pixel_m: float
    length_m: float
    tilt: float
    width: int
    light: LightModel
    ray: F64

    @property
    def units(self) -> F64:
        """(6,) multiplies (rho / length, phi)."""
        return np.array([self.length_m] * 3 + [1.0] * 3)


class Known(NamedTuple):
    """What is known of a modality from another pose close by.

    scale: standard deviation; correlation: variance over that of single pixels, both held while the pose moves;
    light: (C, K) of each channel, from which its own is found in one round.
    """

    scale: float
    correlation: float
    light: F64


class Information(NamedTuple):
    """Of one modality.

    matrix (6, 6); pretended (6, 6): as much may be the facets'; pull (6,): what one deviation of an error that the
    whole object shares adds to the gradient.
    """

    matrix: F64
    pretended: F64
    pull: F64


class Part:
    """One modality at one pose.

    Args:
        name: of the modality.
        block: its residuals and Jacobians.
        view: see there.
        noise: what is known about errors.
        known: scale and correlation to hold; estimated if missing.

    Attributes:
        gradient: (6,) of the cost.
        step: (6, 6) curvature for Gauss-Newton, in (rho [m], phi [rad]) as all of them.
        cost: Huber's, over the correlation.
        count: sum of the pixels' weights.
        known: the scale, the correlation and the lights.
    """

    def __init__(self, name: str, block: Block, view: View, noise: NoiseSettings, known: Known | None = None) -> None:
        self.name, self._block, self._view, self._noise = name, block, view, noise
        self._rows, self._weight = rows_of(name, block, view.light), np.ascontiguousarray(block.weight, np.float32)
        channels, width, _ = self._rows.shape
        self._light = np.zeros((channels, width - 7, 7))
        self._room = np.empty((kernel.ROOM, kernel.CHUNK), np.float32)
        self.count = float(self._weight.sum())
        if known is not None:
            self._light[:, :, 0] = known.light
        scale, correlation = self._estimate(noise.least(name)) if known is None else known[:2]
        moments = self._moments(self._light, scale, correlation, rounds=2 if known is None else 1)
        self.known = Known(scale, correlation, self._light[:, :, 0].copy())
        self.gradient, self.step = moments[0, 1:], moments[1:, 1:]
        self.cost = float(kernel.sum_loss(self._rows, self._weight, self._light, scale, self._room)) / correlation

    def _estimate(self, least: float) -> tuple[float, float]:
        """Scale and correlation of the residuals."""
        there = self._weight > 0.0
        everywhere = bool(there.all())
        scale, residual = least, np.empty(self._rows.shape[::2], np.float32)
        for _ in range(2):
            kernel.list_residuals(self._rows, self._light, residual)
            scale = robust.scale(residual if everywhere else residual[:, there], least)
            self._moments(self._light, scale, 1.0, rounds=1)
        return scale, self._correlation(scale)

    def _moments(self, light: F64, scale: float, correlation: float, *, rounds: int, strict: bool = False) -> F64:
        """Sum over the channels of the moments with Huber's weights; finds the light."""
        total, inner = np.empty((7, 7)), np.empty((len(self._rows[0]),) * 2)
        unit = np.float32(1.0 / (scale * scale * correlation))
        kernel.sum_channels(
            self._rows, self._weight, light, scale, unit, rounds, strict, _WEAK, self._room, inner, total
        )
        return total

    def _correlation(self, scale: float) -> float:
        """Variance of the scores over what the normal matrix makes of it: of the tile size for which it is largest.

        The scores are those at the modality's own optimum, one Gauss-Newton step away: how far the pose is from it says
        nothing about correlation.
        """
        shared = (self._rows, self._weight, self._light, scale, self._view.units)
        curvature, gradient = np.empty((6, 6)), np.empty(6)
        kernel.sum_scores(*shared, self._room, curvature, gradient)
        values, vectors = np.linalg.eigh(curvature)
        seen = values > _NEGLIGIBLE * max(values[-1], 1e-300)
        whiten = np.ascontiguousarray((vectors[:, seen] / np.sqrt(values[seen])).T)
        step = whiten.T @ (whiten @ gradient)
        white = np.empty((len(whiten), len(self._weight)), np.float32)
        kernel.list_scores(*shared, step, whiten, self._room, white)
        return max(1e-6, *(self._spread_of_sums(white, tile) for tile in (1, *self._noise.tiles)))

    def _spread_of_sums(self, white: F32, tile: int) -> float:
        """Mean square of sums (R, N) over tiles of a side, less what fitting has taken; 0 for too few tiles."""
        rank = len(white)
        if tile == 1:
            return float(np.vdot(white, white)) / rank
        pixel, width = self._block.pixel, self._view.width
        tiles = (int(pixel.max()) // width // tile + 1) * ((width - 1) // tile + 1)
        sums, seen = np.empty((tiles, rank)), np.empty(tiles, np.int64)
        count = int(kernel.sum_tiles(white, pixel, width, tile, sums, seen))
        if count < _LEAST_TILES:
            return 0.0
        return float(np.vdot(sums, sums)) / rank * count / (count - 1)

    def information(self, *, correlated: bool = True) -> Information:
        """What the modality says about the pose.

        Args:
            correlated: False to take residuals for independent, as long as the pose is not final.
        """
        scale, correlation, _ = self.known
        correlation = correlation * max(1.0, self.tension) if correlated else 1.0
        light, unit = self._light.copy(), 1.0 / (scale * scale * correlation)
        total = self._moments(light, scale, correlation, rounds=1, strict=True)[1:, 1:]
        leaning, pull = unit * _LEANING * self._view.tilt**2 * self._leaning(scale), np.zeros(6)
        bias = self._bias()
        if bias is not None:
            kernel.sum_pulls(self._rows, self._weight, scale, bias, self._room, pull)
        return Information(total, leaning, unit * pull)

    @property
    def tension(self) -> float:
        """How hard the modality pulls at the pose, against what its own errors explain: 1 if they explain it all.

        More is what nothing else tells: that its errors are shared by the whole object, or that it was outvoted. As
        with measurements that disagree (Birge 1932), it is taken for larger errors of its own.
        """
        units = self._view.units
        values, vectors = np.linalg.eigh(self.step * np.outer(units, units))
        seen = values > _NEGLIGIBLE * max(values[-1], 1e-300)
        along = vectors[:, seen].T @ (self.gradient * units)
        return float((along**2 / values[seen]).sum() / max(int(seen.sum()), 1))

    def _bias(self) -> F32 | None:
        """(N,) what one deviation of an error that the whole object shares adds to the residuals; None for nothing."""
        noise, view = self._noise, self._view
        if self.name == "depth":
            return np.full(len(self._weight), noise.depth_bias * view.distance_m, np.float32)
        if self.name == "mask":
            # A pixel's coverage changes as the border moves along its normal, whether the pose or the mask moves it.
            along = np.linalg.norm(self._block.jacobian[0, :3], axis=0)
            return np.asarray(along * np.float32(view.pixel_m * noise.mask_bias_px), np.float32)
        return None

    def _leaning(self, scale: float) -> F64:
        """J^T W J that facets leaning by a radian would pretend: of each row |m|^2, m the motion across what is seen.

        A normal n + e instead of n changes the depth n . dX / n . v by e . m / n . v with m = dX - v dZ, v the ray and
        dZ the depth's change: going along the ray does not slide over the surface. An outline only does not notice a
        shift along the ray.
        """
        slide = self._block.slide
        if slide is None:
            slide = np.zeros((6, len(self._weight)), np.float32)
            slide[2] = 1.0
        total = np.empty((6, 6))
        offset, slide = np.ascontiguousarray(self._block.offset), np.ascontiguousarray(slide)
        rows, weight, lever = self._rows, self._weight, self._block.lever
        kernel.sum_leaning(rows, weight, self._light, scale, offset, lever, slide, self._view.ray, self._room, total)
        return total


def rows_of(name: str, block: Block, light: LightModel) -> F32:
    """A modality (C, K + 7, N) as the kernel takes it: colours have the light's K columns, gain and offset."""
    n = len(block.pixel)
    shared = {"as-is": 0, "gain": 1, "gain-bias": 2}[light] if name == "rgb" else 0
    rows = np.empty((len(block.residual), shared + 7, n), np.float32)
    if shared:
        rows[:, :shared] = 1.0
        rows[:, 0] = block.rendered
    rows[:, shared], rows[:, shared + 1 :] = block.residual, block.jacobian
    return rows


def regress(
    linearised: Linearised, view: View, noise: NoiseSettings, known: Mapping[str, Known] | None = None
) -> dict[str, Part]:
    """Normal equations of each modality at the pose where it was linearised; for the arguments see `Part`."""
    held = {} if known is None else known
    return {name: Part(name, block, view, noise, held.get(name)) for name, block in linearised.blocks.items()}
