"""Decides which worker gets which task: the tasks of a group stay with one worker while there are enough groups."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

from diffdope.jobs.task import Task


class TaskQueue:
    """Tasks that no worker has begun, by group; workers are any hashable names."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._groups: OrderedDict[str, deque[Task]] = OrderedDict()
        self._group_of: dict[object, str] = {}
        for task in tasks:
            self._groups.setdefault(task.group, deque()).append(task)

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def take(self, worker: object) -> Task | None:
        """The next task for a worker: of its own group, else of one without a worker, else of the longest.

        The last is what keeps all cores busy to the end; that worker loads what others have loaded too.
        """
        group = self._group_of.get(worker)
        if group not in self._groups:
            group = self._unassigned() or self._longest()
        if group is None:
            return None
        self._group_of[worker] = group
        task = self._groups[group].popleft()
        if not self._groups[group]:
            del self._groups[group]
        return task

    def put_back(self, task: Task) -> None:
        """Puts a task whose worker died first in its group, and its group first of all."""
        self._groups.setdefault(task.group, deque()).appendleft(task)
        self._groups.move_to_end(task.group, last=False)

    def forget(self, worker: object) -> None:
        """Frees the group of a worker that is gone."""
        self._group_of.pop(worker, None)

    def _unassigned(self) -> str | None:
        assigned = set(self._group_of.values())
        return next((group for group in self._groups if group not in assigned), None)

    def _longest(self) -> str | None:
        return max(self._groups, key=lambda group: len(self._groups[group]), default=None)
