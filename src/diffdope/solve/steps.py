"""One damped step of poses, compiled: eigenvectors of the normal matrix, the step within what it observes."""

from __future__ import annotations

import math

from diffdope.kernel_compiler import EXACT_INNER
from diffdope.kernel_loading import njit
from diffdope.solve.linear_algebra import eigen_symmetric, turn

TINY = 1e-300


@njit(**EXACT_INNER)
def set_curvatures(normal, unit, matrix, values, vectors):
    """Eigenvalues (D,) and eigenvectors (D, D) of a normal matrix (D, D) in units (D,) that make its rows compare."""
    size = len(unit)
    for i in range(size):
        for k in range(size):
            matrix[i, k] = normal[i, k] * unit[i] * unit[k]
    eigen_symmetric(matrix, values, vectors)


@njit(**EXACT_INNER)
def damped_step(gradient, unit, values, vectors, damping, observable, step):
    """-(N + damping max(N) I)^-1 g (D,) within the observable directions, in `unit`s.

    Returns by how much the quadratic model expects the cost to fall.
    """
    size = len(unit)
    largest = TINY
    for k in range(size):
        largest = max(largest, values[k])
        step[k] = 0.0
    fall = 0.0
    for k in range(size):
        if values[k] > observable * largest:
            slope = 0.0
            for i in range(size):
                slope += vectors[i, k] * gradient[i] * unit[i]
            along = slope / (values[k] + damping * largest)
            fall += along * (slope - 0.5 * values[k] * along)
            for i in range(size):
                step[i] -= vectors[i, k] * along
    return fall


@njit(**EXACT_INNER)
def limit_step(step, longest):
    """Shortens a step (D,) so that none of its poses moves farther than `longest`; returns the length of the longest.

    D is a multiple of six: each pose has six numbers.
    """
    farthest = 0.0
    for first in range(0, len(step), 6):
        squares = 0.0
        for i in range(first, first + 6):
            squares += step[i] * step[i]
        farthest = max(farthest, math.sqrt(squares))
    share = min(1.0, longest / max(farthest, TINY))
    for i in range(len(step)):
        step[i] *= share
    return min(farthest, longest)


@njit(**EXACT_INNER)
def move_poses(step, unit, column, R, t, R_new, t_new):
    """The poses (P, 3, 3) and (P, 3) moved by a step (D,): R <- Exp(phi) R, t <- t + rho.

    `column` (P,) is where the numbers of a pose begin in the step, -1 for one that is held.
    """
    for p in range(len(t)):
        at = column[p]
        if at < 0:
            for i in range(3):
                t_new[p, i] = t[p, i]
                for k in range(3):
                    R_new[p, i, k] = R[p, i, k]
        else:
            turn(step[at + 3], step[at + 4], step[at + 5], R[p], R_new[p])
            for i in range(3):
                t_new[p, i] = t[p, i] + unit[at + i] * step[at + i]
