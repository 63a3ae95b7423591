"""The one loop that gives tasks to the workers of a pool and replaces workers that die."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Iterator, Sequence

from diffdope.errors import DiffDopeError
from diffdope.jobs.task import Record, Task
from diffdope.jobs.task_queue import TaskQueue
from diffdope.jobs.worker_pool import Died, Done, Event, Ready, StartFailed, WorkerPool

MAX_DEATHS = 3  # of workers at the same task, before the task is blamed
_CURE = "if it was for want of memory, use fewer workers"
_log = logging.getLogger(__name__)


def schedule(pool: WorkerPool, tasks: Sequence[Task], size: int) -> Generator[tuple[Task, Record]]:
    """Runs all tasks on at most `size` workers at a time; yields as `Engine.run` does, and stops the pool.

    Raises:
        DiffDopeError: if workers fail or die again and again before they are ready.
    """
    scheduler = Scheduler(pool, tasks, min(size, len(tasks)))
    finished = False
    try:
        scheduler.spawn_missing()
        while scheduler.remaining:
            for event in pool.events():
                yield from scheduler.handle(event)
        finished = True
    finally:
        pool.stop(promptly=not finished)


class Scheduler:
    """Knows which workers are idle, which task each of the others runs, and how often a task or a start has failed.

    Args:
        pool: the workers.
        tasks: all that are to be run.
        size: number of workers at a time.
    """

    def __init__(self, pool: WorkerPool, tasks: Sequence[Task], size: int) -> None:
        self.remaining = len(tasks)
        self._pool = pool
        self._size = size
        self._spawned = 0  # starting, idle or running a task
        self._any_was_ready = False
        self._failed_starts = 0  # in a row
        self._queue = TaskQueue(tasks)
        self._idle: list[int] = []
        self._running: dict[int, Task] = {}
        self._deaths: Counter[str] = Counter()  # by task key

    def spawn_missing(self) -> None:
        """Spawns workers until there are as many as wanted."""
        while self._spawned < self._size:
            self._spawned += 1
            self._pool.spawn()

    def handle(self, event: Event) -> Iterator[tuple[Task, Record]]:
        """Takes note of an event; yields the task that ended with it, if one did, and its record."""
        match event:
            case Ready(worker):
                self._any_was_ready, self._failed_starts = True, 0
                self._idle.append(worker)
            case StartFailed(_, text):
                self._handle_failed_start(text, permanent=True)
            case Done(worker, record):
                yield self._end_task(worker, record)
                self._idle.append(worker)
            case Died(worker, reason):
                yield from self._handle_death(worker, reason)
        self._submit_to_idle()

    def _submit_to_idle(self) -> None:
        """Submits tasks while there are both tasks and idle workers."""
        while self._idle and (task := self._queue.take(self._idle[0])) is not None:
            worker = self._idle.pop(0)
            self._running[worker] = task
            self._pool.submit(worker, task)

    def _end_task(self, worker: int, record: Record) -> tuple[Task, Record]:
        self.remaining -= 1
        return self._running.pop(worker), record

    def _handle_death(self, worker: int, reason: str) -> Iterator[tuple[Task, Record]]:
        if worker in self._running:
            yield from self._retry_or_blame(worker, reason)
        elif worker in self._idle:
            self._idle.remove(worker)
        else:
            self._handle_failed_start(f"it ended before it was ready: {reason}", permanent=False)
            return
        self._replace(worker)

    def _retry_or_blame(self, worker: int, reason: str) -> Iterator[tuple[Task, Record]]:
        """Queues the task of a dead worker again, or ends it with an error after `MAX_DEATHS`."""
        task = self._running[worker]
        _log.warning("worker died at task %s: %s", task.key, reason)
        self._deaths[task.key] += 1
        if self._deaths[task.key] >= MAX_DEATHS:
            # Without the reason, which is worded by the engine: records are the same with all engines.
            yield self._end_task(worker, {"error": f"worker died {MAX_DEATHS} times at this task; {_CURE}"})
        else:
            self._queue.put_back(self._running.pop(worker))

    def _replace(self, worker: int) -> None:
        self._queue.forget(worker)
        self._spawned -= 1
        if self.remaining:
            self.spawn_missing()

    def _handle_failed_start(self, text: str, *, permanent: bool) -> None:
        """Distinguishes bad luck (a killed process, a lost machine) from what can never start.

        Args:
            text: what went wrong.
            permanent: whether a worker that says so would say so again, unless another one was ready before.

        Raises:
            DiffDopeError: if no worker can be started.
        """
        self._spawned -= 1
        self._failed_starts += 1
        if permanent and not self._any_was_ready:
            raise DiffDopeError(f"no worker can be started: {text}")
        if self._failed_starts < self._size + MAX_DEATHS:  # a machine may be lost with all that were starting on it
            self.spawn_missing()
            return
        if not self._spawned:
            raise DiffDopeError(f"no worker can be started: {text}")
        self._size = self._spawned
        _log.warning("going on with %d workers, because no more can be started: %s", self._spawned, text)
