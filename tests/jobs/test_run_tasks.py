from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from diffdope.errors import DiffDopeError
from diffdope.jobs.engine import Engine, make_engine
from diffdope.jobs.inline_engine import InlineEngine
from diffdope.jobs.journal import Journal
from diffdope.jobs.local_engine import LocalEngine
from diffdope.jobs.ray_engine import RayEngine
from diffdope.jobs.run_tasks import run_tasks
from diffdope.jobs.task import Task
from tests.jobs.fake_run import FakeWork, alive, begun, fake_tasks, processes

TASKS = fake_tasks(4, 3)
BAD = (
    ("000000/000001", "value"), ("000000/000002", "ours"), ("000001/000000", "os"), ("000001/000001", "nan"),
    ("000001/000002", "object"), ("000002/000000", "key"), ("000002/000001", "memory"),
)  # fmt: skip
ERRORS = {
    "000000/000001": "ValueError: a bad value",
    "000000/000002": "depth: expected this, got that",
    "000001/000000": "FileNotFoundError: [Errno 2] No such file or directory: 'picture.png'",
    "000001/000001": "ValueError: Out of range float values are not JSON compliant",
    "000001/000002": "TypeError: Object of type object is not JSON serializable",
    "000002/000000": "expected no field named key",
    "000002/000001": "MemoryError: too large",
}


def run(path: Path, work: FakeWork, engine: Engine, tasks: list[Task] = TASKS, **options: Any) -> bytes:
    with Journal.open(path, {"seed": 0}) as journal:
        run_tasks(tasks, work, engine=engine, journal=journal, **options)
        journal.finish([task.key for task in tasks])
    assert os.listdir(path.parent).count(path.name) == 1
    return path.read_bytes()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "begun.log"


def test_records_are_what_the_handler_returns(tmp_path: Path, log: Path) -> None:
    seen: dict[str, dict[str, Any]] = {}
    run(tmp_path / "a", FakeWork(log), InlineEngine(), on_record=lambda task, record: seen.update({task.key: record}))
    assert list(seen) == [task.key for task in TASKS] == begun(log)
    assert seen["000001/000002"] == {"number": 5, "third": 5 / 3, "deep": {"tuple": [1, 2.5e-300], "text": "ä"}}


def test_processes_give_the_same_bytes_as_none(tmp_path: Path, log: Path) -> None:
    expected = run(tmp_path / "a", FakeWork(tmp_path / "other.log", bad=BAD), InlineEngine())
    assert run(tmp_path / "b", FakeWork(log, bad=BAD, sleep_s=0.01), LocalEngine(2)) == expected
    assert sorted(begun(log)) == [task.key for task in TASKS]
    assert os.getpid() not in processes(log)
    assert not any(map(alive, processes(log)))


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="Windows has no SIGCHLD")
def test_a_parent_that_ignores_the_end_of_children_changes_nothing(tmp_path: Path, log: Path) -> None:
    expected = run(tmp_path / "a", FakeWork(tmp_path / "other.log"), InlineEngine())
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as some daemons start processes
    try:
        work = FakeWork(log, bad=(("000001/000000", "die once"),))
        assert run(tmp_path / "b", work, LocalEngine(2)) == expected
        assert signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert begun(log).count("000001/000000") == 2
    assert not any(map(alive, processes(log)))


@pytest.mark.parametrize("engine", [InlineEngine(), LocalEngine(2)])
def test_errors_are_recorded_and_the_run_goes_on(tmp_path: Path, log: Path, engine: Engine) -> None:
    records: dict[str, dict[str, Any]] = {}
    work = FakeWork(log, bad=BAD)
    run(tmp_path / "a", work, engine, on_record=lambda task, record: records.update({task.key: record}))
    errors = {key: record["error"] for key, record in records.items() if "error" in record}
    assert errors.keys() == ERRORS.keys()
    assert all(text in errors[key] for key, text in ERRORS.items())


def test_a_group_stays_with_one_worker(tmp_path: Path, log: Path) -> None:
    run(tmp_path / "a", FakeWork(log, sleep_s=0.02), LocalEngine(2), fake_tasks(2, 6))
    owners = {key[:6]: set[int]() for key in begun(log)}
    for key, pid in zip(begun(log), processes(log), strict=True):
        owners[key[:6]].add(pid)
    # The second worker may be late, and the first one help it at the end; but no group is dealt out in turns.
    switches = sum(len(pids) - 1 for pids in owners.values())
    assert switches <= 1


