"""Levenberg-Marquardt on the tangent of poses: hypotheses are independent, each with its own damping and end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, expected

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Minimisable(Protocol):
    """What a solver knows of a problem: an address to call with `arrays`, and unknowns that compare in `unit`s."""

    address: int
    arrays: Any
    column: I64
    unit: F64

    def workers(self, count: int, evaluations: int = ...) -> int: ...  # noqa: D102

    def share(self, work: Callable[[int], None], workers: int) -> None: ...  # noqa: D102

    def scratch(self, workers: int, canvases: Any = ...) -> AbstractContextManager[list[Any]]: ...  # noqa: D102


@dataclass(frozen=True)
@checked_fields()
class LevenbergSettings:
    """How a step is damped and when it is enough."""

    damping: float = 1e-3
    """First damping, as a share of the largest curvature."""
    decrease: float = 0.2
    """Factor on the damping after a step that lowered the cost."""
    increase: float = 8.0
    """Factor on the damping after one that did not."""
    max_step: float = 0.3
    """Longest step: radians, or this share of half the object's diameter."""
    observable: float = 1e-5
    """Directions with less than this share of the largest curvature are left alone."""
    tolerance: float = 1e-4
    """Done when the last step lowered the cost by less than this share."""
    reduction_tolerance: float = 0.0
    """Done, without another evaluation, when the next step is expected to lower the cost by less than this share."""
    tolerance_coarse: float = 1e-4
    """`tolerance` at levels before the last: what they leave, the next one finds."""
    reduction_tolerance_coarse: float = 0.0
    """`reduction_tolerance` there."""
    without_depth: float = 1.0
    """Factor on both tolerances where no depth is compared: the cost is flatter along the line of sight then."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no descent."""
        for name in ("reduction_tolerance", "reduction_tolerance_coarse"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise expected(name, "a share from 0 to below 1", getattr(self, name))
        check_above_zero(self, "damping", "max_step", "observable", "tolerance", "tolerance_coarse")
        if not 0.0 < self.without_depth <= 1.0:
            raise expected("without_depth", "a factor above 0, at most 1", self.without_depth)
        if not (0.0 < self.decrease < 1.0 < self.increase):
            got = f"{self.decrease} and {self.increase}"
            raise expected("decrease, increase", "0 < decrease < 1 < increase", got)

    def at_level(self, *, last: bool, with_depth: bool) -> LevenbergSettings:
        """With the tolerances of a level: of the last or of those before, with depth compared or without."""
        return _at_level(self, last, with_depth)

    def to_compare(self, share: float) -> LevenbergSettings:
        """For costs that are compared: without steps that are expected to lower them by less than that share."""
        return _to_compare(self, share)

    def finer(self, factor: float) -> LevenbergSettings:
        """With the last level's tolerances times a factor."""
        return _finer(self, factor)


@lru_cache(maxsize=64)  # a film asks for the same of every frame
def _at_level(settings: LevenbergSettings, last: bool, with_depth: bool) -> LevenbergSettings:
    s = settings
    tolerance = s.tolerance if last else s.tolerance_coarse
    reduction = s.reduction_tolerance if last else s.reduction_tolerance_coarse
    factor = 1.0 if with_depth else s.without_depth
    return replace(s, tolerance=factor * tolerance, reduction_tolerance=factor * reduction)


@lru_cache(maxsize=64)
def _finer(settings: LevenbergSettings, factor: float) -> LevenbergSettings:
    tolerance, reduction = factor * settings.tolerance, factor * settings.reduction_tolerance
    return replace(settings, tolerance=tolerance, reduction_tolerance=reduction)


@lru_cache(maxsize=64)
def _to_compare(settings: LevenbergSettings, share: float) -> LevenbergSettings:
    return replace(settings, reduction_tolerance=max(settings.reduction_tolerance, share))


@dataclass(frozen=True)
class SolverResult:
    """Where B hypotheses ended: the best state that each has seen, and how it got there.

    R (B, P, 3, 3), t (B, P, 3) metres; cost (B,), gradient (B, D), normal (B, D, D) there; converged (B,);
    last_reduction (B,): share by which the last step that helped lowered the cost; canvas (B,): number of the canvas
    that holds the images of the best state. Of the K iterates, the start included, history_R (K, B, P, 3, 3),
    history_t, history_cost (K, B) and history_each (K, B, 5), unweighted.
    """

    R: F64
    t: F64
    cost: F64
    gradient: F64
    normal: F64
    converged: NDArray[np.bool_]
    last_reduction: F64
    canvas: I64
    history_R: F64
    history_t: F64
    history_cost: F64
    history_each: F64

    @property
    def best(self) -> int:
        """The hypothesis with the lowest cost."""
        return int(np.argmin(self.cost))

    @property
    def share_left(self) -> float:
        """Of the best hypothesis, the share of its cost that the last step took off, or one more would if that is less.

        Steps of second order come to rest all at once: one may have gained a lot, where the next finds nothing. What
        that would gain, on the paraboloid of gradient g and normal matrix N, is g' N^-1 g / 2.
        """
        best = self.best
        cost = float(self.cost[best])
        if cost <= 0.0:
            return 0.0
        gained = -0.5 * float(self.gradient[best] @ self.next_step) / cost
        return min(float(self.last_reduction[best]), gained)

    @property
    def next_step(self) -> F64:
        """(D,) that the best hypothesis would make next, undamped: -N^-1 g."""
        best = self.best
        return np.asarray(-np.linalg.lstsq(self.normal[best], self.gradient[best], rcond=None)[0])

    @property
    def iterations(self) -> int:
        """Of the hypothesis that took the most."""
        return len(self.history_cost) - 1


def minimise(
    problem: Minimisable,
    R: F64,
    t: F64,
    *,
    iterations: int,
    settings: LevenbergSettings,
    canvases: Any = None,
    going_on: int | None = None,
) -> SolverResult:
    """Lowers the cost of B states of P poses, in one call of compiled code a thread; in two, if they race.

    A step that does not lower the cost is undone and damped more (Levenberg 1944, Marquardt 1963). A direction without
    curvature (the turn of a sphere, the slide of a plane) is not moved along.

    Args:
        problem: the cost.
        R: start (B, P, 3, 3).
        t: start (B, P, 3), metres.
        iterations: at most; each is one evaluation, after the first.
        settings: numbers of the damping.
        canvases: two, which take the images of a single hypothesis; None for none.
        going_on: after half of the steps, only so many with the lowest costs make the others; None for all. Such a race
            is successive halving (Karnin, Koren and Somekh, ICML 2013). Those that drop out stay where they are.
    """
    from diffdope.render.kernels.calls import call_entry
    from diffdope.solve.level_kernel import Iterates, SolverState, StepRules, Workspace, descend_queue

    s = settings
    count, poses, size = len(t), t.shape[1], len(problem.unit)
    races = going_on is not None and going_on < count and iterations > 1
    rules = StepRules(
        int(iterations), -(-int(iterations) // 2) if races else int(iterations), s.damping, s.decrease, s.increase,
        s.max_step, s.observable, s.tolerance, s.reduction_tolerance,
    )  # fmt: skip
    hypotheses, history = SolverState.at(R, t, size), Iterates.of(iterations, count, poses)
    queue, workers = np.zeros(1, np.int64), problem.workers(count, int(iterations) + 1)
    paint = canvases is not None
    extra = (canvases,) if paint else ()
    with problem.scratch(workers, *extra) as scratch:

        def work(worker: int) -> None:
            call_entry(
                descend_queue, problem.address, problem.arrays, scratch[worker], problem.column, problem.unit,
                rules, hypotheses, history, Workspace.of(poses, size), queue, paint,
            )  # fmt: skip

        problem.share(work, workers)
        if races:
            hypotheses.ended[np.argsort(hypotheses.cost, kind="stable")[going_on:]] = True
            queue[0], rules = 0, rules._replace(until=rules.iterations)
            problem.share(work, workers)
    rows = int(hypotheses.rows.max())
    return SolverResult(
        hypotheses.R, hypotheses.t, hypotheses.cost, hypotheses.gradient, hypotheses.normal, hypotheses.converged,
        hypotheses.last_reduction, hypotheses.canvas,
        history.R[:rows], history.t[:rows], history.cost[:rows], history.each[:rows],
    )  # fmt: skip
