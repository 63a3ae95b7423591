"""A bounded queue before a few threads: what does not fit is refused at once, so that nobody waits for nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Busy(Exception):
    """There is no room now; later there will be."""


class WorkQueue:
    """Runs calls in threads, one after the other for each.

    Args:
        workers: calls at a time.
        waiting: calls that may wait.
    """

    def __init__(self, workers: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(workers, "diffdope-service")
        self._most = workers + waiting
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Puts a call at the end.

        Raises:
            Busy: if as many as fit are running or waiting. Those that nobody waits for any more count until they end.
        """
        with self._lock:
            if self._count >= self._most:
                raise Busy
            self._count += 1
        future = self._executor.submit(call)
        future.add_done_callback(self._done)
        return future

    async def run(self, call: Callable[[], T], *, until: float) -> T:
        """The result of a call.

        Args:
            call: takes nothing; it is not begun where its time is over before.
            until: of `time.monotonic`, seconds.

        Raises:
            Busy: as `submit`.
            TimeoutError: if there is no result in time.
        """
        future = asyncio.wrap_future(self.submit(call))
        return await asyncio.wait_for(future, max(until - time.monotonic(), 0.0))

    def close(self) -> None:
        """Drops what waits, and lets what runs end."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _done(self, _: Future[T]) -> None:
        with self._lock:
            self._count -= 1
