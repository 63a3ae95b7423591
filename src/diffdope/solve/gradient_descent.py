"""The paper's descents: gradient descent or Adam, with a learning rate of its own for every hypothesis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, check_choice, check_count, expected
from diffdope.geometry.so3 import wxyz_from_matrix
from diffdope.solve.levenberg_marquardt import Minimisable, SolverResult
from diffdope.solve.schedules import Distribution, exponential_decay, sample_learning_rates

F64 = NDArray[np.float64]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's, as its authors have them


MOST_ITERATES = 10**7
"""Of all hypotheses together: about 150 bytes each are kept, 1.5 GB."""


def check_iterates(hypotheses: int, iterations: int) -> None:
    """Refuses a search whose iterates would not fit into memory.

    Raises:
        DiffDopeError: if there are more than `MOST_ITERATES`.
    """
    if hypotheses * iterations > MOST_ITERATES:
        got = f"{hypotheses} x {iterations}"
        raise expected("hypotheses, iterations", f"a product of at most {MOST_ITERATES}", got, "all iterates are kept")


@dataclass(frozen=True)
@checked_fields(least={"tolerance": 0.0, "settled": 0.0})
class DescentSettings:
    """How the hypotheses move."""

    hypotheses: int = 8
    method: Literal["sgd", "adam"] = "sgd"
    iterations: int = 60
    learning_rate: float = 0.04
    """Step, in translation units and quaternion units, for a gradient of one and a multiplier of one."""
    translation_unit: float = 0.5
    """Share of the object's diameter by which translations are divided, so that one rate fits both."""
    decay: float = 0.1
    """Factor on the rate at the last iteration."""
    rate_low: float = 0.1
    rate_high: float = 4.0
    """Each hypothesis multiplies the rate by a draw between these."""
    rate_distribution: Distribution = "uniform"
    patience: int = 15
    """Iterations without improvement of any hypothesis after which the descent has converged."""
    tolerance: float = 1e-4
    """Share of its cost by which a hypothesis must improve to count as improving."""
    settled: float = 0.02
    """The result is `converged` if the lowest cost fell by less than this share over the last `patience` iterations."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no descent."""
        for name in ("hypotheses", "iterations", "patience"):
            check_count(name, getattr(self, name))
        check_iterates(self.hypotheses, self.iterations)
        check_choice("method", self.method, ("sgd", "adam"))
        check_choice("rate_distribution", self.rate_distribution, ("uniform", "log-uniform"))
        check_above_zero(self, "learning_rate", "decay", "translation_unit")
        if not 0.0 < self.rate_low <= self.rate_high:
            raise expected("rate_low, rate_high", "0 < low <= high", f"{self.rate_low} and {self.rate_high}")

    def rates(self, seed: int) -> F64:
        """Multipliers (B,) of the learning rate."""
        return sample_learning_rates(
            self.hypotheses, low=self.rate_low, high=self.rate_high, distribution=self.rate_distribution,
            rng=np.random.default_rng(seed),
        )  # fmt: skip


def descend(problem: Minimisable, R: F64, t: F64, settings: DescentSettings, rates: F64) -> SolverResult:
    """Lets B states of P poses descend; all stop when none has improved for `patience` iterations.

    Compiled code makes `patience` iterations a call; of those that are beyond the stop, nothing is kept.

    Args:
        problem: the cost.
        R: start (B, P, 3, 3).
        t: start (B, P, 3), metres.
        settings: of the descent.
        rates: (B,) multipliers of the learning rate.
    """
    from diffdope.render.kernels.calls import call_entry
    from diffdope.solve.first_order_kernel import (
        NUMBERS,
        FirstOrderRules,
        FirstOrderState,
        FirstOrderWorkspace,
        step_queue,
    )
    from diffdope.solve.level_kernel import Iterates

    s, (count, poses) = settings, t.shape[:2]
    rules = FirstOrderRules(s.method == "adam", s.iterations, s.learning_rate, _BETA1, _BETA2, _EPSILON)
    decay = np.array([exponential_decay(k, iterations=s.iterations, decay=s.decay) for k in range(s.iterations + 1)])
    lengths = 2.0 * s.translation_unit * lengths_of(problem)
    shape = (count, poses, NUMBERS)
    values = np.concatenate([wxyz_from_matrix(R), t / lengths[:, None]], axis=2)
    state, history = FirstOrderState(values, np.zeros(shape), np.zeros(shape)), Iterates.of(s.iterations, count, poses)
    stall, rows, end = StallCheck(s, count), 0, s.iterations + 1
    workers = problem.workers(count, s.iterations)
    with problem.scratch(workers) as scratch:
        while rows < end:
            first, last = rows, min(rows + s.patience, end)
            queue = np.zeros(1, np.int64)

            def work(worker: int) -> None:
                call_entry(
                    step_queue, problem.address, problem.arrays, scratch[worker], problem.column, lengths, rules,
                    decay, rates, state, first, last, history, FirstOrderWorkspace.of(poses, len(problem.unit)), queue,  # noqa: B023
                )  # fmt: skip

            problem.share(work, workers)
            stopped = next((k for k in range(first, last) if stall.stalled(history.cost[k])), None)
            rows = last
            if stopped is not None:
                rows = end = stopped + 1
    return result_of(history.R[:rows], history.t[:rows], history.cost[:rows], history.each[:rows], s)


def result_of(R: F64, t: F64, cost: F64, each: F64, settings: DescentSettings) -> SolverResult:
    """The best iterate of each hypothesis, of a history (K, B, ...)."""
    best, b = np.argmin(cost, axis=0), np.arange(cost.shape[1])
    unknowns, rest = 6 * t.shape[2], at_rest(cost, settings)
    return SolverResult(
        R[best, b], t[best, b], cost[best, b], np.full((len(b), unknowns), np.nan),
        np.full((len(b), unknowns, unknowns), np.nan), np.full(len(b), rest), np.zeros(len(b)),
        np.zeros(len(b), np.int64), R, t, cost, each,
    )  # fmt: skip


def lengths_of(problem: Minimisable) -> F64:
    """(P,) how far a turn by one radian moves what hangs on a pose; 1 for those that are held."""
    return np.array([problem.unit[at] if at >= 0 else 1.0 for at in problem.column])


class StallCheck:
    """Says when a descent may stop."""

    def __init__(self, settings: DescentSettings, count: int) -> None:
        self._settings = settings
        self._best = np.full(count, np.inf)
        self._waited = 0

    def stalled(self, costs: F64) -> bool:
        """Takes the costs (B,) of one iteration; whether no hypothesis has improved for `patience` of them."""
        improved = costs < self._best * (1.0 - self._settings.tolerance)
        self._best = np.where(improved, costs, self._best)
        self._waited = 0 if improved.any() else self._waited + 1
        return self._waited >= self._settings.patience


def at_rest(costs: F64, settings: DescentSettings) -> bool:
    """Whether the lowest cost fell by less than the settled share over the last `patience` iterations.

    Args:
        costs: (K+1, B).
        settings: of the descent.
    """
    lowest = np.minimum.accumulate(costs.min(axis=1))
    if len(lowest) <= settings.patience:
        return False
    return bool(lowest[-1] >= lowest[-1 - settings.patience] * (1.0 - settings.settled))
