"""Where tasks are done: in this process, in several, or on a cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

from diffdope.errors import check_choice, expected
from diffdope.jobs.task import Record, Task, Work


class Engine(Protocol):
    """Does tasks."""

    def run(self, tasks: Sequence[Task], work: Work) -> Generator[tuple[Task, Record]]:
        """Yields each task with its record, in the order in which they are done.

        The next task of a worker is not begun before the caller has taken, and so can have stored, the record of its
        last one. Closing the generator stops the workers.

        Raises:
            DiffDopeError: if no worker can be started.
        """
        ...


def make_engine(name: str, *, workers: int | None = None, address: str | None = None) -> Engine:
    """The engine of that name.

    Args:
        name: "local" or "ray".
        workers: how many tasks are done at once. None: one ("local"), as many as the cluster has CPUs ("ray"). A single
            local worker is this process itself.
        address: of a Ray cluster; None starts one on this machine.

    Raises:
        DiffDopeError: for another name, or a number below 1.
    """
    from diffdope.jobs.inline_engine import InlineEngine
    from diffdope.jobs.local_engine import LocalEngine
    from diffdope.jobs.ray_engine import RayEngine

    check_choice("engine", name, ("local", "ray"))
    if workers is not None and workers < 1:
        raise expected("workers", "at least 1", workers)
    if name == "ray":
        return RayEngine(address, workers)
    return InlineEngine() if workers in (None, 1) else LocalEngine(workers or 1)
