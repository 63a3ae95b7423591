"""Runs tasks in several processes of this machine; each has a pipe of its own.

The processes share no queue, hence no lock that a killed process could keep.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from diffdope.checked_fields import checked_fields
from diffdope.jobs.local_worker import serve
from diffdope.jobs.scheduler import schedule
from diffdope.jobs.signals import exit_statuses_kept, interrupts_deferred
from diffdope.jobs.task import Record, Task, Work
from diffdope.jobs.worker_pool import Died, Done, Event, Ready, StartFailed

_SHUTDOWN_S = 2.0  # workers have so long to end by themselves
_NO_MESSAGE = object()


@dataclass(frozen=True)
@checked_fields(least={"workers": 1})
class LocalEngine:
    """Runs tasks in processes of this machine, which are spawned, not forked: threads and a GPU do not survive a fork.

    The program that uses it must guard its main module by `if __name__ == "__main__":`.

    Attributes:
        workers: number of processes.
    """

    workers: int

    def run(self, tasks: Sequence[Task], work: Work) -> Generator[tuple[Task, Record]]:
        """Yields each task with its record, in the order in which they are done.

        Raises:
            DiffDopeError: if no worker can be started.
        """
        with exit_statuses_kept():
            yield from schedule(_ProcessPool(work), tasks, self.workers)


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    ready: bool = False


class _ProcessPool:
    """A `WorkerPool` of processes."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[int, _Worker] = {}
        self._spawned = 0

    def spawn(self) -> int:
        ours, theirs = self._context.Pipe(duplex=True)
        process = self._context.Process(target=serve, args=(theirs, self._work), daemon=True)
        with interrupts_deferred(), _one_thread_each():
            process.start()
            self._spawned += 1
            self._workers[self._spawned] = _Worker(process, ours)
        theirs.close()  # else the pipe would not end with the process
        return self._spawned

    def submit(self, worker: int, task: Task) -> None:
        with suppress(ConnectionError):  # the worker is dead: `events` will report it
            self._workers[worker].pipe.send(task.payload)

    def events(self) -> Iterator[Event]:
        numbers: dict[Any, int] = {}
        for number, worker in self._workers.items():
            numbers |= {worker.pipe: number, worker.process.sentinel: number}
        for number in sorted({numbers[ready] for ready in wait(list(numbers))}):
            yield self._event(number, self._workers[number])

    def _event(self, number: int, worker: _Worker) -> Event:
        message: Any = _NO_MESSAGE
        with suppress(EOFError, OSError):
            if worker.pipe.poll():  # what a dead worker sent before it died counts
                message = worker.pipe.recv()
        if message is _NO_MESSAGE:
            return self._died(number, worker)
        if worker.ready:
            return Done(number, message)
        worker.ready = True
        if message is not None:
            self._remove(number, worker)
            return StartFailed(number, message)
        return Ready(number)

    def _died(self, number: int, worker: _Worker) -> Died:
        self._remove(number, worker)
        code = worker.process.exitcode
        if code is not None and code < 0:
            return Died(number, f"killed by signal {-code} ({signal.strsignal(-code)})")
        return Died(number, f"exit code {code}")

    def _remove(self, number: int, worker: _Worker) -> None:
        worker.pipe.close()
        worker.process.join(_SHUTDOWN_S)
        worker.process.kill()
        worker.process.join()
        del self._workers[number]

    def stop(self, *, promptly: bool) -> None:
        workers = list(self._workers.values())
        self._workers.clear()
        for worker in workers:
            worker.pipe.close()
            if promptly or not worker.ready:
                worker.process.kill()
        deadline = time.monotonic() + _SHUTDOWN_S
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            worker.process.kill()
            worker.process.join()
            worker.process.close()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Limits numpy's libraries to one thread in each child; without it they start one a core in every process."""
    given = os.environ.get("OMP_NUM_THREADS")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        yield
    finally:
        if given is None:
            del os.environ["OMP_NUM_THREADS"]
