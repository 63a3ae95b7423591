from __future__ import annotations

import random
from pathlib import Path

import pytest

from diffdope.cli.main import main
from diffdope.errors import DiffDopeError
from diffdope.jobs.inline_engine import InlineEngine
from diffdope.jobs.journal import Journal
from diffdope.jobs.merge import merge, write_merged
from diffdope.jobs.run_tasks import run_tasks
from diffdope.jobs.shard import parse_shard, shard
from diffdope.jobs.task import Task
from tests.jobs.fake_run import FakeWork, fake_tasks

TASKS = fake_tasks(7, 3)
HEADER = {"seed": 0, "task_count": len(TASKS), "tasks_sha256": "0123"}


def write_run(
    path: Path, tasks: list[Task], *, part: str | None = None, stop: int | None = None, **changed: object
) -> Path:
    header = HEADER | changed | ({} if part is None else {"shard": part})
    with Journal.open(path, header) as journal:
        run_tasks(tasks[:stop], FakeWork(path.with_suffix(".log")), engine=InlineEngine(), journal=journal)
        if stop is None:
            journal.finish([task.key for task in tasks])
    return path


def write_parts(folder: Path, count: int) -> list[Path]:
    return [write_run(folder / f"{i}.jsonl", shard(TASKS, i, count), part=f"{i}/{count}") for i in range(1, count + 1)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 9])
def test_shards_are_a_partition_into_whole_groups(count: int) -> None:
    parts = [shard(TASKS, i, count) for i in range(1, count + 1)]
    assert sorted(task.key for part in parts for task in part) == [task.key for task in TASKS]
    groups = [{task.group for task in part} for part in parts]
    assert sum(map(len, groups)) == 7
    assert max(map(len, groups)) - min(map(len, groups)) <= 1
    assert all([task.key for task in part] == sorted(task.key for task in part) for part in parts)


def test_parse_shard() -> None:
    assert parse_shard("2/4") == (2, 4)
    for text in ("0/4", "5/4", "2", "a/b", "1/0", "-1/4", "1/4/2", "", "²/4"):
        with pytest.raises(DiffDopeError, match="shard: expected i/n with 1 <= i <= n, such as 2/4, got "):
            parse_shard(text)
    with pytest.raises(DiffDopeError, match="got 0/2"):
        shard(TASKS, 0, 2)


def test_parts_without_duplicates_need_the_models_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [write_run(tmp_path / f"{i}.jsonl", shard(TASKS, i, 2), part=f"{i}/2", duplicates="drop") for i in (1, 2)]
    before = sorted(tmp_path.iterdir())
    assert main(["bop", "merge", *map(str, parts), "--out", str(tmp_path / "merged.csv")]) == 2
    assert capsys.readouterr().err.startswith("error: --dataset: expected the folder with the models, ")
    assert sorted(tmp_path.iterdir()) == before


def test_merged_parts_are_the_undivided_run(tmp_path: Path) -> None:
    undivided = write_run(tmp_path / "all.jsonl", TASKS)
    parts = write_parts(tmp_path, 3)
    random.Random(1).shuffle(parts)
    header, records = merge(parts)
    write_merged(tmp_path / "merged.jsonl", header, records)
    assert (tmp_path / "merged.jsonl").read_bytes() == undivided.read_bytes()
    write_merged(tmp_path / "merged.jsonl", header, records)  # again: the same
    assert (tmp_path / "merged.jsonl").read_bytes() == undivided.read_bytes()


def test_missing_parts_are_named(tmp_path: Path) -> None:
    parts = write_parts(tmp_path, 3)
    with pytest.raises(DiffDopeError, match="expected 21 tasks in all, got 15: 6 missing; not given: part 2/3"):
        merge([parts[0], parts[2]])


def test_an_unfinished_part_is_named(tmp_path: Path) -> None:
    first = write_run(tmp_path / "1.jsonl", shard(TASKS, 1, 2), part="1/2")
    second = write_run(tmp_path / "2.jsonl", shard(TASKS, 2, 2), part="2/2", stop=4)
    with pytest.raises(DiffDopeError, match=f"16: 5 missing; {second} is not finished \\(4 records\\)"):
        merge([first, second])


def test_parts_of_other_runs_are_refused(tmp_path: Path) -> None:
    first = write_run(tmp_path / "1.jsonl", shard(TASKS, 1, 2), part="1/2")
    second = write_run(tmp_path / "2.jsonl", shard(TASKS, 2, 2), part="2/2", seed=1)
    with pytest.raises(DiffDopeError, match="seed: 0 became 1"):
        merge([first, second])


def test_the_same_key_twice(tmp_path: Path) -> None:
    header = {"task_count": 1}
    for name, record in (
        ("a", {"x": 1, "seconds": 2.0}),
        ("b", {"x": 1, "seconds": 3.0}),
        ("c", {"x": 2, "seconds": 2.0}),
    ):
        with Journal.open(tmp_path / name, header) as journal:
            journal.append("k", record)
            journal.finish(["k"])
    assert merge([tmp_path / "a", tmp_path / "b"])[1] == {"k": {"x": 1, "seconds": 2.0}}
    with pytest.raises(DiffDopeError, match="c, record k: expected the same as in .*a, got another"):
        merge([tmp_path / "a", tmp_path / "c"])


def test_what_cannot_be_merged(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="at least one"):
        merge([])
    Journal.open(tmp_path / "other.jsonl", {"seed": 0}).close()
    with pytest.raises(DiffDopeError, match="line 1, task_count: expected"):
        merge([tmp_path / "other.jsonl"])


def test_a_merge_does_not_overwrite_another_run(tmp_path: Path) -> None:
    header, records = merge(write_parts(tmp_path, 2))
    other = write_run(tmp_path / "other.jsonl", TASKS, seed=5)
    before = other.read_bytes()
    with pytest.raises(DiffDopeError, match="seed: 5 became 0"):
        write_merged(other, header, records)
    assert other.read_bytes() == before
