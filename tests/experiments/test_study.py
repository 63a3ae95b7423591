"""The driver: files, failures, going on after an interruption; on a study that costs nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from diffdope.errors import DiffDopeError
from diffdope.experiments.bench import Bench, Row
from diffdope.experiments.cases import Source
from diffdope.experiments.study import Study, run_study
from diffdope.experiments.tables import markdown, summaries, worded
from diffdope.jobs.task import Task
from tests.oracle.files import rows


@dataclass(frozen=True)
class Numbers:
    count: int = 6
    bad: tuple[int, ...] = ()
    stop_at: int = -1


def trials(settings: Numbers, source: Source) -> list[Task]:
    return [Task(f"{k:03d}", "all", {"k": k}) for k in range(settings.count)]


def measure(bench: Bench, settings: Numbers, trial: Row) -> Row:
    k = trial["k"]
    assert isinstance(k, int)
    if k == settings.stop_at:
        raise KeyboardInterrupt
    if k in settings.bad:
        raise DiffDopeError(f"trial {k} is bad")
    return {"draw": bench.rng("x", k).random(), "seconds": 0.5}


def table(settings: Numbers, records: Sequence[Row]) -> list[Row]:
    return [{"n": len(records)}]


def plot(settings: Numbers, records: Sequence[Row], path: Path) -> None:
    path.write_bytes(b"plot")


TOY = Study("toy", "does nothing", Numbers(), Numbers(2), trials, measure, table, plot)


def test_all_files_are_written(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    outcome = run_study(TOY, TOY.settings, Source(), tmp_path, seed=3, on_trial=lambda *now: seen.append(now[:2]))
    names = {"journal.jsonl", "trials.csv", "toy.csv", "toy.png", "summary.md"}
    assert {path.name for path in tmp_path.iterdir()} - {"journal.jsonl.lock"} == names
    assert (outcome.rows, outcome.failures, outcome.trials) == ([{"n": 6}], [], 6)
    assert seen == [(k, 6) for k in range(7)]
    assert [row["k"] for row in rows(tmp_path / "trials.csv")] == list("012345")
    header = json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[0])
    assert (header["experiment"], header["seed"], header["settings"]["count"]) == ("toy", 3, 6)
    assert "| n |" in (tmp_path / "summary.md").read_text()


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run_study(TOY, TOY.settings, Source(), whole)

    def interrupt(done: int, total: int, record: Row) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(TOY, TOY.settings, Source(), broken, on_trial=interrupt)
    assert not (broken / "trials.csv").exists()
    seen: list[int] = []
    run_study(TOY, TOY.settings, Source(), broken, on_trial=lambda done, total, record: seen.append(done))
    assert seen == [4, 5, 6]
    for name in ("trials.csv", "toy.csv", "journal.jsonl"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


def test_other_settings_in_the_same_folder_are_refused_unless_fresh(tmp_path: Path) -> None:
    run_study(TOY, TOY.settings, Source(), tmp_path)
    with pytest.raises(DiffDopeError, match="count"):
        run_study(TOY, Numbers(5), Source(), tmp_path)
    run_study(TOY, Numbers(5), Source(), tmp_path, fresh=True)
    assert len(rows(tmp_path / "trials.csv")) == 5


def test_failures_are_counted_and_left_out_of_the_table(tmp_path: Path) -> None:
    outcome = run_study(TOY, Numbers(bad=(1, 3)), Source(), tmp_path)
    assert outcome.rows == [{"n": 4}]
    assert outcome.failures == ["trial 1 is bad", "trial 3 is bad"]
    assert rows(tmp_path / "trials.csv")[3]["error"] == "trial 3 is bad"


def test_a_study_without_a_good_trial_says_why(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="trial 0 is bad"):
        run_study(TOY, Numbers(2, bad=(0, 1)), Source(), tmp_path)


def test_a_study_of_time_is_not_run_side_by_side(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="workers: expected 1 for toy, which measures time, got 2"):
        run_study(replace(TOY, timed=True), TOY.settings, Source(), tmp_path, workers=2)


def test_summaries_by_hand() -> None:
    records: list[Row] = [
        {"kind": kind, "add_mm": add, "add_s_mm": 1.0, "seconds": 2.0}
        for kind, add in (("a", 1.0), ("a", 4.0), ("a", 100.0), ("b", 5.0))
    ]
    first, second = summaries(records, "kind")
    assert (first["kind"], first["n"], first["recovered"], first["add_mm_median"]) == ("a", 3, 2 / 3, 4.0)
    assert first["add_mm_p90"] == pytest.approx(4.0 + 0.8 * 96.0)
    assert second["recovered"] == 0.0  # 5 mm is not below 5 mm


def test_numbers_for_people() -> None:
    assert worded("recovered", 0.667) == "67 %"
    assert worded("add_mm_median", 0.123456) == "0.123"
    assert markdown([{"start": "x", "add_s_mm_median": 2.0}]) == "| start | ADD-S mm |\n|---|---|\n| x | 2 |\n"
