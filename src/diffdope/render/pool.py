"""Hypotheses spread over threads: kernels release the interpreter lock, each hypothesis writes only its own row."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from diffdope.errors import DiffDopeError

_threads: int | None = None
_MOST = (
    64  # or the cores, if there are more: every thread has a scratch of several MB, and more than cores gain nothing
)


def available_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def set_threads(threads: int | None) -> None:
    """Sets how many threads new renderers and refiners use; None means all cores.

    Raises:
        DiffDopeError: if `threads` is not a positive integer.
    """
    global _threads
    if threads is not None and threads < 1:
        raise DiffDopeError(f"threads: expected a positive integer or None, got {threads}")
    _threads = threads


def default_threads() -> int:
    """The library setting, or all cores."""
    return _threads or available_cores()


class HypothesisPool:
    """Runs work on hypotheses in threads; `worker` indexes a thread's scratch.

    Results do not depend on the number of threads, because no range reads what another one writes. A number far beyond
    the cores (a settings file from a larger machine, a slip of the key) is reduced, not refused.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads = min(threads, max(_MOST, available_cores()))
        # The calling thread works too, so one fewer is started.
        self._executor = ThreadPoolExecutor(threads - 1, "diffdope") if threads > 1 else None

    def run(self, work: Callable[[int, int, int], None], count: int) -> None:
        """Calls `work(worker, first, last)` until `count` hypotheses are done; raises what a thread raised."""
        if self._executor is None or count < 2:
            work(0, 0, count)
            return
        # Small ranges, because hypotheses differ in cost; not single ones, because a call costs microseconds.
        size = max(1, count // (4 * self.threads))
        ranges = itertools.count(0, size)  # next() is atomic under the interpreter lock

        def pull(worker: int) -> None:
            while (first := next(ranges)) < count:
                work(worker, first, min(first + size, count))

        futures: list[Future[None]] = [self._executor.submit(pull, worker) for worker in range(1, self.threads)]
        pull(0)
        for future in futures:
            future.result()

    def share(self, work: Callable[[int], None], count: int) -> None:
        """Calls `work(worker)` in every thread, which pull from a queue of `count` themselves (`kernels.queue`)."""
        workers = min(self.threads, count)
        if self._executor is None or workers < 2:
            work(0)
            return
        futures: list[Future[None]] = [self._executor.submit(work, worker) for worker in range(1, workers)]
        work(0)
        for future in futures:
            future.result()
