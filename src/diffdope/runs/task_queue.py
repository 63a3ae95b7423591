"""Which worker gets which task: those of a group stay together while there are groups enough."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

from diffdope.runs.task import Task


class TaskQueue:
    """Tasks that nobody has begun, by group; workers are any hashable names."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._groups: OrderedDict[str, deque[Task]] = OrderedDict()
        self._at: dict[object, str] = {}
        for task in tasks:
            self._groups.setdefault(task.group, deque()).append(task)

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def take(self, worker: object) -> Task | None:
        """The next task for a worker: of its own group, else of one that nobody is at, else of the longest.

        The last is what keeps all cores busy to the end; that worker loads what others have loaded too.
        """
        group = self._at.get(worker)
        if group not in self._groups:
            group = self._unattended() or self._longest()
        if group is None:
            return None
        self._at[worker] = group
        task = self._groups[group].popleft()
        if not self._groups[group]:
            del self._groups[group]
        return task

    def put_back(self, task: Task) -> None:
        """A task that was begun in vain is the next of its group, and its group the next of all."""
        self._groups.setdefault(task.group, deque()).appendleft(task)
        self._groups.move_to_end(task.group, last=False)

    def forget(self, worker: object) -> None:
        """The worker is gone, and its group free for another."""
        self._at.pop(worker, None)

    def _unattended(self) -> str | None:
        attended = set(self._at.values())
        return next((group for group in self._groups if group not in attended), None)

    def _longest(self) -> str | None:
        return max(self._groups, key=lambda group: len(self._groups[group]), default=None)
