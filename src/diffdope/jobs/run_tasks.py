"""Runs the tasks that are not yet in a journal; every record is stored before its worker gets another task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from diffdope.errors import expected
from diffdope.jobs.engine import Engine
from diffdope.jobs.journal import Journal
from diffdope.jobs.task import Task, Work


def run_tasks(
    tasks: Sequence[Task],
    work: Work,
    *,
    engine: Engine,
    journal: Journal,
    on_record: Callable[[Task, dict[str, Any]], None] | None = None,
) -> None:
    """Runs the tasks whose keys are not in the journal.

    An exception of a task becomes its record, {"error": text}. The task of a worker that dies goes to another one;
    after the third death at the same task its record is an error too. KeyboardInterrupt stops the workers and
    propagates; the journal is valid then, as it is after any other end.

    Args:
        tasks: with keys that differ; those of a group are done by one worker while others have work.
        work: makes the handler, in each worker.
        engine: where it is done.
        journal: open; the caller finishes and closes it.
        on_record: called with each new record, as it is in the journal.

    Raises:
        DiffDopeError: if two tasks have one key, or no worker can be started.
    """
    keys = {task.key for task in tasks}
    if len(keys) != len(tasks):
        raise expected("tasks", "keys that differ", f"{len(tasks)} tasks with {len(keys)} keys")
    pending = [task for task in tasks if task.key not in journal.done]
    if not pending:
        return
    with closing(engine.run(pending, work)) as records:
        for task, record in records:
            journal.append(task.key, record)
            if on_record is not None:
                on_record(task, journal.done[task.key])
