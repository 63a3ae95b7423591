"""The loop over workers, with workers that exist on paper only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from diffdope.errors import DiffDopeError
from diffdope.runs.crew import Died, Done, Event, Failed, Ready, drive
from diffdope.runs.task import Task
from tests.runs.fake_run import fake_tasks


class PaperCrew:
    """What becomes of the n-th worker is written down: "ready", "fail", "die", or "die at K" (after K tasks)."""

    def __init__(self, fates: dict[int, str], otherwise: str = "ready") -> None:
        self.fates, self.otherwise = fates, otherwise
        self.hired = 0
        self.done: dict[int, list[str]] = {}
        self.pending: list[Event] = []
        self.stopped: list[bool] = []
        self.most = self.present = 0

    def fate(self, worker: int) -> str:
        return self.fates.get(worker, self.otherwise)

    def hire(self) -> int:
        self.hired += 1
        self.present += 1
        self.most = max(self.most, self.present)
        self.done[self.hired] = []
        fate = {"fail": Failed(self.hired, "no data"), "die": Died(self.hired, "exit code 7")}
        self.pending.append(fate.get(self.fate(self.hired), Ready(self.hired)))
        return self.hired

    def give(self, worker: int, task: Task) -> None:
        if self.fate(worker) == f"die at {len(self.done[worker])}":
            self.pending.append(Died(worker, "signal 9"))
        else:
            self.done[worker].append(task.key)
            self.pending.append(Done(worker, {"by": worker}))

    def events(self) -> Iterator[Event]:
        assert self.pending, "nobody is at work, but the loop waits"
        happened, self.pending = self.pending, []
        for event in happened:
            self.present -= isinstance(event, Died | Failed)
            yield event

    def stop(self, *, promptly: bool) -> None:
        self.stopped.append(promptly)


TASKS = fake_tasks(3, 4)
KEYS = [task.key for task in TASKS]


def keys_of(crew: PaperCrew, size: int = 2) -> list[str]:
    return sorted(task.key for task, _ in drive(crew, TASKS, size))


def test_all_tasks_are_done_once() -> None:
    crew = PaperCrew({})
    assert keys_of(crew) == KEYS
    assert sorted(key for done in crew.done.values() for key in done) == KEYS
    assert (crew.hired, crew.stopped) == (2, [False])
    assert crew.done[1][:4] == KEYS[:4]  # a group each
    assert crew.done[2][:4] == KEYS[4:8]


def test_no_more_workers_than_tasks() -> None:
    crew = PaperCrew({})
    assert keys_of(crew, 100) == KEYS
    assert crew.hired == 12


def test_the_dead_are_replaced() -> None:
    crew = PaperCrew({1: "die at 2", 2: "die", 3: "fail", 4: "die at 0"})
    assert keys_of(crew) == KEYS
    assert crew.most == 2
    assert crew.done[1] == KEYS[:2]


def test_a_start_that_fails_at_once_ends_the_run() -> None:
    crew = PaperCrew({}, otherwise="fail")
    with pytest.raises(DiffDopeError, match="no worker can be started: no data"):
        keys_of(crew)
    assert (crew.hired, crew.stopped) == (2, [True])


def test_starts_that_die_end_the_run_after_some() -> None:
    crew = PaperCrew({}, otherwise="die")
    with pytest.raises(DiffDopeError, match="no worker can be started: it ended before it was ready: exit code 7"):
        keys_of(crew)
    assert 3 <= crew.hired <= 6
    assert crew.stopped == [True]


@pytest.mark.parametrize("otherwise", ["die", "fail"])
def test_the_run_goes_on_with_the_workers_that_there_are(otherwise: str) -> None:
    crew = PaperCrew({1: "ready"}, otherwise=otherwise)
    tasks = fake_tasks(1, 40)
    assert len(list(drive(crew, tasks, 2))) == 40
    assert len(crew.done[1]) == 40
    assert crew.hired <= 8


def test_leaving_early_stops_promptly() -> None:
    crew = PaperCrew({})
    records = drive(crew, TASKS, 2)
    next(records)
    records.close()
    assert crew.stopped == [True]


def test_the_next_task_waits_for_the_record_to_be_taken() -> None:
    crew = PaperCrew({})
    records = drive(crew, TASKS, 1)
    for count in range(1, 13):
        next(records)
        assert len(crew.done[1]) == count
