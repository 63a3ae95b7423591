"""The channels of a modality in the regression: weights of residuals, what the light explains, sums over pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate import regression_kernel as kernel
from diffdope.estimate.regression_kernel import CHUNK
from diffdope.problem.level_problem import GainModel
from diffdope.problem.linearised import ResidualBlock

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

NEGLIGIBLE = 1e-4
"""Share of the largest curvature below which a modality says nothing."""
_FEWEST_TILES = 12  # fewer say little, and less than that after the pose was fitted
_ALIKE = 1e-9  # share of a determinant that is rounding
_WEAK = 1.0  # prior precision of the light's gain and offset, as good as none, and of an error in its deviations
_EVERY = 1e30  # a scale by which no residual is large
# Shading was taken out of the photograph before.
_COLUMNS: dict[GainModel, int] = {"as-is": 0, "gain": 1, "gain-bias": 2, "shading": 2}
_EYE, _NO_LIGHT = np.eye(7), np.zeros((1, 0, 7))


class ChannelSums(NamedTuple):
    """Over all pixels.

    loss: of Huber; weights (C, N) of the squares of residuals; moments (C, K + 7, K + 7): weighed products of rows.
    """

    loss: float
    weights: F32
    moments: F64


class Reduced(NamedTuple):
    """Moments (7, 7) of residual and Jacobian less what the light explains, and what Huber's loss adds up to."""

    moments: F64
    loss: float


