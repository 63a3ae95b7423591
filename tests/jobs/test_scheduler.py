"""The scheduler over a pool of workers that are scripted, not processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from diffdope.errors import DiffDopeError
from diffdope.jobs.scheduler import schedule
from diffdope.jobs.task import Task
from diffdope.jobs.worker_pool import Died, Done, Event, Ready, StartFailed
from tests.jobs.fake_run import fake_tasks


class ScriptedPool:
    """What becomes of the n-th worker is written down: "ready", "fail", "die", or "die at K" (after K tasks)."""

    def __init__(self, fates: dict[int, str], otherwise: str = "ready") -> None:
        self.fates, self.otherwise = fates, otherwise
        self.spawned = 0
        self.done: dict[int, list[str]] = {}
        self.pending: list[Event] = []
        self.stopped: list[bool] = []
        self.most = self.present = 0

    def fate(self, worker: int) -> str:
        return self.fates.get(worker, self.otherwise)

    def spawn(self) -> int:
        self.spawned += 1
        self.present += 1
        self.most = max(self.most, self.present)
        self.done[self.spawned] = []
        fate = {"fail": StartFailed(self.spawned, "no data"), "die": Died(self.spawned, "exit code 7")}
        self.pending.append(fate.get(self.fate(self.spawned), Ready(self.spawned)))
        return self.spawned

    def submit(self, worker: int, task: Task) -> None:
        if self.fate(worker) == f"die at {len(self.done[worker])}":
            self.pending.append(Died(worker, "signal 9"))
        else:
            self.done[worker].append(task.key)
            self.pending.append(Done(worker, {"by": worker}))

    def events(self) -> Iterator[Event]:
        assert self.pending, "nobody is at work, but the loop waits"
        happened, self.pending = self.pending, []
        for event in happened:
            self.present -= isinstance(event, Died | StartFailed)
            yield event

    def stop(self, *, promptly: bool) -> None:
        self.stopped.append(promptly)


TASKS = fake_tasks(3, 4)
KEYS = [task.key for task in TASKS]


def keys_of(pool: ScriptedPool, size: int = 2) -> list[str]:
    return sorted(task.key for task, _ in schedule(pool, TASKS, size))


def test_all_tasks_are_done_once() -> None:
    pool = ScriptedPool({})
    assert keys_of(pool) == KEYS
    assert sorted(key for done in pool.done.values() for key in done) == KEYS
    assert (pool.spawned, pool.stopped) == (2, [False])
    assert pool.done[1][:4] == KEYS[:4]  # a group each
    assert pool.done[2][:4] == KEYS[4:8]


def test_no_more_workers_than_tasks() -> None:
    pool = ScriptedPool({})
    assert keys_of(pool, 100) == KEYS
    assert pool.spawned == 12


def test_the_dead_are_replaced() -> None:
    pool = ScriptedPool({1: "die at 2", 2: "die", 3: "fail", 4: "die at 0"})
    assert keys_of(pool) == KEYS
    assert pool.most == 2
    assert pool.done[1] == KEYS[:2]


def test_a_start_that_fails_at_once_ends_the_run() -> None:
    pool = ScriptedPool({}, otherwise="fail")
    with pytest.raises(DiffDopeError, match="no worker can be started: no data"):
        keys_of(pool)
    assert (pool.spawned, pool.stopped) == (2, [True])


def test_starts_that_die_end_the_run_after_some() -> None:
    pool = ScriptedPool({}, otherwise="die")
    with pytest.raises(DiffDopeError, match="no worker can be started: it ended before it was ready: exit code 7"):
        keys_of(pool)
    assert 3 <= pool.spawned <= 6
    assert pool.stopped == [True]


@pytest.mark.parametrize("otherwise", ["die", "fail"])
def test_the_run_goes_on_with_the_workers_that_there_are(otherwise: str) -> None:
    pool = ScriptedPool({1: "ready"}, otherwise=otherwise)
    tasks = fake_tasks(1, 40)
    assert len(list(schedule(pool, tasks, 2))) == 40
    assert len(pool.done[1]) == 40
    assert pool.spawned <= 8


def test_leaving_early_stops_promptly() -> None:
    pool = ScriptedPool({})
    records = schedule(pool, TASKS, 2)
    next(records)
    records.close()
    assert pool.stopped == [True]


def test_the_next_task_waits_for_the_record_to_be_taken() -> None:
    pool = ScriptedPool({})
    records = schedule(pool, TASKS, 1)
    for count in range(1, 13):
        next(records)
        assert len(pool.done[1]) == count
