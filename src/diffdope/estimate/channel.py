"""One channel of a modality in the regression: weights of its residuals, what the light explains, sums over pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate import regression_kernel as kernel
from diffdope.problem.level_problem import GainModel
from diffdope.problem.linearised import ResidualBlock

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_ALIKE = 1e-9  # share of a determinant that is rounding
_WEAK = 1.0  # prior precision of the light's gain and offset, as good as none, and of an error in its deviations
_COLUMNS = {"as-is": 0, "gain": 1, "gain-bias": 2, "shading": 2}  # shading was taken out of the photograph before


class Channel:
    """One channel of a modality, and what the light explains of it.

    Args:
        rows: (K + 7, N) light's columns, residual, Jacobian.
        weight: (N,) of the pixels.
        light: (K,) of another pose close by.
    """

    def __init__(self, rows: F32, weight: F32, light: F64 | None = None) -> None:
        self.rows, self.shared, self._weight = rows, len(rows) - 7, weight
        self.light: F64 = np.zeros((self.shared, 7))
        if light is not None:
            self.light[:, 0] = light

    @property
    def residual(self) -> F32:
        """(N,) less what the light explains."""
        explained = self.light[:, 0].astype(np.float32) @ self.rows[: self.shared]
        return np.asarray(self.rows[self.shared] - explained, np.float32)

    def weigh(self, scale: float, *, strict: bool = False) -> tuple[F32, float]:
        """Weights (N,) of the squares of the residuals, and their loss; see the kernel."""
        weight = np.empty(len(self._weight), np.float32)
        loss = kernel.list_weights(self.rows, self._weight, self.light[:, 0].copy(), scale, strict, weight)
        return weight, float(loss)

    def reduced(self, weight: F32, unit: float) -> tuple[F64, F64]:
        """Moments (7, 7) of residual and Jacobian less what the light explains, and the light (K, 7) that does it.

        Args:
            weight: (N,) of their squares.
            unit: factor on all of them.
        """
        k, moments = self.shared, unit * products(self.rows, weight)
        if k == 0:
            return moments, self.light
        light = inverse(moments[:k, :k]) @ moments[:k, k:]
        left = moments[k:, k:] - moments[k:, :k] @ light
        return 0.5 * (left + left.T), light

    def fit_light(self, weight: F32, unit: float) -> None:
        """Finds what the light explains of the residual alone, in a fraction of the time; `reduce` does the rest."""
        k = self.shared
        moments = unit * products(self.rows[: k + 1], weight)
        self.light[:, 0] = inverse(moments[:k, :k]) @ moments[:k, k]

    def reduce(self, weight: F32, unit: float) -> F64:
        """The same moments; keeps the light."""
        moments, self.light = self.reduced(weight, unit)
        return moments

    @property
    def penalty(self) -> float:
        """Half the square of what is shared, over its prior variance."""
        return 0.5 * _WEAK * float(self.light[:, 0] @ self.light[:, 0])

    @property
    def _mix(self) -> F64:
        """(7, K + 7): residual and Jacobian less what the light explains, of the rows."""
        return np.hstack([-self.light.T, np.eye(7)])

    def normal(self, weight: F32) -> F64:
        """J^T W J (6, 6) of the Jacobian as it is."""
        return products(self.rows[self.shared + 1 :], weight)

    def curvature(self, weight: F32) -> F64:
        """J^T W J (6, 6), the Jacobian less what the light that is kept explains of it."""
        mix = self._mix[1:]
        return np.asarray(mix @ products(self.rows, weight) @ mix.T)

    def gradient(self, weight: F32) -> F64:
        """J^T W r (6,), both less what the light that is kept explains of them."""
        return np.asarray(self._mix[1:] @ (self.rows @ (weight * self.residual)))

    def add_scores(self, huber: F32, strict: F32, directions: F64, scale: float, scores: F32) -> None:
        """Adds scores (R, N) along directions (R + 1, 6), the last of which is the step that was taken."""
        mix = self._mix
        of_rows = directions @ mix[1:]
        of_rows = np.vstack([of_rows[:-1], mix[0] / scale, of_rows[-1]])
        room = np.empty((len(of_rows), kernel.CHUNK), np.float32)
        kernel.add_scores(self.rows, huber, strict, of_rows, room, scores)


def inverse(matrix: F64) -> F64:
    """Of the light's moments (K, K) and its prior. For one or two, `np.linalg` takes longer to set out than this."""
    if len(matrix) == 1:
        return np.asarray(1.0 / (matrix + _WEAK))
    (a, b), (_, c) = matrix.tolist()
    a, c = a + _WEAK, c + _WEAK
    # Colours that do not vary cannot tell gain from bias: the determinant is rounding, and any split will do.
    determinant = max(a * c - b * b, _ALIKE * a * c)
    return np.asarray(np.array([[c, -b], [-b, a]]) / determinant)


def products(rows: F32, weight: F32) -> F64:
    """Weighed products (R, R) of all rows (R, N) with each other."""
    out = np.empty((len(rows), len(rows)))
    kernel.sum_products(rows, weight, np.empty(kernel.CHUNK, np.float32), out)
    return out


def rows_of(name: str, block: ResidualBlock, light: GainModel, common: F32 | None = None) -> F32:
    """A modality (C, K + 7, N) as the kernel takes it.

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
