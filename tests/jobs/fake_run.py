"""Fake work for tests of runs: no poses, some milliseconds a task, and a log of what was begun."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError
from diffdope.jobs.task import Task


def fake_tasks(groups: int, each: int) -> list[Task]:
    """Keys such as "000002/000001"; the payload is the key and a number."""
    names = [(f"{g:06d}", f"{g:06d}/{i:06d}") for g in range(groups) for i in range(each)]
    return [Task(key, group, (key, number)) for number, (group, key) in enumerate(names)]


@dataclass(frozen=True)
class FakeWork:
    """Computes a few numbers from the payload.

    Attributes:
        log: every task begun appends a line "KEY PID" here.
        sleep_s: how long a task takes.
        bad: what becomes of a key: "value", "memory", "os" and "ours" raise, "nan", "object" and "key" return what a
            journal cannot hold, "die" and "exit" end the process, "die once" unless the log has the key already.
        broken: raise at the start with this text, or end the process if it is "die".
    """

    log: Path
    sleep_s: float = 0.0
    bad: tuple[tuple[str, str], ...] = ()
    broken: str = ""

    def __call__(self) -> Callable[[tuple[str, int]], dict[str, Any]]:
        if self.broken == "die":
            os._exit(7)
        if self.broken:
            raise ValueError(self.broken)
        return self.handle

    def handle(self, payload: tuple[str, int]) -> dict[str, Any]:
        key, number = payload
        seen = self.log.exists() and any(line.split()[0] == key for line in self.log.read_text().splitlines())
        with self.log.open("a") as log:
            log.write(f"{key} {os.getpid()}\n")
        time.sleep(self.sleep_s)
        wrong = self._go_wrong(dict(self.bad).get(key, ""), seen)
        return {"number": number, "third": number / 3.0, "deep": {"tuple": (1, 2.5e-300), "text": "ä"}} | wrong

    def _go_wrong(self, how: str, seen: bool) -> dict[str, Any]:
        if how == "die" or (how == "die once" and not seen):
            os.kill(os.getpid(), signal.SIGKILL)
        elif how == "exit":
            raise SystemExit(3)
        elif how == "value":
            raise ValueError("a bad value")
        elif how == "memory":
            raise MemoryError("too large")
        elif how == "ours":
            raise DiffDopeError("depth: expected this, got that")
        elif how == "os":
            raise FileNotFoundError(2, "No such file or directory", "picture.png")
        return {"nan": {"x": float("nan")}, "object": {"x": object()}, "key": {"key": "mine"}}.get(how, {})


def begun(log: Path) -> list[str]:
    """Keys in the order in which tasks were begun."""
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def processes(log: Path) -> list[int]:
    """The process of each task begun."""
    return [int(line.split()[1]) for line in log.read_text().splitlines()] if log.exists() else []


def alive(pid: int) -> bool:
    """Whether there is such a process; a dead one that nobody has waited for does not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")
