"""What a run consists of: tasks, and the work that is done on each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from diffdope.errors import DiffDopeError
from diffdope.jobs.canonical import normal
from diffdope.jobs.journal_file import record_line

Record = Mapping[str, Any]
Handler = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Attributes:
        key: unique and sortable, such as "000001/000003/000007"; names the record in the journal.
        group: tasks that share loaded data (an image); a worker that has begun a group is given the rest of it.
        payload: what the handler is called with; must be picklable.
    """

    key: str
    group: str
    payload: Any


class Work(Protocol):
    """Picklable. Called once in every worker process; the handler that it returns keeps what tasks share.

    The handler turns a payload into a record: a dict that JSON can hold, whose times are under "seconds" only.
    """

    def __call__(self) -> Handler:
        """Opens what the tasks need."""
        ...


def execute(handler: Handler, payload: Any) -> dict[str, Any]:
    """The record of one task; an exception becomes {"error": text}, so that one bad task does not end a run."""
    try:
        record = handler(payload)
        record_line("", record)  # what a journal cannot hold is this task's fault, not the run's
        return normal(record)
    except Exception as error:
        return {"error": described(error)}


def described(error: BaseException) -> str:
    """Our own errors speak for themselves; those of others need their type."""
    return str(error) if isinstance(error, DiffDopeError) else f"{type(error).__name__}: {error}"