def test_what_is_done_is_not_done_again(tmp_path: Path, log: Path) -> None:
    with Journal.open(tmp_path / "a", {"seed": 0}) as journal:
        run_tasks(TASKS[:5], FakeWork(log), engine=InlineEngine(), journal=journal)
    run(tmp_path / "a", FakeWork(log), InlineEngine())
    assert begun(log) == [task.key for task in TASKS]
    run(tmp_path / "a", FakeWork(log, broken="not even started"), InlineEngine())
    assert begun(log) == [task.key for task in TASKS]


def test_a_killed_worker_costs_no_record(tmp_path: Path, log: Path) -> None:
    expected = run(tmp_path / "a", FakeWork(tmp_path / "other.log"), InlineEngine())
    killed: list[int] = []

    def kill_one(task: Task, record: dict[str, Any]) -> None:
        if len(killed) < 2:
            deadline = time.monotonic() + 10
            while not (busy := [pid for pid in processes(log) if pid not in killed and alive(pid)]):
                assert time.monotonic() < deadline
            killed.append(busy[-1])
            os.kill(busy[-1], signal.SIGKILL)

    assert run(tmp_path / "b", FakeWork(log, sleep_s=0.02), LocalEngine(2), on_record=kill_one) == expected
    assert len(killed) == 2
    assert len(set(processes(log))) > 2
    assert set(begun(log)) == {task.key for task in TASKS}
    assert len(begun(log)) <= len(TASKS) + 2


@pytest.mark.parametrize("how", ["die", "exit"])
def test_a_deadly_task_is_given_up(tmp_path: Path, log: Path, how: str, caplog: pytest.LogCaptureFixture) -> None:
    records: dict[str, dict[str, Any]] = {}
    bad = (("000000/000001", how), ("000002/000000", "die once"))
    run(
        tmp_path / "a", FakeWork(log, bad=bad), LocalEngine(2), on_record=lambda task, r: records.update({task.key: r})
    )  # fmt: skip
    assert begun(log).count("000000/000001") == 3
    assert begun(log).count("000002/000000") == 2
    errors = {key: record for key, record in records.items() if "error" in record}
    assert errors.keys() == {"000000/000001"}
    assert errors["000000/000001"]["error"].startswith("worker died 3 times at this task")
    reason = "killed by signal 9" if how == "die" else "exit code 3"
    assert sum(reason in message for message in caplog.messages) >= 3


def test_workers_that_cannot_start_end_the_run(tmp_path: Path, log: Path) -> None:
    with pytest.raises(DiffDopeError, match="no worker can be started: ValueError: the data set is not there"):
        run(tmp_path / "a", FakeWork(log, broken="the data set is not there"), LocalEngine(2))
    with pytest.raises(DiffDopeError, match="no worker can be started: it ended before it was ready: exit code 7"):
        run(tmp_path / "a", FakeWork(log, broken="die"), LocalEngine(2))


def test_an_interrupt_stops_the_workers(tmp_path: Path, log: Path) -> None:
    def interrupt(task: Task, record: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", FakeWork(log, sleep_s=0.05), LocalEngine(2), on_record=interrupt)
    assert processes(log)
    assert not any(map(alive, processes(log)))


def test_two_tasks_of_one_key_are_refused(tmp_path: Path, log: Path) -> None:
    with pytest.raises(DiffDopeError, match="keys that differ, got 24 tasks with 12 keys"):
        run(tmp_path / "a", FakeWork(log), InlineEngine(), TASKS * 2)


def test_make_engine() -> None:
    assert make_engine("local") == make_engine("local", workers=1) == InlineEngine()
    assert make_engine("local", workers=3) == LocalEngine(3)
    assert make_engine("ray", workers=2, address="auto") == RayEngine("auto", 2)
    with pytest.raises(DiffDopeError, match="workers: expected at least 1, got 0"):
        make_engine("local", workers=0)
    with pytest.raises(DiffDopeError, match="did you mean ray?"):
        make_engine("rya")
