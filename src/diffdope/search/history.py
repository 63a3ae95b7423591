"""Every iterate of a search: kept as the levels leave it, and put together at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.solve.levenberg_marquardt import SolverResult

F64 = NDArray[np.float64]
Intp = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class History:
    """Every iterate of every hypothesis: K iterations, B hypotheses, M modalities.

    costs (K+1, B) weighted totals; modality_costs (K+1, B, M) unweighted, in the order of the result's `modalities`;
    R_m2c (K+1, B, 3, 3); t_m2c (K+1, B, 3) metres; learning_rates (B,) rate multipliers, all 1 for a search.
    A hypothesis that took no part in an iteration is NaN there. sizes (K+1,): of a search, the longest side of the crop
    in pixels; costs compare within one size only.
    """

    costs: F64
    modality_costs: F64
    R_m2c: F64
    t_m2c: F64
    learning_rates: F64
    sizes: Intp | None = None


class Block(NamedTuple):
    """Iterates of one round of steps: of the hypotheses in `columns`, on a crop of a size."""

    columns: Intp
    cost: F64
    each: F64
    R: F64
    t: F64
    size: int


class Recorder:
    """Takes what every round of steps leaves, and puts it together."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self.length = 0

    def record(self, columns: Intp, solution: SolverResult, each: F64, size: int) -> int:
        """Appends the iterates of the first pose of each hypothesis; returns the number of their first row.

        Args:
            columns: numbers of the hypotheses.
            solution: of B hypotheses.
            each: (K, B, 5) unweighted costs by modality, NaN for what is not compared.
            size: of the crop, pixels.
        """
        first = self.length
        s = solution
        self._blocks.append(Block(columns, s.history_cost, each, s.history_R[:, :, 0], s.history_t[:, :, 0], size))
        self.length += len(s.history_cost)
        return first

    @property
    def last(self) -> int:
        """Number of the last iterate."""
        return self.length - 1

    def history(self, count: int, rates: F64, counted: NDArray[np.bool_], amended: Amended | None = None) -> History:
        """All iterates of `count` hypotheses; of the modalities, those that count in the result (5,)."""
        rows, modalities = self.length, int(counted.sum())
        costs, each = np.full((rows, count), np.nan), np.full((rows, count, modalities), np.nan)
        R, t = np.full((rows, count, 3, 3), np.nan), np.full((rows, count, 3), np.nan)
        sizes, first = np.zeros(rows, np.intp), 0
        for block in self._blocks:
            part = slice(first, first + len(block.cost))
            costs[part, block.columns], each[part, block.columns] = block.cost, block.each[..., counted]
            R[part, block.columns], t[part, block.columns] = block.R, block.t
            sizes[part], first = block.size, part.stop
        if amended is not None:
            at = slice(amended.row, None), amended.column
            costs[at], each[at] = amended.cost, amended.each
            R[at], t[at] = amended.pose.R_m2c, amended.pose.t_m2c
        return History(costs, each, R, t, rates, sizes)


class Amended(NamedTuple):
    """A polished pose in the place of a hypothesis's iterates from a row on; each (M,) costs by modality."""

    row: int
    column: int
    pose: Pose
    cost: float
    each: F64
