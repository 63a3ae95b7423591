"""Levenberg-Marquardt of many hypotheses, compiled: a thread takes one and makes all of its steps, then the next.

Within a call no hypothesis waits for another, and none depends on another: so the result does not depend on the number
of threads. A later call goes on where the one before left each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit
from diffdope.render.kernels.queue import take
from diffdope.solve.calls import MODALITIES, Sums, evaluate_at
from diffdope.solve.steps import damped_step, limit_step, move_poses, set_curvatures

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
LEAST_DAMPING, MOST_DAMPING = 1e-9, 1e6
FIRST = np.int64(0)  # row of the start; of one type with the others
TOO_SHORT = 1e-6  # a step of this length that does not help says that this is the end


class StepRules(NamedTuple):
    """Numbers of `LevenbergSettings`; how many steps are made at most, and up to which one in this call."""

    iterations: int
    until: int
    damping: float
    decrease: float
    increase: float
    max_step: float
    observable: float
    tolerance: float
    reduction_tolerance: float


class SolverState(NamedTuple):
    """B hypotheses of P poses, of which those that are free have D = 6 numbers each together.

    R (B, P, 3, 3), t (B, P, 3): start, and in the end the best that each has seen; cost (B,), gradient (B, D), normal
    (B, D, D) there; damping (B,) of the next step; last_reduction (B,): share by which the last step that helped
    lowered the cost; converged (B,); ended (B,): makes no more steps; rows (B,): iterates that were recorded, the start
    included; canvas (B,): which of the two canvases holds the images of the best pose.
    """

    R: F64
    t: F64
    cost: F64
    gradient: F64
    normal: F64
    damping: F64
    last_reduction: F64
    converged: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    rows: I64
    canvas: I64

    @classmethod
    def at(cls, R: F64, t: F64, size: int) -> SolverState:
        """Starting from copies of poses (B, P, 3, 3) and (B, P, 3), with D = `size` unknowns."""
        b = len(t)
        return cls(
            np.array(R, np.float64, order="C"), np.array(t, np.float64, order="C"),
            np.zeros(b), np.zeros((b, size)), np.zeros((b, size, size)), np.zeros(b), np.zeros(b), np.zeros(b, bool),
            np.zeros(b, bool), np.zeros(b, np.int64), np.zeros(b, np.int64),
        )  # fmt: skip


class Iterates(NamedTuple):
    """Iterates of B hypotheses, S steps and the start: R (S + 1, B, P, 3, 3), t, cost (S + 1, B), each (S + 1, B, 5).

    A step that was undone leaves the iterate before it; those that ended earlier stay where they are.
    """

    R: F64
    t: F64
    cost: F64
    each: F64

    @classmethod
    def of(cls, steps: int, count: int, poses: int) -> Iterates:
        """Room for it."""
        rows = steps + 1
        return cls(
            np.empty((rows, count, poses, 3, 3)), np.empty((rows, count, poses, 3)), np.empty((rows, count)),
            np.empty((rows, count, MODALITIES)),
        )  # fmt: skip


class Workspace(NamedTuple):
    """Of one thread: a trial pose, its sums, and the eigenvectors of the best pose's normal matrix."""

    R: F64
    t: F64
    sums: Sums
    step: F64
    matrix: F64
    values: F64
    vectors: F64

    @classmethod
    def of(cls, poses: int, size: int) -> Workspace:
        """For P poses and D unknowns."""
        return cls(
            np.empty((poses, 3, 3)), np.empty((poses, 3)), Sums.of(size), np.empty(size), np.empty((size, size)),
            np.empty(size), np.empty((size, size)),
        )  # fmt: skip


@njit(**EXACT_INNER)
def accept(hypotheses, b, work, cost):
    """Puts the trial in the place of the best pose."""
    hypotheses.cost[b] = cost
    for p in range(len(work.t)):
        for i in range(3):
            hypotheses.t[b, p, i] = work.t[p, i]
            for k in range(3):
                hypotheses.R[b, p, i, k] = work.R[p, i, k]
    for i in range(len(work.step)):
        hypotheses.gradient[b, i] = work.sums.gradient[i]
        for k in range(len(work.step)):
            hypotheses.normal[b, i, k] = work.sums.normal[i, k]


