"""Keeps every iterate, allocated once before the loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import History

F64 = NDArray[np.float64]
Columns = slice | NDArray[np.intp] | NDArray[np.bool_]
ALL = slice(None)


class Recorder:
    """Costs and poses of all hypotheses; those that take no part in an iteration are NaN there."""

    def __init__(self, capacity: int, count: int, modalities: int) -> None:
        self._costs = np.full((capacity, count), np.nan)
        self._modality_costs = np.full((capacity, count, modalities), np.nan)
        self._R = np.full((capacity, count, 3, 3), np.nan)
        self._t = np.full((capacity, count, 3), np.nan)
        self._sizes = np.zeros(capacity, np.intp)
        self._length = 0

    def record(
        self, R_m2c: F64, t_m2c: F64, costs: F64, modality_costs: F64, columns: Columns = ALL, size: int = 0
    ) -> None:
        """Appends one iterate of the hypotheses in `columns`; modality_costs (B, M); size of the crop, pixels.

        What is not compared in an iterate, but in others, has a cost of NaN there.
        """
        k = self._length
        self._sizes[k] = size
        self._R[k, columns], self._t[k, columns], self._costs[k, columns] = R_m2c, t_m2c, costs
        self._modality_costs[k, columns] = modality_costs
        self._length += 1

    def keep(self, columns: NDArray[np.intp]) -> None:
        """Puts the iterate before in place of the last one: the step of these hypotheses was undone."""
        k = self._length - 1
        for values in (self._R, self._t, self._costs, self._modality_costs):
            values[k, columns] = values[k - 1, columns]

    @property
    def capacity(self) -> int:
        """How many iterates there is room for."""
        return len(self._costs)

    def amend(
        self, iteration: int, column: int, pose: Pose, cost: float, modality_costs: F64, modalities: Columns = ALL
    ) -> None:
        """Puts a polished pose in place of a hypothesis's iterate; modality_costs (M,) of the `modalities`."""
        self._R[iteration, column], self._t[iteration, column] = pose.R_m2c, pose.t_m2c
        self._costs[iteration, column] = cost
        self._modality_costs[iteration, column, modalities] = modality_costs

    @property
    def lowest(self) -> float:
        """Lowest cost so far."""
        return float(np.nanmin(self._costs[: self._length]))

    @property
    def last(self) -> int:
        """Number of the last iterate."""
        return self._length - 1

    @property
    def best(self) -> tuple[int, int]:
        """(iteration, hypothesis) of the lowest cost; the earliest if several are equal."""
        iteration, hypothesis = divmod(int(np.nanargmin(self._costs[: self._length])), self._costs.shape[1])
        return iteration, hypothesis

    def history(self, learning_rates: F64, modalities: Columns = ALL) -> History:
        """All iterates; of the modalities, those that count in the result."""
        k = self._length
        sizes = self._sizes[:k] if self._sizes.any() else None
        each = self._modality_costs[:k, :, modalities]
        return History(self._costs[:k], each, self._R[:k], self._t[:k], learning_rates, sizes)
