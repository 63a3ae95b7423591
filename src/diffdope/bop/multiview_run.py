"""A run over the groups of views of a data set; survives being killed, as `refine_run` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffdope.bop.duplicates import without_duplicates
from diffdope.bop.multiview_record import estimates_of_sensor, results_file
from diffdope.bop.multiview_work import MultiviewWork
from diffdope.bop.refine_run import Execution, RunFiles, common_header, recorded
from diffdope.io.bop_results import write_results
from diffdope.jobs.task import Task

COMMAND = "bop refine --multiview"


def header_of_groups(work: MultiviewWork, tasks: Sequence[Task], init: str, *, keep_duplicates: bool) -> dict[str, Any]:
    """What a resumed run, and all parts of a divided one, must have in common.

    Args:
        work: the settings.
        tasks: all of them, of all parts.
        init: where start poses come from, for the reader.
        keep_duplicates: whether results that ended at the same place all stay.
    """
    each = work.each
    return {
        **common_header(COMMAND, each, tasks, init),
        "sensors": list(work.sensors), "extrinsics_sigma": None if work.sigma is None else list(work.sigma),
        "score": each.score, "duplicates": "keep" if keep_duplicates else "drop",
    }  # fmt: skip


def refine_groups(
    work: MultiviewWork,
    tasks: Sequence[Task],
    files: RunFiles,
    execution: Execution,
    *,
    init: str,
    keep_duplicates: bool = True,
) -> list[dict[str, Any]]:
    """Refines the groups that are not yet in the records, and writes the results when all are.

    Args:
        work: the settings.
        tasks: all groups, in the order of their keys.
        files: where results go; those of several sensors have their names.
        execution: where the work is done, and which part of it.
        init: where start poses come from, for the reader.
        keep_duplicates: whether, of results of one object that ended at the same place, all stay in the CSV.

    Returns:
        All records, in order.

    Raises:
        DiffDopeError: if the records belong to other settings, or another process writes them.
    """
    header = header_of_groups(work, tasks, init, keep_duplicates=keep_duplicates)
    records = recorded(tasks, work, files.records, header, execution)
    diameter_of = work.each.diameters(keep_duplicates)
    write_sensor_results(files.results, records, work.sensors, diameter_of)
    return records


def write_sensor_results(
    out: Path, records: Sequence[Mapping[str, Any]], sensors: Sequence[str],
    diameter_of: Callable[[int], float] | None = None,
) -> list[Path]:  # fmt: skip
    """A results CSV for each sensor; returns where.

    Args:
        out: as asked for; see `results_file`.
        records: of a run.
        sensors: names.
        diameter_of: metres, of an object's model, if duplicates are to be dropped.
    """
    paths = []
    for sensor in sensors:
        rows = estimates_of_sensor(records, sensor)
        paths.append(results_file(out, sensor, sensors))
        write_results(paths[-1], rows if diameter_of is None else without_duplicates(rows, diameter_of))
    return paths