@njit(**EXACT_INNER)
def record(history, row, b, hypotheses, each):
    """Writes the best pose of a hypothesis as an iterate, with the costs by term (5,)."""
    history.cost[row, b] = hypotheses.cost[b]
    for m in range(MODALITIES):
        history.each[row, b, m] = each[m]
    for p in range(hypotheses.t.shape[1]):
        for i in range(3):
            history.t[row, b, p, i] = hypotheses.t[b, p, i]
            for k in range(3):
                history.R[row, b, p, i, k] = hypotheses.R[b, p, i, k]


@njit(**EXACT_INNER)
def try_start(hypotheses, work, b):
    """Makes the start of a hypothesis the trial pose."""
    R, t = hypotheses.R[b], hypotheses.t[b]
    for p in range(len(t)):
        for i in range(3):
            work.t[p, i] = t[p, i]
            for k in range(3):
                work.R[p, i, k] = R[p, i, k]


@njit(**EXACT_INNER)
def begin(rules, hypotheses, history, work, b, cost):
    """Takes the start of a hypothesis, which was evaluated, for its best pose."""
    accept(hypotheses, b, work, cost)
    record(history, FIRST, b, hypotheses, work.sums.each)
    hypotheses.damping[b] = rules.damping
    hypotheses.rows[b] = 1


@njit(**EXACT_INNER)
def descend(evaluate, problem, scratch, column, unit, rules, hypotheses, history, work, b, paint):
    """The steps of one hypothesis, from where it is up to `rules.until`.

    A step that does not lower the cost is undone and damped more (Levenberg 1944, Marquardt 1963).
    """
    if hypotheses.rows[b] == 0:
        try_start(hypotheses, work, b)
        cost = evaluate_at(evaluate, problem, scratch, work.R, work.t, work.sums, 0 if paint else -1)
        begin(rules, hypotheses, history, work, b, cost)
    R, t = hypotheses.R[b], hypotheses.t[b]
    damping, canvas, row = hypotheses.damping[b], hypotheses.canvas[b], hypotheses.rows[b]
    gain, fresh = np.inf, True
    while row <= rules.until and not hypotheses.ended[b]:
        if fresh:  # here, because after the last step nobody asks
            set_curvatures(hypotheses.normal[b], unit, work.matrix, work.values, work.vectors)
            fresh = False
        fall = damped_step(
            hypotheses.gradient[b], unit, work.values, work.vectors, damping, rules.observable, work.step
        )
        if fall < rules.reduction_tolerance * hypotheses.cost[b]:
            gain = min(gain, fall / max(hypotheses.cost[b], 1e-300))
            hypotheses.ended[b] = True
            break
        size = limit_step(work.step, rules.max_step)
        move_poses(work.step, unit, column, R, t, work.R, work.t)
        cost = evaluate_at(evaluate, problem, scratch, work.R, work.t, work.sums, 1 - canvas if paint else -1)
        best = hypotheses.cost[b]
        if cost < best:
            gain = (best - cost) / max(best, 1e-300)
            hypotheses.last_reduction[b] = gain
            canvas = 1 - canvas
            accept(hypotheses, b, work, cost)
            record(history, row, b, hypotheses, work.sums.each)
            fresh = True
            damping = max(damping * rules.decrease, LEAST_DAMPING)
        else:
            # It says nothing yet: damp and try again. A step too short to matter says that this is the end.
            gain = 0.0 if size < TOO_SHORT else np.inf
            record(history, row, b, hypotheses, history.each[row - 1, b])
            damping = min(damping * rules.increase, MOST_DAMPING)
        hypotheses.ended[b] = gain < rules.tolerance
        row += 1
    hypotheses.converged[b] |= gain < rules.tolerance
    hypotheses.damping[b], hypotheses.canvas[b], hypotheses.rows[b] = damping, canvas, row
    for later in range(row, rules.iterations + 1):
        record(history, later, b, hypotheses, history.each[row - 1, b])


@njit(**EXACT_ENTRY)
def descend_queue(evaluate, problem, scratch, column, unit, rules, hypotheses, history, work, queue, paint):
    """The hypotheses that this thread takes from the queue; for the arguments see `levenberg_marquardt.minimise`."""
    b = take(queue)
    while b < len(hypotheses.cost):
        descend(evaluate, problem, scratch, column, unit, rules, hypotheses, history, work, b, paint)
        b = take(queue)
