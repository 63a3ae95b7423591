"""What a long command does, how far it is, and how long it still takes: in a terminal, a notebook, or a log.

All of it goes to stderr, so that what a command answers can be piped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from html import escape
from types import TracebackType
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")
FIRST_S = 2.0
"""Seconds of silence after which a log gets its first line."""
EVERY_S = 30.0
"""Seconds between the lines of a log."""
_NOTEBOOK_S = 0.25
"""Seconds between the looks of a notebook's bar."""


class _NotebookBar:
    """A bar below a cell. rich has one that needs ipywidgets, and without them shows warnings in its place."""

    def __init__(self) -> None:
        import IPython.display

        self._shown: Any = IPython.display
        self._handle = self._shown.display(self._made(""), display_id=True)

    def show(self, line: str, done: int, total: int | None) -> None:
        """A line, and a bar where it is known how much there is to do."""
        bar = "" if not total else f'<progress value="{done}" max="{total}"></progress> '
        self._handle.update(self._made(f"{bar}{escape(line)}"))

    def remove(self) -> None:
        """Nothing is left of it."""
        self._handle.update(self._made(""))

    def _made(self, text: str) -> Any:
        return self._shown.HTML(f"<small>{text}</small>" if text else "")


class Activity:
    """One thing that a command does: a bar or a spinner; in a log a line after two seconds, and then now and then.

    In a notebook it is a bar below the cell.

    Lines come from a thread, so that they come, too, while nothing is reported.

    Args:
        text: what is done.
        console: where it is said; stderr if not given.
        total: number of steps; None where that is not known.
        done: steps that were done before, by an interrupted run.
        period_s: seconds over which the rate is averaged that tells how long it still takes.
    """

    def __init__(
        self, text: str, console: Console | None = None, *, total: int | None = None, done: int = 0,
        period_s: float = 30.0,
    ) -> None:  # fmt: skip
        self._console = Console(stderr=True) if console is None else console
        self._text, self._total, self._done, self._before = text, total, done, done
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        self._bar = Progress(
            *columns, *times, console=self._console, transient=True, disable=not self._console.is_terminal,
            speed_estimate_period=period_s,
        )  # fmt: skip
        self._task = self._bar.add_task(text, total=total, completed=done)
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._in_notebook: _NotebookBar | None = None

    def __enter__(self) -> Activity:
        self._began = time.monotonic()
        if self._console.is_jupyter:
            self._in_notebook = _NotebookBar()
        elif self._console.is_terminal:
            self._bar.start()
            return self
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
        if self._in_notebook is not None:
            self._in_notebook.remove()

    def begin(self, total: int, done: int, text: str) -> None:
        """Says how much there is to do, once that is known; what was done before does not count as fast."""
        self._before, self._began = done, time.monotonic()
        self._bar.reset(self._task, total=total, completed=done, description=text)
        self.update(done, total, text)

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

    def say(self, text: str) -> None:
        """Says what is done now."""
        self.update(self._done, text=text)

    def advance(self) -> None:
        """One step more."""
        self.update(self._done + 1)

    def line(self) -> str:
        """What a log says: the activity, how far, how long still."""
        elapsed = time.monotonic() - self._began
        if self._total is None:
            how_far = f"{self._done} after " if self._done else ""
            return f"{self._text}: {how_far}{elapsed:.0f} s"
        text = f"{self._text}: {self._done} of {self._total} after {elapsed:.0f} s"
        new = self._done - self._before
        return text if new <= 0 else f"{text}, {elapsed / new * max(self._total - self._done, 0):.0f} s left"

    def _talk(self) -> None:
        if self._in_notebook is not None:
            while not self._ended.wait(_NOTEBOOK_S):
                self._in_notebook.show(self.line(), self._done, self._total)
            return
        pause = FIRST_S
        while not self._ended.wait(pause):
            print(self.line(), file=self._console.file, flush=True)
            pause = EVERY_S


def counted(items: Iterable[T], activity: Activity) -> Iterator[T]:
    """The same items, of which each is a step that is done when the next one is asked for."""
    for item in items:
        yield item
        activity.advance()
