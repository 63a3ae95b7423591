"""Progress of a run whose records are kept as they come, and what is said when it is interrupted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console

from diffdope.cli.progress import Activity

Record = Mapping[str, Any]


class JournalDisplay(ABC):
    """What is done of a run, while it works; a subclass counts its records and words them.

    Args:
        things: what a record is of, in the plural.
        records: the file that keeps them.
        activity: the bar.
        console: on which is said what was done before.
    """

    def __init__(self, things: str, records: Path, activity: Activity, console: Console) -> None:
        self._things, self._records = things, records
        self._activity, self._console = activity, console
        self._done = 0
        self._total: int | None = None

    def __enter__(self) -> Self:
        self._activity.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._activity.__exit__(kind, error, trace)
        if isinstance(error, KeyboardInterrupt):
            of = "" if self._total is None else f" of {self._total}"
            kept = f"{self._done}{of} {self._things} are in {self._records}"
            raise KeyboardInterrupt(f"interrupted; {kept}; the same command goes on from there") from None

    def begin(self, total: int, done: Mapping[str, Record]) -> None:
        """Takes how many there are in all, and the records of an earlier, interrupted run."""
        self._total = total
        for record in done.values():
            self._take(record)
        if done:
            self._console.print(f"resuming: {len(done)} of {total} {self._things} are done already")
        self._activity.begin(total, self._done, self.described())

    def add(self, record: Record) -> None:
        """Takes a new record."""
        self._take(record)
        self._activity.update(self._done, text=self.described())

    @abstractmethod
    def described(self) -> str:
        """What the bar says, in a few words."""

    @abstractmethod
    def count(self, record: Record) -> None:
        """Takes what is told of a record."""

    def _take(self, record: Record) -> None:
        self._done += 1
        self.count(record)
