"""Starts `tests.jobs.driver` in a process group of its own, as a shell does, and looks at what it has done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from diffdope.jobs.inline_engine import InlineEngine
from diffdope.jobs.journal import Journal, read_journal
from diffdope.jobs.run_tasks import run_tasks
from tests.jobs.driver import HEADER
from tests.jobs.fake_run import FakeWork, alive, begun, fake_tasks, processes


@dataclass(frozen=True)
class Drivers:
    """Drivers of one run; any number of them, one after another."""

    folder: Path
    groups: int = 8
    each: int = 5
    sleep_s: float = 0.02
    workers: int | None = 2
    engine: str = "local"
    address: str | None = None

    @property
    def log(self) -> Path:
        return self.folder / "begun.log"

    @property
    def out(self) -> Path:
        return self.folder / "out" / "run.jsonl"

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """A driver; stdout and stderr are piped."""
        self.out.parent.mkdir(exist_ok=True)
        settings = self.folder / "settings.json"
        entry = asdict(self) | {"folder": str(self.folder), "log": str(self.log), "out": str(self.out)}
        settings.write_text(json.dumps(entry))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.driver", str(settings)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def undisturbed(self) -> bytes:
        """The bytes that a run in one process ends with."""
        path = self.folder / "undisturbed.jsonl"
        tasks = fake_tasks(self.groups, self.each)
        with Journal.open(path, HEADER) as journal:
            run_tasks(tasks, FakeWork(self.folder / "undisturbed.log"), engine=InlineEngine(), journal=journal)
            journal.finish([task.key for task in tasks])
        return path.read_bytes()

    def begun(self) -> list[str]:
        return begun(self.log)

    def stored(self) -> set[str]:
        """Keys in the journal."""
        return set(read_journal(self.out)[1]) if self.out.exists() and self.out.stat().st_size else set()

    def no_worker_is_left(self, within_s: float = 3.0) -> bool:
        pids = set(processes(self.log))
        return wait_for(lambda: not any(map(alive, pids)), within_s)


def wait_for(condition: Callable[[], bool], within_s: float) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def end(driver: subprocess.Popen[str]) -> None:
    """Kills it, if it is still there, and all of its group that are; closes its pipes."""
    with suppress(ProcessLookupError):
        os.killpg(driver.pid, signal.SIGKILL)
    driver.communicate()
