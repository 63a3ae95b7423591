"""A run over a data set: start poses in, results CSV and a record per object out; survives being killed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diffdope.bop.duplicates import without_duplicates
from diffdope.bop.refine_work import RefineWork
from diffdope.bop.starts import Start
from diffdope.io.bop_results import Estimate, write_results
from diffdope.io.poses import pose_of
from diffdope.jobs.engine import Engine
from diffdope.jobs.journal import Journal
from diffdope.jobs.run_tasks import run_tasks
from diffdope.jobs.shard import shard
from diffdope.jobs.task import Task, Work

OnRecord = Callable[[Mapping[str, Any]], None]
OnBegin = Callable[[int, Mapping[str, Mapping[str, Any]]], None]


@dataclass(frozen=True)
class RunFiles:
    """The two files of a run.

    Attributes:
        results: BOP results CSV, written when the run is complete.
        records: JSON lines, a record per object: the journal of the run, sorted when it is complete.
    """

    results: Path
    records: Path

    @classmethod
    def at(cls, out: Path, part: tuple[int, int] | None = None) -> RunFiles:
        """The files for `--out results.csv`; those of part 2 of 4 are results.2-of-4.csv and .jsonl."""
        ending = "" if part is None else f".{part[0]}-of-{part[1]}"
        stem = out.stem.removesuffix(ending) + ending
        return cls(out.with_name(f"{stem}.csv"), out.with_name(f"{stem}.jsonl"))


@dataclass(frozen=True)
class Execution:
    """Where the tasks of a run are done, which of them, and who is told.

    Attributes:
        engine: where the work is done.
        part: (i, n): only the i-th of n parts, whole images.
        fresh: forget what is in the records.
        on_begin: called once with the number of tasks and the records that are there already.
        on_record: called with every new record.
    """

    engine: Engine
    part: tuple[int, int] | None = None
    fresh: bool = False
    on_begin: OnBegin | None = None
    on_record: OnRecord | None = None


def tasks_of(starts: Sequence[Start]) -> list[Task]:
    """One task a start pose; those of an image are a group."""
    return [Task(start.key, start.group, start) for start in starts]


def header_of(
    work: RefineWork, starts: Sequence[Start], init: str, *, keep_duplicates: bool = True
) -> dict[str, Any]:  # fmt: skip
    """What a resumed run, and all parts of a divided one, must have in common.

    Args:
        work: the settings.
        starts: all of them, of all parts.
        init: where the start poses come from, for the reader.
        keep_duplicates: whether results that ended at the same place all stay.
    """
    return {
        **common_header("bop refine", work, tasks_of(starts), init),
        "camera_type": work.camera_type,
        **({} if work.score == "start" else {"score": work.score}),
        **({} if keep_duplicates else {"duplicates": "drop"}),
    }


def common_header(command: str, work: RefineWork, tasks: Sequence[Task], init: str) -> dict[str, Any]:
    """The part of a run's header that does not depend on what a task is.

    Paths of the data set are not in it, because machines mount it in different places; the start poses are, by hash.

    Args:
        command: which writes the records.
        work: the settings.
        tasks: all of them, of all parts; what they carry can be `described`.
        init: where the start poses come from, for the reader.
    """
    from diffdope import __version__

    lines = "\n".join(f"{task.key} {json.dumps(task.payload.described(), sort_keys=True)}" for task in tasks)
    return {
        "diffdope_version": __version__, "command": command,
        "dataset": work.root.resolve().name, "split": work.split, "models": list(work.models), "init": init,
        "mask": Path(work.mask).name, "depth": work.depth, "seed": work.seed, "preset": asdict(work.preset),
        "task_count": len(tasks), "tasks_sha256": hashlib.sha256(lines.encode()).hexdigest(),
        **({} if work.explain else {"explain": False}),
    }  # fmt: skip


def refine_dataset(
    work: RefineWork,
    starts: Sequence[Start],
    files: RunFiles,
    execution: Execution,
    *,
    init: str,
    keep_duplicates: bool = True,
) -> list[dict[str, Any]]:
    """Refines what is not yet in the records, and writes the results when everything is.

    Args:
        work: the settings.
        starts: all start poses, in the order of their keys.
        files: where results go.
        execution: where the work is done, and which part of it.
        init: where the start poses come from, for the reader.
        keep_duplicates: whether, of results of one object that ended at the same place, all stay in the CSV.

    Returns:
        All records, in order.

    Raises:
        DiffDopeError: if the records belong to other settings, or another process writes them.
    """
    header = header_of(work, starts, init, keep_duplicates=keep_duplicates)
    records = recorded(tasks_of(starts), work, files.records, header, execution)
    write_results(files.results, estimates_of(records, diameter_of=work.diameters(keep_duplicates)))
    return records


def recorded(
    tasks: Sequence[Task], work: Work, path: Path, header: Mapping[str, Any], execution: Execution
) -> list[dict[str, Any]]:  # fmt: skip
    """Does the tasks that are not yet in the records, and returns the records of all, or of a part, in order.

    Args:
        tasks: of all parts.
        work: what does one.
        path: of the records.
        header: what they must have in common.
        execution: where the work is done, and which part of it.

    Raises:
        DiffDopeError: if the records belong to other settings, or another process writes them.
    """
    header, on_record = dict(header), execution.on_record
    if execution.part is not None:
        tasks = shard(tasks, *execution.part)
        header["shard"] = f"{execution.part[0]}/{execution.part[1]}"
    with Journal.open(path, header, fresh=execution.fresh) as journal:
        if execution.on_begin is not None:
            execution.on_begin(len(tasks), dict(journal.done))
        run_tasks(
            tasks, work, engine=execution.engine, journal=journal,
            on_record=None if on_record is None else lambda _, record: on_record(record),
        )  # fmt: skip
        journal.finish([task.key for task in tasks])
        return [dict(journal.done[task.key]) for task in tasks]


def estimates_of(
    records: Iterable[Mapping[str, Any]], *, diameter_of: Callable[[int], float] | None = None
) -> list[Estimate]:  # fmt: skip
    """Rows of the CSV. An image's time is the sum of its objects' seconds; what ended in an error has no row.

    Args:
        records: of a run.
        diameter_of: metres, of an object's model, if duplicates are to be dropped: see `without_duplicates`.
    """
    records = list(records)
    seconds: Counter[tuple[int, int]] = Counter()
    for record in records:
        if "error" not in record:
            seconds[record["scene_id"], record["im_id"]] += record["seconds"]
    rows = [
        Estimate(
            r["scene_id"], r["im_id"], r["obj_id"], r["score"],
            pose_of(r, f"record of scene {r['scene_id']}, image {r['im_id']}"),
            seconds[r["scene_id"], r["im_id"]],
        )
        for r in records
        if "error" not in r
    ]  # fmt: skip
    return rows if diameter_of is None else without_duplicates(rows, diameter_of)


@dataclass(frozen=True)
class Tally:
    """What became of the start poses: counts by status, of errors, and of doubtful matches."""

    statuses: dict[str, int]
    errors: tuple[str, ...]
    matched: dict[str, int]

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Tally:
        """Counts."""
        records = list(records)
        good = [record for record in records if "error" not in record]
        matches = [f"instance by {record['match']['instance_by']}" for record in good]
        matches += [f"mask by {record['match']['mask']['by']}" for record in good if record["match"]["mask"]]
        return cls(
            dict(Counter(str(record["status"]) for record in good)),
            tuple(str(record["error"]) for record in records if "error" in record),
            dict(Counter(matches)),
        )
