"""Tasks one after another in this process."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from diffdope.jobs.task import Record, Task, Work, execute


@dataclass(frozen=True)
class InlineEngine:
    """No processes: the simplest engine, and the one whose results define what the others must give."""

    def run(self, tasks: Sequence[Task], work: Work) -> Generator[tuple[Task, Record]]:
        """Yields each task with its record, in their order."""
        handler = work()
        for task in tasks:
            yield task, execute(handler, task.payload)
