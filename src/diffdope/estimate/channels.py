"""The channels of a modality in the regression: weights of residuals, what the light explains, sums over pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate import equations_kernel as kernel
from diffdope.estimate.regression_kernel import WEAK
from diffdope.problem.level_problem import GainModel
from diffdope.problem.linearised import ResidualBlock

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# Shading was taken out of the photograph before.
_COLUMNS: dict[GainModel, int] = {"as-is": 0, "gain": 1, "gain-bias": 2, "shading": 2}
_NOTHING = np.empty((0, 0))


class Reduced(NamedTuple):
    """Moments (7, 7) of residual and Jacobian less what the light explains, and what Huber's loss adds up to."""

    moments: F64
    loss: float


class SeenSurface(NamedTuple):
    """What is seen at the N pixels of a modality.

    sensitivity (N,) and offset (3, N): see `linearised.ResidualBlock`; slide (6, N): Jacobian of its depth; tilt:
    variance by which facets lean, radians squared.
    """

    sensitivity: F32
    offset: F32
    slide: F32
    tilt: float


class ChannelInformation(NamedTuple):
    """matrix (6, 6) of the pose; weights (C, N) of the squares of residuals; leaning (10, 10), see the kernel."""

    matrix: F64
    weights: F32
    leaning: F64


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
        self._room = kernel.SumRoom.of(len(rows), rows.shape[1])

    @property
    def residuals(self) -> F32:
        """(C, N) less what the light explains."""
        k, lights = self.shared, self.lights[:, :, 0].astype(np.float32)
        explained = [light @ rows[:k] for light, rows in zip(lights, self.rows, strict=True)]
        return np.asarray(self.rows[:, k] - np.stack(explained))

    @property
    def penalty(self) -> float:
        """Half the square of what is shared, over its prior variance."""
        return 0.5 * WEAK * float(np.vdot(self.lights[:, :, 0], self.lights[:, :, 0]))

    def reduce(self, scale: float, unit: float) -> Reduced:
        """Sums of all channels with Huber's weights; finds and keeps the lights.

        Args:
            scale: standard deviation of the residuals.
            unit: factor on all of them.
        """
        moments = np.empty((7, 7))
        return Reduced(moments, self._reduced(scale, unit, moments, whole=True))

    def fit_lights(self, scale: float, unit: float) -> None:
        """Finds what the lights explain of the residuals alone, in a fraction of the time; `reduce` does the rest."""
        if self.shared:
            self._reduced(scale, unit, _NOTHING, whole=False)

    def _reduced(self, scale: float, unit: float, moments: F64, *, whole: bool) -> float:
        weights = np.empty(self.rows[:, 0].shape, np.float32)
        return float(
            kernel.reduce_channels(
                self.rows, self.weight, self.lights, scale, unit, whole, self._room, weights, moments
            )
        )

    def inform(self, scale: float, unit: float, surface: SeenSurface, *, light: bool) -> ChannelInformation:
        """What they say about the pose; for the arguments see `equations_kernel.inform`."""
        weights, moments = np.empty(self.rows[:, 0].shape, np.float32), np.empty((7, 7))
        leaning = np.empty((10, 10))
        kernel.inform(
            self.rows, self.weight, self.lights.copy(), scale, unit, surface.sensitivity, surface.tilt, light,
            surface.offset, surface.slide, self._room, weights, moments, leaning,
        )  # fmt: skip
        return ChannelInformation(moments[1:, 1:], weights, leaning)

    def correlation(
        self, scale: float, units: F64, pixel: NDArray[np.int32], width: int, tiles: Sequence[int]
    ) -> float:  # fmt: skip
        """Variance of the scores over what the normal matrix makes of it; see `equations_kernel.correlation_of`.

        Args:
            scale: standard deviation of the residuals.
            units: (6,) of the pose.
            pixel: (N,) row-major index in the crop.
            width: of the crop.
            tiles: sides of tiles in pixels.
        """
        channels, size, n = self.rows.shape
        height, least = int(pixel.max()) // width + 1, min(tiles, default=width)
        most = ((height - 1) // least + 1) * ((width - 1) // least + 1)
        return float(
            kernel.correlation_of(
                self.rows, self.weight, self.lights, scale, units, pixel, width, np.array(tiles, np.int64), self._room,
                kernel.TileRoom.of(channels, size, n, most),
            )
        )  # fmt: skip


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
