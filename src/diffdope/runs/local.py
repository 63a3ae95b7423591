"""Several processes on this machine, each at the end of a pipe of its own.

There is no queue between them, hence no lock that a killed process could keep.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any

from diffdope.runs.crew import Died, Done, Event, Failed, Ready, drive
from diffdope.runs.local_worker import serve
from diffdope.runs.task import Record, Task, Work

_PATIENCE_S = 2.0  # for workers to end by themselves
_NOTHING = object()


@dataclass(frozen=True)
class LocalEngine:
    """Processes on this machine, started afresh (not forked: threads and a GPU do not survive that).

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
        return drive(_Processes(work), tasks, self.workers)


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    ready: bool = False


class _Processes:
    """A crew of processes."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[int, _Worker] = {}
        self._hired = 0

    def hire(self) -> int:
        ours, theirs = self._context.Pipe(duplex=True)
        process = self._context.Process(target=serve, args=(theirs, self._work), daemon=True)
        with _interrupts_held(), _one_thread_each():
            process.start()
            self._hired += 1
            self._workers[self._hired] = _Worker(process, ours)
        theirs.close()  # else the pipe would not end with the process
        return self._hired

    def give(self, worker: int, task: Task) -> None:
        with suppress(ConnectionError):  # dead: `events` will say so
            self._workers[worker].pipe.send(task.payload)

    def events(self) -> Iterator[Event]:
        numbers: dict[Any, int] = {}
        for number, worker in self._workers.items():
            numbers |= {worker.pipe: number, worker.process.sentinel: number}
        for number in sorted({numbers[ready] for ready in wait(list(numbers))}):
            yield self._event(number, self._workers[number])

    def _event(self, number: int, worker: _Worker) -> Event:
        message: Any = _NOTHING
        with suppress(EOFError, OSError):
            if worker.pipe.poll():  # what a dead worker sent before it died counts
                message = worker.pipe.recv()
        if message is _NOTHING:
            return self._died(number, worker)
        if worker.ready:
            return Done(number, message)
        worker.ready = True
        if message is not None:
            self._dismiss(number, worker)
            return Failed(number, message)
        return Ready(number)

    def _died(self, number: int, worker: _Worker) -> Died:
        self._dismiss(number, worker)
        code = worker.process.exitcode
        if code is not None and code < 0:
            return Died(number, f"killed by signal {-code} ({signal.strsignal(-code)})")
        return Died(number, f"exit code {code}")

    def _dismiss(self, number: int, worker: _Worker) -> None:
        worker.pipe.close()
        worker.process.join(_PATIENCE_S)
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
        deadline = time.monotonic() + _PATIENCE_S
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            worker.process.kill()
            worker.process.join()
            worker.process.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A child inherits that Ctrl-C is blocked, until it ignores it; ours comes a moment later.

    Blocked for this thread, the signal may still go to another one of the process (those of numpy's libraries), and
    Python would then raise it here: half of what a child needs to start would have been sent. So it is also only noted.
    """
    with _interrupts_noted(), _interrupts_blocked():
        yield


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # started on first use, with a mask of its own, it would undo ours
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _interrupts_noted() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(*came[0])


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Else numpy's libraries start a thread a core in every process."""
    given = os.environ.get("OMP_NUM_THREADS")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        yield
    finally:
        if given is None:
            del os.environ["OMP_NUM_THREADS"]
