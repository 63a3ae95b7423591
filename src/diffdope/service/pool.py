"""Workers: in this process, or one process each, of which a crash loses the request that it was at."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from diffdope.errors import DiffDopeError
from diffdope.service.limits import Limits
from diffdope.service.pipes import receive, send
from diffdope.service.work import Busy
from diffdope.service.worker_state import WorkerState

_LOG = logging.getLogger(__name__)
_END_S = 5.0  # that a process is waited for when the service ends


class WorkerEndedError(Exception):
    """The process of a worker ended in the middle of a request: a crash, or it was killed."""


@dataclass(frozen=True)
class Place:
    """Where a track is.

    Attributes:
        worker: its number.
        life: of the worker: how often its process was started before.
    """

    worker: int
    life: int = 0


class Worker(Protocol):
    """Who answers calls; one at a time."""

    @property
    def place(self) -> Place:
        """Where it is."""
        ...

    def call(self, name: str, *arguments: Any) -> Any:
        """The answer of a method of `WorkerState`.

        Raises:
            WorkerEndedError: if the worker ended instead.
        """
        ...


class Workers(Protocol):
    """Several of them."""

    @property
    def restarts(self) -> int:
        """How often one was started anew."""
        ...

    @contextmanager
    def lease(self, place: Place | None = None) -> Iterator[Worker]:
        """Yields a worker that is free, or that of a place, when it is free."""
        ...

    def place_of(self, number: int) -> Place:
        """The place of a worker, for a track that begins there."""
        ...

    def start(self, *, warm: bool) -> None:
        """Makes them ready; `warm` with their kernels loaded."""
        ...

    def close(self) -> None:
        """Ends them."""
        ...


class LocalWorkers:
    """All calls in this process; their threads share what is kept.

    Args:
        limits: of the service.
    """

    restarts = 0
    place = Place(0)

    def __init__(self, limits: Limits) -> None:
        self._state = WorkerState(limits)

    def call(self, name: str, *arguments: Any) -> Any:
        """See `Worker`."""
        return getattr(self._state, name)(*arguments)

    @contextmanager
    def lease(self, place: Place | None = None) -> Iterator[Worker]:
        """See `Workers`."""
        yield self

    def place_of(self, number: int) -> Place:
        """See `Workers`."""
        return self.place

    def start(self, *, warm: bool) -> None:
        """See `Workers`."""
        if warm:
            self._state.warm_up()

    def close(self) -> None:
        """Nothing to end."""


class ProcessWorkers:
    """One process for each worker. One that ends is started anew before the next call.

    Args:
        limits: of the service.
    """

    def __init__(self, limits: Limits) -> None:
        self._workers = [_ProcessWorker(number, limits) for number in range(limits.workers)]
        self._free = set(range(limits.workers))
        self._change = threading.Condition()

    @property
    def restarts(self) -> int:
        """See `Workers`."""
        return sum(worker.place.life for worker in self._workers)

    @contextmanager
    def lease(self, place: Place | None = None) -> Iterator[Worker]:
        """See `Workers`."""
        with self._change:
            self._change.wait_for(lambda: self._free if place is None else place.worker in self._free)
            number = min(self._free) if place is None else place.worker
            self._free.discard(number)
        try:
            yield self._workers[number]
        finally:
            with self._change:
                self._free.add(number)
                self._change.notify_all()

    def place_of(self, number: int) -> Place:
        """See `Workers`."""
        return self._workers[number].place

    def start(self, *, warm: bool) -> None:
        """See `Workers`; they start at the same time."""
        for worker in self._workers:
            worker.begin(warm=warm)
        for worker in self._workers:
            worker.wait()

    def close(self) -> None:
        """See `Workers`."""
        for worker in self._workers:
            worker.end()


class _ProcessWorker:
    """A process, the pipe to it, and what is known of it."""

    def __init__(self, number: int, limits: Limits) -> None:
        self._limits, self._warm, self._ready = limits, False, False
        self._process: Any = None
        self._pipe: Any = None
        self._closed = False
        self.place = Place(number)

    def begin(self, *, warm: bool) -> None:
        """Starts the process, which says when it is ready."""
        self._warm, self._ready = warm, False
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads hold
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=answer_calls, args=(theirs, self._limits, warm), name=f"diffdope-worker-{self.place.worker}",
            daemon=True,
        )  # fmt: skip
        self._process.start()
        theirs.close()

    def wait(self) -> None:
        """Waits until it is ready.

        Raises:
            WorkerEndedError: if it ended.
        """
        if not self._ready:
            self._received()
            self._ready = True

    def call(self, name: str, *arguments: Any) -> Any:
        """See `Worker`."""
        try:
            if self._process is None:
                self.begin(warm=self._warm)
            self.wait()
            send(self._pipe, (name, arguments))
            done, answer = self._received()
        except (EOFError, OSError) as error:
            raise self._renewed() from error
        except WorkerEndedError:
            raise self._renewed() from None
        if not done:
            raise answer
        return answer

    def end(self) -> None:
        """Ends the process, whatever it is doing, for good."""
        self._closed = True
        self._stop()

    def _stop(self) -> None:
        if self._process is None:
            return
        with suppress(OSError):
            self._pipe.close()
        self._process.terminate()
        self._process.join(_END_S)
        self._process = None

    def _received(self) -> Any:
        try:
            return receive(self._pipe)
        except (EOFError, OSError) as error:
            raise WorkerEndedError from error

    def _renewed(self) -> WorkerEndedError:
        """Starts another process in the place of one that ended, and says what happened."""
        if self._closed or self._process is None:
            return WorkerEndedError("the service ends")
        self._process.join(_END_S)
        code = self._process.exitcode
        self._stop()
        self.place = Place(self.place.worker, self.place.life + 1)
        _LOG.error("worker %d ended with %s; another one is started", self.place.worker, code)
        self.begin(warm=self._warm)
        return WorkerEndedError(f"the worker ended while it was at this request (exit code {code}); send it again")


def answer_calls(pipe: Any, limits: Limits, warm: bool) -> None:
    """What the process of a worker does, until its pipe is closed.

    Args:
        pipe: gives (method of `WorkerState`, arguments), and takes (whether it succeeded, answer or error).
        limits: of the service.
        warm: whether to load the kernels first.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal; the service ends us
    state = WorkerState(limits)
    if warm:
        state.warm_up()
    with suppress(EOFError, OSError):
        send(pipe, "ready")
        while True:
            name, arguments = receive(pipe)
            send(pipe, _answer(state, name, arguments))


def _answer(state: WorkerState, name: str, arguments: Any) -> tuple[bool, Any]:
    try:
        return True, getattr(state, name)(*arguments)
    except (DiffDopeError, Busy) as error:
        return False, error
    except Exception as error:  # others may hold what cannot be sent
        _LOG.exception("an error of the service itself")
        return False, RuntimeError(f"{type(error).__name__}: {error}")
