"""Hypotheses spread over threads: kernels release the interpreter lock, each hypothesis writes only its own row."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

from diffdope.errors import check_threads
from diffdope.render.per_process import PerProcess

_threads: int | None = None
_MOST = (
    64  # or the cores, if there are more: every thread has a scratch of several MB, and more than cores gain nothing
)

WORTH_THREADS = 100_000
"""Triangles, pixels or points, of all poses and steps, from which on threads share them: they take one core about 3 ms.
For less, to wake a thread, to hand it the interpreter and to wait for it takes about as long as it spares."""


def available_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def set_threads(threads: int | None) -> None:
    """Sets how many threads new renderers and refiners use.

    Args:
        threads: a positive number, which is reduced if it is far beyond the cores; None for all cores.

    Raises:
        DiffDopeError: if `threads` is not a positive integer.
    """
    global _threads
    _threads = check_threads(threads)


def default_threads() -> int:
    """The library setting, or all cores."""
    return _threads or available_cores()


class HypothesisPool:
    """Runs work on hypotheses in threads; `worker` indexes a thread's scratch.

    Results do not depend on the number of threads, because no range reads what another one writes. A number far beyond
    the cores (a settings file from a larger machine, a slip of the key) is reduced, not refused.

    Any number of callers may use it at a time, work itself included: a caller does all of its work alone if the
    threads are busy with others', and waits only for those that have begun on its own. Threads are started when they
    are first needed, by each process for itself.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads = min(threads, max(_MOST, available_cores()))
        # The calling thread works too, so one fewer is started.
        self._executor = PerProcess(partial(ThreadPoolExecutor, max(threads - 1, 1), "diffdope"))

    def workers(self, count: int, passes: float = math.inf) -> int:
        """How many threads work on `count` hypotheses, at least one.

        Args:
            count: how many are independent of each other.
            passes: triangles, pixels or points that all of them go through: where these are few, one thread does it.
        """
        return max(min(self.threads, count), 1) if passes >= WORTH_THREADS else 1

    def run(self, work: Callable[[int, int, int], None], count: int, passes: float = math.inf) -> None:
        """Calls `work(worker, first, last)` until `count` hypotheses are done; raises what a thread raised.

        Args:
            work: from a hypothesis to before another.
            count: of hypotheses.
            passes: see `workers`.
        """
        # Small ranges, because hypotheses differ in cost; not single ones, because a call costs microseconds.
        size = max(1, count // (4 * self.threads))
        ranges = itertools.count(0, size)  # next() is atomic under the interpreter lock

        def pull(worker: int) -> None:
            while (first := next(ranges)) < count:
                work(worker, first, min(first + size, count))

        workers = self.workers(count, passes)
        if workers == 1:
            work(0, 0, count)
        else:
            self.share(pull, workers)

    def share(self, work: Callable[[int], None], count: int) -> None:
        """Calls `work(worker)` in several threads, which pull from a queue of `count` themselves (`kernels.queue`).

        As long as the queue is not empty: a thread that comes too late is not waited for. Raises what a thread raised.
        """
        executor, workers = self._executor, self.workers(count)
        if workers == 1:
            work(0)
            return
        futures = [executor.get().submit(work, worker) for worker in range(1, workers)]
        try:
            work(0)
        finally:
            # Those that have not begun would find nothing to do; the others still write to their scratch.
            begun = [future for future in futures if not future.cancel()]
            wait(begun)
        for future in begun:
            future.result()
