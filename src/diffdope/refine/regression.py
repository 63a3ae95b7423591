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
    lights: of each channel, from which its own is found in one round.
    """

    scale: float
    correlation: float
    lights: tuple[F64, ...]


class Information(NamedTuple):
    """Of one modality.

    matrix (6, 6); pretended (6, 6): as much may be the facets'; pull (6,): what one deviation of an error that the
    whole object shares adds to the gradient.
    """

    matrix: F64
    pretended: F64
    pull: F64


class Channel:
    """One channel of a modality: moments of (light's columns, residual, Jacobian), light eliminated.

    Args:
        rows: (K + 7, N) light's columns, residual, Jacobian.
        weight: (N,) of the pixels.
        light: (K,) of another pose close by.
    """

    def __init__(self, rows: F32, weight: F32, light: F64 | None = None) -> None:
        self.rows, self.weight, self.shared = rows, weight, len(rows) - 7
        self.light: F64 = np.zeros((self.shared, 7))
        self.residual: F32 = rows[self.shared]
        if light is not None and self.shared:
            self.light[:, 0] = light
            self.residual = self._without(light)

    def _without(self, light: F64) -> F32:
        """The residual (N,) less what a light (K,) explains."""
        explained = light.astype(np.float32) @ self.rows[: self.shared]
        return np.asarray(self.rows[self.shared] - explained, np.float32)

    def reduce(self, weight: F32) -> F64:
        """Moments (7, 7) of residual and Jacobian less what the light explains; weight (N,) of their squares."""
        k = self.shared
        moments = ((self.rows * weight) @ self.rows.T).astype(np.float64)
        if k == 0:
            return moments
        self.light = np.asarray(np.linalg.solve(moments[:k, :k] + _WEAK * np.eye(k), moments[:k, k:]), np.float64)
        self.residual = self._without(self.light[:, 0])
        return np.asarray(moments[k:, k:] - moments[k:, :k] @ self.light)

    @property
    def jacobian(self) -> F32:
        """(6, N) less what the light explains."""
        own = self.rows[self.shared + 1 :]
        return own if self.shared == 0 else own - self.light[:, 1:].T.astype(np.float32) @ self.rows[: self.shared]


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
        self._channels = channels_of(name, block, view.light, () if known is None else known.lights)
        self.count = float(block.weight.sum())
        scale, correlation = self._estimate(noise.least(name)) if known is None else known[:2]
        moments = self._moments(scale, correlation, rounds=2 if known is None else 1)
        self.known = Known(scale, correlation, tuple(channel.light[:, 0] for channel in self._channels))
        self.gradient, self.step = moments[0, 1:], moments[1:, 1:]
        self.cost = (
            sum(float(robust.loss(channel.residual / np.float32(scale)) @ channel.weight) for channel in self._channels)
            / correlation
        )

    def _estimate(self, least: float) -> tuple[float, float]:
        """Scale and correlation of the residuals."""
        there = self._block.weight > 0.0
        everywhere = bool(there.all())
        scale = least
        for _ in range(2):
            sizes = [c.residual if everywhere else c.residual[there] for c in self._channels]
            scale = robust.scale(np.concatenate(sizes), least)
            self._moments(scale, 1.0, rounds=1)
        return scale, self._correlation(scale)

    def _moments(self, scale: float, correlation: float, rounds: int) -> F64:
        """Sum over the channels of the moments with Huber's weights."""
        unit = np.float32(1.0 / (scale * scale * correlation))
        total = np.zeros((7, 7))
        for channel in self._channels:
            for _ in range(rounds if channel.shared else 1):
                weight = channel.weight * robust.weight(channel.residual / np.float32(scale)) * unit
                moments = channel.reduce(weight)
            total += moments
        return symmetric(total)

    def _correlation(self, scale: float) -> float:
        """Variance of the scores over what the normal matrix makes of it: of the tile size for which it is largest.

        The scores are those at the modality's own optimum, one Gauss-Newton step away: how far the pose is from it says
        nothing about correlation.
        """
        units = self._view.units.astype(np.float32)[:, None]
        parts, curvature, gradient = [], np.zeros((6, 6)), np.zeros(6)
        for channel in self._channels:
            u, J = channel.residual / np.float32(scale), channel.jacobian * units
            pull, strict = channel.weight * robust.influence(u), channel.weight * robust.slope(u)
            curvature += ((J * strict) @ J.T).astype(np.float64)
            gradient += J @ pull
            parts.append((J, pull, strict))
        values, vectors = np.linalg.eigh(symmetric(curvature))
        seen = values > _NEGLIGIBLE * max(values[-1], 1e-300)
        whiten = (vectors[:, seen] / np.sqrt(values[seen])).T
        step = (whiten.T @ (whiten @ gradient)).astype(np.float32)
        scores = np.zeros((6, len(self._block.pixel)), np.float32)
        for J, pull, strict in parts:
            scores += J * (pull - strict * (step @ J))
        white = whiten.astype(np.float32) @ scores
        return max(1e-6, *(self._spread_of_sums(white, tile) for tile in (1, *self._noise.tiles)))

    def _spread_of_sums(self, white: F32, tile: int) -> float:
        """Mean square of sums (R, N) over tiles of a side, less what fitting has taken; 0 for too few tiles."""
        rank = len(white)
        if tile == 1:
            return float((white**2).sum()) / rank
        y, x = np.divmod(self._block.pixel, self._view.width)
        number = (y // tile) * (self._view.width // tile + 1) + x // tile
        count = len(np.unique(number))
        if count < _LEAST_TILES:
            return 0.0
        sums = np.stack([np.bincount(number, row) for row in white])
        return float((sums**2).sum()) / rank * count / (count - 1)

    def information(self, *, correlated: bool = True) -> Information:
        """What the modality says about the pose.

        Args:
            correlated: False to take residuals for independent, as long as the pose is not final.
        """
        scale, correlation, _ = self.known
        correlation = correlation * max(1.0, self.tension) if correlated else 1.0
        unit = np.float32(1.0 / (scale * scale * correlation))
        total, leaning, pull = np.zeros((6, 6)), np.zeros((6, 6)), np.zeros(6)
        bias = self._bias()
        for channel in self._channels:
            weight = channel.weight * robust.slope(channel.residual / np.float32(scale)) * unit
            total += channel.reduce(weight)[1:, 1:]
            leaning += self._leaning(channel.rows[channel.shared + 1 :], weight)
            pull += channel.jacobian @ (weight * bias)
        return Information(symmetric(total), symmetric(leaning), pull)

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

    def _bias(self) -> F32:
        """(N,) what one deviation of an error that the whole object shares adds to the residuals."""
        noise, view, n = self._noise, self._view, len(self._block.pixel)
        if self.name == "depth":
            return np.full(n, noise.depth_bias * view.distance_m, np.float32)
        if self.name == "mask":
            # A pixel's coverage changes as the border moves along its normal, whether the pose or the mask moves it.
            along = np.linalg.norm(self._block.jacobian[0, :3], axis=0)
            return np.asarray(along * np.float32(view.pixel_m * noise.mask_bias_px))
        return np.zeros(n, np.float32)

    def _leaning(self, jacobian: F32, weight: F32) -> F64:
        """J^T W J that leaning facets would pretend: in each row tilt^2 |m|^2, m the motion across what is seen there.

        A normal n + e instead of n changes the depth n . dX / n . v by e . m / n . v with m = dX - v dZ, v the ray and
        dZ the depth's change: going along the ray does not slide over the surface. An outline only does not notice a
        shift along the ray.
        """
        a = weight * self._block.lever * (jacobian[:3] ** 2).sum(axis=0) * np.float32(_LEANING * self._view.tilt**2)
        o, v = self._block.offset, self._view.ray.astype(np.float32)
        motion = np.zeros((3, 6, len(a)), np.float32)  # d X / d (rho, phi) = [I, -[o]x]
        for k in range(3):
            motion[k, k] = 1.0
        motion[0, 4], motion[0, 5], motion[1, 3] = o[2], -o[1], -o[2]
        motion[1, 5], motion[2, 3], motion[2, 4] = o[0], o[1], -o[0]
        slide = self._block.slide
        if slide is None:
            slide = np.zeros((6, len(a)), np.float32)
            slide[2] = 1.0
        motion -= v[:, None, None] * slide
        return sum((((row * a) @ row.T).astype(np.float64) for row in motion), np.zeros((6, 6)))


def channels_of(name: str, block: Block, light: LightModel, lights: tuple[F64, ...]) -> list[Channel]:
    """The channels of a modality; colours have the light's columns, gain and offset, and the lights if known."""
    n = len(block.pixel)
    shared = {"as-is": 0, "gain": 1, "gain-bias": 2}[light] if name == "rgb" else 0
    channels = []
    for c, (residual, jacobian, rendered) in enumerate(
        zip(block.residual, block.jacobian, block.rendered, strict=True)
    ):
        rows = np.empty((shared + 7, n), np.float32)
        if shared:
            rows[:shared] = 1.0
            rows[0] = rendered
        rows[shared], rows[shared + 1 :] = residual, jacobian
        channels.append(Channel(rows, block.weight, lights[c] if lights else None))
    return channels


def regress(
    linearised: Linearised, view: View, noise: NoiseSettings, known: Mapping[str, Known] | None = None
) -> dict[str, Part]:
    """Normal equations of each modality at the pose where it was linearised; for the arguments see `Part`."""
    held = {} if known is None else known
    return {name: Part(name, block, view, noise, held.get(name)) for name, block in linearised.blocks.items()}


def symmetric(matrix: F64) -> F64:
    """Rounding's asymmetry taken out."""
    return np.asarray(0.5 * (matrix + matrix.T))
