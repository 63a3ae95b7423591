"""A problem without images, whose minimum is known in closed form: points are to lie on their targets.

It is compiled, as solvers call it by address. Its arrays are plain tuples: numba's cache on disk must name no type that
only tests have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import numpy as np
from numba import njit
from numba.core import types
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY
from diffdope.render.kernels.calls import address_of
from diffdope.solve.calls import Sums

Array = NDArray[np.float64]


@njit(**{**EXACT_ENTRY, "cache": False})
def evaluate(arrays, scratch, R, t, sums, paint):  # type: ignore[no-untyped-def]
    """offset + half the weighted squares of R p + t - target, over all poses."""
    points, targets, weights, column, offset, calls = arrays
    calls[scratch] += 1
    total = offset
    sums.each[:] = 0.0
    sums.gradient[:] = 0.0
    sums.normal[:] = 0.0
    for p in range(len(t)):
        at = column[p]
        for n in range(points.shape[1]):
            x = y = z = 0.0
            for k in range(3):
                x += R[p, 0, k] * points[p, n, k]
                y += R[p, 1, k] * points[p, n, k]
                z += R[p, 2, k] * points[p, n, k]
            for i in range(3):
                place = x if i == 0 else (y if i == 1 else z)
                r, w = place + t[p, i] - targets[p, n, i], weights[i] ** 2
                total += 0.5 * w * r * r
                if at < 0:
                    continue
                # d r_i / d phi = row i of -[R p]x
                a = 0.0 if i == 0 else (-z if i == 1 else y)
                b = z if i == 0 else (0.0 if i == 1 else -x)
                c = -y if i == 0 else (x if i == 1 else 0.0)
                row = (1.0 if i == 0 else 0.0, 1.0 if i == 1 else 0.0, 1.0 if i == 2 else 0.0, a, b, c)
                for k in range(6):
                    sums.gradient[at + k] += w * r * row[k]
                    for m in range(6):
                        sums.normal[at + k, at + m] += w * row[k] * row[m]
    sums.each[0] = total
    return total


class PointAlignment:
    """Sum of squared distances, as a solver's problem.

    Args:
        points: (P, N, 3) of every pose.
        targets: (P, N, 3) where they should be.
        weights: (3,) of the axes.
        length_m: by which translations are divided to compare with turns.
        free: (P,) which poses are free; None for all.
        offset: that is added to the cost.
        threads: that a solver may use.
    """

    def __init__(
        self, points: Array, targets: Array, *, weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
        length_m: float = 0.05, free: tuple[bool, ...] | None = None, offset: float = 0.0, threads: int = 1,
    ) -> None:  # fmt: skip
        poses = len(points)
        held = np.ones(poses, bool) if free is None else np.array(free)
        self.column = np.where(held, 6 * (np.cumsum(held) - 1), -1).astype(np.int64)
        self.unit = np.tile([length_m] * 3 + [1.0] * 3, int(held.sum()))
        self.threads, self._calls = threads, np.zeros(threads, np.int64)
        self.arrays = (
            np.array(points), np.array(targets), np.array(weights), self.column, float(offset), self._calls,
        )  # fmt: skip
        R, t = np.zeros((poses, 3, 3)), np.zeros((poses, 3))
        self.address = address_of(evaluate, types.float64, self.arrays, 0, R, t, Sums.of(len(self.unit)), 0)

    @property
    def calls(self) -> int:
        """Evaluations so far."""
        return int(self._calls.sum())

    def workers(self, count: int, evaluations: int = 1) -> int:
        """All threads, whatever there is to do."""
        return self.threads

    def share(self, work: Callable[[int], None], workers: int) -> None:
        """Every worker in a thread of its own."""
        threads = [Thread(target=work, args=(worker,)) for worker in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @contextmanager
    def scratch(self, workers: int, canvases: Any = None) -> Iterator[list[int]]:
        """The number of the worker is all that is wanted."""
        yield list(range(workers))

    def cost(self, R: Array, t: Array) -> float:
        """The same in numpy, of poses (P, 3, 3) and (P, 3)."""
        points, targets, weights, _, offset, _ = self.arrays
        residual = (np.einsum("pij,pnj->pni", R, points) + t[:, None] - targets) * weights
        return float(offset + 0.5 * (residual**2).sum())