class Channels:
    """Of one modality at one pose, and what the light explains of each.

    Args:
        rows: (C, K + 7, N) light's columns, residual, Jacobian.
        weight: (N,) of the pixels.
        lights: (C, K) of another pose close by, by which the search for them begins; None for none.

    Attributes:
        lights: (C, K, 7) what each of the light's columns explains of residual and Jacobian.
    """

    def __init__(self, rows: F32, weight: F32, lights: F64 | None = None) -> None:
        self.rows, self.weight, self.shared = rows, weight, rows.shape[1] - 7
        self.lights: F64 = np.zeros((len(rows), self.shared, 7))
        if lights is not None:
            self.lights[:, :, 0] = lights

    @property
    def residuals(self) -> F32:
        """(C, N) less what the light explains."""
        k, lights = self.shared, self.lights[:, :, 0].astype(np.float32)
        explained = [light @ rows[:k] for light, rows in zip(lights, self.rows, strict=True)]
        return np.asarray(self.rows[:, k] - np.stack(explained))

    @property
    def penalty(self) -> float:
        """Half the square of what is shared, over its prior variance."""
        return 0.5 * _WEAK * float(np.vdot(self.lights[:, :, 0], self.lights[:, :, 0]))

    def normal(self, found: ChannelSums) -> F64:
        """J^T W J (6, 6) of the Jacobians as they are, of sums over all rows."""
        first = self.shared + 1
        return np.asarray(found.moments[:, first:, first:].sum(axis=0))

    def sums(
        self, scale: float, *, strict: bool = False, count: int | None = None, weight: F32 | None = None
    ) -> ChannelSums:
        """Of residuals less what the light explains.

        Args:
            scale: standard deviation of the residuals.
            strict: psi'(u), the slope of Huber's influence, instead of psi(u) / u.
            count: of each channel's rows, how many have products; None for all.
            weight: (N,) instead of that of the pixels.
        """
        own = self.weight if weight is None else weight
        return summed(self.rows, own, self.lights, scale, strict, self.shared + 7 if count is None else count)

    def reduce(self, scale: float, unit: float) -> Reduced:
        """Sums of all channels with Huber's weights; finds and keeps the lights.

        Args:
            scale: standard deviation of the residuals.
            unit: factor on all of them.
        """
        found = self.sums(scale)
        moments, self.lights = self.reduced(unit * found.moments)
        return Reduced(moments, self.sums(scale, count=0).loss if self.shared else found.loss)

    def reduced(self, moments: F64) -> tuple[F64, F64]:
        """Sum (7, 7) of moments of residual and Jacobian less what the light explains, and the lights that do it.

        Args:
            moments: (C, K + 7, K + 7) of the rows.
        """
        k = self.shared
        if k == 0:
            return moments.sum(axis=0), self.lights
        lights = explained(moments, k, k + 7)
        left = moments[:, k:, k:] - moments[:, k:, :k] @ lights
        return (0.5 * (left + left.transpose(0, 2, 1))).sum(axis=0), lights

    def fit_lights(self, scale: float, unit: float) -> None:
        """Finds what the lights explain of the residuals alone, in a fraction of the time; `reduce` does the rest."""
        k = self.shared
        if k:
            moments = self.sums(scale, count=k + 1).moments[:, : k + 1, : k + 1]
            self.lights[:, :, :1] = explained(unit * moments, k, k + 1)

    def correlation(
        self, scale: float, units: F64, pixel: NDArray[np.int32], width: int, tiles: Sequence[int]
    ) -> float:  # fmt: skip
        """Variance of the scores over what the normal matrix makes of it: of the tile size for which it is largest.

        The scores are those at the modality's own optimum, one Gauss-Newton step away: how far the pose is from it says
        nothing about correlation.

        Args:
            scale: standard deviation of the residuals.
            units: (6,) of the pose.
            pixel: (N,) row-major index in the crop.
            width: of the crop.
            tiles: sides of tiles in pixels.
        """
        channels = len(self.rows)
        huber, strict = self.sums(scale, count=0).weights, self.sums(scale, strict=True)
        mix = np.concatenate([-self.lights.transpose(0, 2, 1), np.broadcast_to(_EYE, (channels, 7, 7))], axis=2)
        jacobian = mix[:, 1:]
        curvature = (jacobian @ strict.moments @ jacobian.transpose(0, 2, 1)).sum(axis=0)
        pulls = [rows @ pull for rows, pull in zip(self.rows, huber * self.residuals, strict=True)]
        gradient = (jacobian @ np.stack(pulls)[:, :, None]).sum(axis=0)[:, 0] * (units / scale)
        values, vectors = np.linalg.eigh(curvature * np.outer(units, units))
        seen = values > NEGLIGIBLE * max(values[-1], 1e-300)
        rank = int(np.count_nonzero(seen))
        if rank == 0:  # black, or one colour: nothing in it says anything about the pose
            return 1.0
        whiten = (vectors[:, seen] / np.sqrt(values[seen])).T
        directions = np.concatenate([whiten, (whiten.T @ (whiten @ gradient))[None]]) * units
        along, of_rows = directions @ jacobian, np.empty((channels, rank + 2, mix.shape[2]))
        of_rows[:, :rank], of_rows[:, rank], of_rows[:, rank + 1] = along[:, :rank], mix[:, 0] / scale, along[:, rank]
        height = int(pixel.max()) // width + 1
        most = max(((height - 1) // tile + 1) * ((width - 1) // tile + 1) for tile in (*tiles, width))
        scores, out = np.empty((rank, len(pixel)), np.float32), np.empty((len(tiles), 2))
        kernel.sum_scores(
            self.rows, huber, strict.weights, of_rows, pixel, width, height, np.array(tiles, np.int64),
            np.empty((rank + 2, CHUNK), np.float32), scores, np.empty((most, rank)), np.empty(most, np.int64), out,
        )  # fmt: skip
        # Over tiles, less what fitting has taken.
        over = [squares / rank * count / (count - 1) for squares, count in out.tolist() if count >= _FEWEST_TILES]
        return max(1e-6, float(np.vdot(scores, scores)) / rank, *over)


def explained(moments: F64, k: int, end: int) -> F64:
    """What the light explains (C, K, end - K) of rows K to end.

    One or two columns: `np.linalg` takes longer to set out than this.

    Args:
        moments: (C, R, R) of the rows, the K columns of the light first.
        k: K.
        end: of the rows.
    """
    if k == 1:
        return np.asarray(moments[:, :1, 1:end] / (moments[:, :1, :1] + _WEAK))
    a, b, c = moments[:, 0, 0] + _WEAK, moments[:, 0, 1], moments[:, 1, 1] + _WEAK
    # Colours that do not vary cannot tell gain from bias: the determinant is rounding, and any split will do.
    determinant = np.maximum(a * c - b * b, _ALIKE * a * c)
    inverse = np.stack([c, -b, -b, a], axis=1).reshape(-1, 2, 2) / determinant[:, None, None]
    return np.asarray(inverse @ moments[:, :2, 2:end])


def summed(rows: F32, weight: F32, lights: F64, scale: float, strict: bool, count: int) -> ChannelSums:
    """See `Channels.sums`."""
    channels, size, n = rows.shape
    weights, moments = np.empty((channels, n), np.float32), np.empty((channels, size, size))
    loss = kernel.sum_channels(
        rows, weight, lights, scale, strict, count, weights, np.empty(CHUNK, np.float32), moments
    )  # fmt: skip
    return ChannelSums(float(loss), weights, moments)


def products(rows: F32, weight: F32) -> F64:
    """Weighed products (R, R) of rows (R, N) with each other."""
    return np.asarray(summed(rows[None], weight, _NO_LIGHT, _EVERY, False, len(rows)).moments[0])


def rows_of(name: str, block: ResidualBlock, light: GainModel, common: F32 | None = None) -> F32:
    """A modality (C, K + 7, N) as the kernels take it.

    The K columns that all pixels share are, for colours, the light's gain and offset.

    Args:
        name: of the modality.
        block: its residuals and Jacobians.
        light: what is unknown of it.
        common: (N,) what one deviation of an unknown error that the whole object shares adds to the residuals, if there
            is one: the column of a modality other than colours.
    """
    n = len(block.pixel)
    shared = _COLUMNS[light] if name == "rgb" else int(common is not None)
    rows = np.empty((len(block.residual), shared + 7, n), np.float32)
    if shared:
        rows[:, :shared] = 1.0
        rows[:, 0] = block.rendered if common is None else common
    rows[:, shared], rows[:, shared + 1 :] = block.residual, block.jacobian
    return rows
