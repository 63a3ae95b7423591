"""A driver to be killed: `python -m tests.jobs.driver SETTINGS.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError
from diffdope.jobs.engine import Engine, make_engine
from diffdope.jobs.journal import Journal
from diffdope.jobs.local_engine import LocalEngine
from diffdope.jobs.run_tasks import run_tasks
from tests.jobs.fake_run import FakeWork, fake_tasks

HEADER = {"settings": {"iterations": 60, "rate": 0.1}}


def engine_of(given: dict[str, Any]) -> Engine:
    # A single worker in a process of its own is what `make_engine` does not give.
    if given["engine"] == "local":
        return LocalEngine(given["workers"])
    return make_engine("ray", workers=given["workers"], address=given["address"])


def main(given: dict[str, Any]) -> int:
    tasks = fake_tasks(given["groups"], given["each"])
    work = FakeWork(Path(given["log"]), given["sleep_s"])
    try:
        with Journal.open(given["out"], HEADER) as journal:
            run_tasks(tasks, work, engine=engine_of(given), journal=journal)
            journal.finish([task.key for task in tasks])
    except KeyboardInterrupt:
        return 130
    except DiffDopeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text())))
