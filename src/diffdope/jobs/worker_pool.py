"""The interface of a pool of workers, and the events that it reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from diffdope.jobs.task import Record, Task


@dataclass(frozen=True)
class Ready:
    """A new worker has opened what tasks need and waits for its first task."""

    worker: int


@dataclass(frozen=True)
class StartFailed:
    """A new worker could not open what tasks need; `text` is the error."""

    worker: int
    text: str


@dataclass(frozen=True)
class Done:
    """A worker has finished its task."""

    worker: int
    record: Record


@dataclass(frozen=True)
class Died:
    """A worker process has ended without being asked to; `reason` says how."""

    worker: int
    reason: str


Event = Ready | StartFailed | Done | Died


class WorkerPool(Protocol):
    """Workers of one kind. Each has a number that is never used again."""

    def spawn(self) -> int:
        """Begins to start a worker; Ready, StartFailed or Died follows for it."""
        ...

    def submit(self, worker: int, task: Task) -> None:
        """Sends a task to an idle worker; Done or Died follows for it."""
        ...

    def events(self) -> Iterator[Event]:
        """Waits until at least one event has happened, and yields those that have."""
        ...

    def stop(self, *, promptly: bool) -> None:
        """Ends all workers: at once if `promptly`, else after they have cleaned up."""
        ...
