"""Keeps every iterate, allocated once before the loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.refine.result import History

F64 = NDArray[np.float64]


class Recorder:
    """Costs and poses of all hypotheses, and the best of them over the whole history."""

    def __init__(self, capacity: int, count: int, active: NDArray[np.bool_]) -> None:
        self._active = active
        self._costs = np.zeros((capacity, count))
        self._modality_costs = np.zeros((capacity, count, int(active.sum())))
        self._R = np.zeros((capacity, count, 3, 3))
        self._t = np.zeros((capacity, count, 3))
        self._length = 0

    def record(self, R_m2c: F64, t_m2c: F64, costs: F64, modality_costs: F64) -> None:
        """Appends one iterate; modality_costs (B, 4)."""
        k = self._length
        self._R[k], self._t[k], self._costs[k] = R_m2c, t_m2c, costs
        self._modality_costs[k] = modality_costs[:, self._active]
        self._length += 1

    @property
    def lowest(self) -> float:
        """Lowest cost so far."""
        return float(self._costs[: self._length].min())

    @property
    def best(self) -> tuple[int, int]:
        """(iteration, hypothesis) of the lowest cost; the earliest if several are equal."""
        iteration, hypothesis = divmod(int(np.argmin(self._costs[: self._length])), self._costs.shape[1])
        return iteration, hypothesis

    def history(self, learning_rates: F64) -> History:
        """All iterates."""
        k = self._length
        return History(self._costs[:k], self._modality_costs[:k], self._R[:k], self._t[:k], learning_rates)
