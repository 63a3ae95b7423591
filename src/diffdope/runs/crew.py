"""Workers that come and go: what a kind of worker must offer, and the one loop that gives them tasks."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from diffdope.errors import DiffDopeError
from diffdope.runs.task import Record, Task
from diffdope.runs.task_queue import TaskQueue

DEATHS = 3  # of workers at the same task, before the task is blamed
_CURE = "if it was for want of memory, use fewer workers"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ready:
    """A new worker has opened what tasks need."""

    worker: int


@dataclass(frozen=True)
class Failed:
    """A new worker could not: an exception with this text."""

    worker: int
    text: str


@dataclass(frozen=True)
class Done:
    """A worker has done its task."""

    worker: int
    record: Record


@dataclass(frozen=True)
class Died:
    """A worker is gone."""

    worker: int
    reason: str


Event = Ready | Failed | Done | Died


class Crew(Protocol):
    """Workers of one kind, named by numbers that are never used again."""

    def hire(self) -> int:
        """Begins to start a worker; Ready, Failed or Died comes for it some time."""
        ...

    def give(self, worker: int, task: Task) -> None:
        """Sends a task to an idle worker; Done or Died comes for it some time."""
        ...

    def events(self) -> Iterator[Event]:
        """Waits until something has happened, and says what."""
        ...

    def stop(self, *, promptly: bool) -> None:
        """Ends all workers: at once, or when they have put their things away."""
        ...


def drive(crew: Crew, tasks: Sequence[Task], size: int) -> Generator[tuple[Task, Record]]:
    """Has all tasks done by at most `size` workers at a time; yields as `Engine.run` does, and stops the crew.

    Raises:
        DiffDopeError: if workers fail or die again and again before they are ready.
    """
    foreman = _Foreman(crew, tasks, min(size, len(tasks)))
    finished = False
    try:
        foreman.hire_all()
        while foreman.left:
            for event in crew.events():
                yield from foreman.on(event)
        finished = True
    finally:
        crew.stop(promptly=not finished)


class _Foreman:
    """Who is idle, who is at what, and how often a task or a start has gone wrong."""

    def __init__(self, crew: Crew, tasks: Sequence[Task], size: int) -> None:
        self.left = len(tasks)
        self._crew = crew
        self._size = size
        self._hired = 0  # starting, idle or at work
        self._ever_ready = False
        self._failures = 0  # to start, in a row
        self._queue = TaskQueue(tasks)
        self._idle: list[int] = []
        self._at: dict[int, Task] = {}
        self._deaths: Counter[str] = Counter()

    def hire_all(self) -> None:
        """Until there are as many as wanted."""
        while self._hired < self._size:
            self._hired += 1
            self._crew.hire()

    def on(self, event: Event) -> Iterator[tuple[Task, Record]]:
        """Takes note of what happened; yields the task that it ended, if it did."""
        match event:
            case Ready(worker):
                self._ever_ready, self._failures = True, 0
                self._idle.append(worker)
            case Failed(worker, text):
                self._failed_to_start(text, certain=True)
            case Done(worker, record):
                yield self._ended(worker, record)
                self._idle.append(worker)
            case Died(worker, reason):
                if worker in self._at:
                    yield from self._died_at_work(worker, reason)
                    self._replace(worker)
                elif worker in self._idle:
                    self._idle.remove(worker)
                    self._replace(worker)
                else:
                    self._failed_to_start(f"it ended before it was ready: {reason}", certain=False)
        self._busy_the_idle()

    def _busy_the_idle(self) -> None:
        """Gives tasks while there are both."""
        while self._idle and (task := self._queue.take(self._idle[0])) is not None:
            worker = self._idle.pop(0)
            self._at[worker] = task
            self._crew.give(worker, task)

    def _ended(self, worker: int, record: Record) -> tuple[Task, Record]:
        self.left -= 1
        return self._at.pop(worker), record

    def _died_at_work(self, worker: int, reason: str) -> Iterator[tuple[Task, Record]]:
        task = self._at[worker]
        _log.warning("worker died at task %s: %s", task.key, reason)
        self._deaths[task.key] += 1
        if self._deaths[task.key] >= DEATHS:
            # Without the reason, which is worded by the engine: records are the same with all engines.
            yield self._ended(worker, {"error": f"worker died {DEATHS} times at this task; {_CURE}"})
        else:
            self._queue.put_back(self._at.pop(worker))

    def _replace(self, worker: int) -> None:
        self._queue.forget(worker)
        self._hired -= 1
        if self.left:
            self.hire_all()

    def _failed_to_start(self, text: str, *, certain: bool) -> None:
        """Tells bad luck (a killed process, a lost machine) from what can never start, and goes on with the others."""
        self._hired -= 1
        self._failures += 1
        if certain and not self._ever_ready:
            raise DiffDopeError(f"no worker can be started: {text}")
        if self._failures < self._size + DEATHS:  # a machine may be lost with all that were starting on it
            self.hire_all()
            return
        if not self._hired:
            raise DiffDopeError(f"no worker can be started: {text}")
        self._size = self._hired
        _log.warning("going on with %d workers, because no more can be started: %s", self._hired, text)
