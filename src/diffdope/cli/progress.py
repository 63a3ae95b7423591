"""What a long command does, how far it is, and how long it still takes: in a terminal, a notebook, or a log."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

FIRST_S = 2.0
"""Seconds of silence after which a log gets its first line."""
EVERY_S = 30.0
"""Seconds between the lines of a log."""


def shows_bars(console: Console) -> bool:
    """Whether bars that move can be seen there: terminals and notebooks."""
    return console.is_terminal or console.is_jupyter


class Activity:
    """One thing that a command does: a bar or a spinner; in a log a line after two seconds, and then now and then.

    Lines come from a thread, so that they come, too, while nothing is reported.

    Args:
        text: what is done.
        console: where it is said.
        total: number of steps; None where that is not known.
    """

    def __init__(self, text: str, console: Console, total: int | None = None) -> None:
        self._text, self._console, self._total, self._done = text, console, total, 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        self._bar = Progress(*columns, *times, console=console, transient=True, disable=not shows_bars(console))
        self._task = self._bar.add_task(text, total=total)
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Activity:
        self._began = time.monotonic()
        if shows_bars(self._console):
            self._bar.start()
        else:
            self._thread = threading.Thread(target=self._talk, daemon=True, name="progress")
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._bar.stop()
        if self._thread is not None:
            self._thread.join()

    def update(self, done: int, total: int | None = None, text: str | None = None) -> None:
        """Says how far it is.

        Args:
            done: steps.
            total: their number, if it is known by now.
            text: what is done now, if that changes.
        """
        self._done = done
        self._total = self._total if total is None else total
        self._text = self._text if text is None else text
        self._bar.update(self._task, completed=done, total=self._total, description=self._text)

    def advance(self) -> None:
        """One step more."""
        self.update(self._done + 1)

    def line(self) -> str:
        """What a log says: the activity, how far, how long still."""
        elapsed = time.monotonic() - self._began
        if not self._done:
            return f"{self._text}: {elapsed:.0f} s so far"
        if self._total is None:
            return f"{self._text}: {self._done} after {elapsed:.0f} s"
        left = elapsed / self._done * max(self._total - self._done, 0)
        return f"{self._text}: {self._done} of {self._total} after {elapsed:.0f} s, {left:.0f} s left"

    def _talk(self) -> None:
        pause = FIRST_S
        while not self._ended.wait(pause):
            print(self.line(), file=self._console.file, flush=True)
            pause = EVERY_S
