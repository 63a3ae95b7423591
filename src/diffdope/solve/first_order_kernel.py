"""Gradient descent and Adam on quaternions and translations, compiled: a thread takes a hypothesis and makes its steps.

A step of size e turns a quaternion by 2 e rad, which moves the surface of an object of diameter D by about e D. A
translation in units of D moves it by e D too. So with `length` = D one learning rate fits both, for every object.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit
from diffdope.render.kernels.queue import take
from diffdope.solve.calls import Sums, evaluate_at

F64 = NDArray[np.float64]
NUMBERS = 7  # of a pose: quaternion wxyz, translation / length


class FirstOrderRules(NamedTuple):
    """Numbers of `DescentSettings`; beta1, beta2 and epsilon are Adam's."""

    adam: bool
    iterations: int
    rate: float
    beta1: float
    beta2: float
    epsilon: float


class FirstOrderState(NamedTuple):
    """B hypotheses of P poses: parameters (B, P, 7), and Adam's mean and square of their gradients."""

    values: F64
    mean: F64
    square: F64


class FirstOrderWorkspace(NamedTuple):
    """Of one thread: the poses of a hypothesis, its sums, and the gradient (7,) by one pose's parameters."""

    R: F64
    t: F64
    sums: Sums
    slope: F64

    @classmethod
    def of(cls, poses: int, size: int) -> FirstOrderWorkspace:
        """For P poses and D unknowns."""
        return cls(np.empty((poses, 3, 3)), np.empty((poses, 3)), Sums.of(size), np.empty(NUMBERS))


@njit(**EXACT_INNER)
def set_pose(q, length, R, t):
    """Writes the pose (3, 3), (3,) of parameters (7,)."""
    w, x, y, z = q[0], q[1], q[2], q[3]
    R[0, 0], R[0, 1], R[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    R[1, 0], R[1, 1], R[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    R[2, 0], R[2, 1], R[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    for i in range(3):
        t[i] = q[4 + i] * length


@njit(**EXACT_INNER)
def set_slope(q, gradient, at, length, slope):
    """Gradient (7,) by the parameters of a pose whose tangent gradient begins at a place of `gradient`.

    A left turn phi changes q by (0, phi) q / 2, so the gradient within the unit sphere is 2 (0, g_phi) q.
    """
    w, x, y, z = q[0], q[1], q[2], q[3]
    a, b, c = gradient[at + 3], gradient[at + 4], gradient[at + 5]
    slope[0] = -2.0 * (a * x + b * y + c * z)
    slope[1] = 2.0 * (w * a + (b * z - c * y))
    slope[2] = 2.0 * (w * b + (c * x - a * z))
    slope[3] = 2.0 * (w * c + (a * y - b * x))
    for i in range(3):
        slope[4 + i] = gradient[at + i] * length


@njit(**EXACT_INNER)
def move(rules, state, b, p, slope, rate, iteration):
    """One step of the parameters of a pose. Source of Adam: Kingma and Ba, arXiv 1412.6980."""
    q = state.values[b, p]
    if rules.adam:
        mean, square, count = state.mean[b, p], state.square[b, p], iteration + 1
        first, second = 1.0 - rules.beta1**count, 1.0 - rules.beta2**count
        for i in range(NUMBERS):
            mean[i] += (1.0 - rules.beta1) * (slope[i] - mean[i])
            square[i] += (1.0 - rules.beta2) * (slope[i] ** 2 - square[i])
            q[i] -= rate * (mean[i] / first) / (math.sqrt(square[i] / second) + rules.epsilon)
    else:
        for i in range(NUMBERS):
            q[i] -= rate * slope[i]
    size = math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    for i in range(4):
        q[i] /= size


@njit(**EXACT_ENTRY)
def step_queue(
    evaluate, problem, scratch, column, lengths, rules, decay, rates, state, first, last, history, work, queue
):
    """Iterations `first` to `last` - 1 of the hypotheses that this thread takes from the queue.

    An iteration evaluates, writes a row of the history, and steps, but for the very last of the rules, which only
    evaluates. `decay` (iterations + 1,) and `rates` (B,) multiply the learning rate; `lengths` (P,) are what
    translations are divided by.
    """
    b = take(queue)
    while b < len(rates):
        for iteration in range(first, last):
            for p in range(len(lengths)):
                set_pose(state.values[b, p], lengths[p], work.R[p], work.t[p])
            history.cost[iteration, b] = evaluate_at(evaluate, problem, scratch, work.R, work.t, work.sums, -1)
            for m in range(len(work.sums.each)):
                history.each[iteration, b, m] = work.sums.each[m]
            for p in range(len(lengths)):
                for i in range(3):
                    history.t[iteration, b, p, i] = work.t[p, i]
                    for k in range(3):
                        history.R[iteration, b, p, i, k] = work.R[p, i, k]
            if iteration == rules.iterations:
                break
            rate = rules.rate * decay[iteration] * rates[b]
            for p in range(len(lengths)):
                if column[p] >= 0:
                    set_slope(state.values[b, p], work.sums.gradient, column[p], lengths[p], work.slope)
                    move(rules, state, b, p, work.slope, rate, iteration)
        b = take(queue)
