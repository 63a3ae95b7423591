"""What belongs to one process: locks, threads and scratch memory, which neither a fork nor a pickle may carry over."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_forks = 0


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_count_fork)


class PerProcess(Generic[T]):
    """A value that each process makes for itself when it first asks.

    A forked child has none of its parent's threads, and whatever one of those was changing stays half changed for
    ever: a lock stays taken, a pool waits for workers that do not exist. So the child leaves the parent's value alone
    and makes its own, and so does a process that gets the owner by pickle.

    Args:
        make: makes the value. It is called once more, and its value dropped, if two threads ask at the same moment; it
            must survive a pickle if the owner shall.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        # The parent's value is kept: to end it would mean to talk to threads that are not there.
        self._made: dict[int, T] = {}

    def get(self) -> T:
        """This process's value."""
        value = self._made.get(_forks)
        # setdefault is atomic: all threads get the value of the first.
        return self._made.setdefault(_forks, self._make()) if value is None else value

    def __reduce__(self) -> tuple[Any, ...]:
        return PerProcess, (self._make,)
