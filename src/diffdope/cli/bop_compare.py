"""`diffdope bop compare`: two results of one data set side by side, such as before and after a refinement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from diffdope.bop.dataset import DataSet
from diffdope.bop.evaluation import Row, evaluate, read_known
from diffdope.bop.plausible import check_frame
from diffdope.bop.run_records import RunRecords
from diffdope.bop.scene import Instance
from diffdope.bop.starts import Selection
from diffdope.bop.summary import Summary, by, summarise
from diffdope.bop.targets import Key, attempted, compete
from diffdope.checked_fields import check_fields
from diffdope.cli.bop_eval import not_run_note, wanted_of
from diffdope.cli.bop_eval_tables import length, share
from diffdope.cli.dataset_flags import DataSetFlags, SelectionFlags
from diffdope.cli.help_text import parsed
from diffdope.cli.progress import Activity
from diffdope.cli.whole_table import print_whole
from diffdope.errors import check_positive, expected
from diffdope.io.bop_results import Estimate
from diffdope.io.files import check_folder, results_folder, write_json

_CHANGED_MM = 1.0  # by which ADD-S has to change for an instance to count as better or worse


@dataclass(frozen=True, kw_only=True)
class BopCompareArguments(SelectionFlags, DataSetFlags):
    """Compares two BOP results CSV with the truth and with each other: the first is 'before', the second 'after'.

    Example: diffdope bop compare before.csv after.csv --dataset hope --split val --out compared
    """

    results: Annotated[tuple[Path, Path], tyro.conf.Positional]
    """The two results CSV."""
    out: Path | None = None
    """Folder for compare.json: all figures of both, and each instance."""
    targets: str | None = None
    """Which instances count: a targets file, `all` annotated ones, or `attempted`: those that a run was started on.
    Default: attempted where records beside a CSV say so of every start pose; else the data set's targets, or what is
    visible by 10 % or more."""
    auc_max_mm: float = 20.0
    """A second maximum for the areas under the curves, beside 100 mm."""
    vsd: bool = False
    """Measure VSD where there is depth: the slowest part."""


FIGURES: tuple[tuple[str, Callable[[Summary], str]], ...] = (
    ("missing", lambda s: str(s.missing)), ("ADD med", lambda s: length(s.add_median)),
    ("ADD <5mm", lambda s: share(s.add_below_5mm)), ("ADD-S med", lambda s: length(s.adds_median)),
    ("ADD-S <5mm", lambda s: share(s.adds_below_5mm)), ("AR", lambda s: share(s.ar)),
    ("AR 2-20mm", lambda s: share(s.ar_absolute)),
)  # fmt: skip


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given: BopCompareArguments = parsed(BopCompareArguments, arguments, "diffdope bop compare")
    check_fields(given, {})
    check_positive("auc_max_mm", given.auc_max_mm)
    if given.out is not None:
        check_folder(given.out)
    with Activity("reading the data set"):
        dataset = given.open()
    selection = given.selection()
    estimates_of = {path: read_known(path, dataset) for path in given.results}
    wanted, which = wanted_of_both(given, dataset, selection, estimates_of)
    sides, notes = [], []
    for path in given.results:
        estimates = estimates_of[path]
        notes.append(check_frame(estimates, path))
        with Activity(f"measuring {path.name}") as activity:
            groups = compete(wanted, estimates)
            measured = evaluate(dataset, estimates, groups, how="bop", vsd=given.vsd, progress=activity.update)
        sides.append(measured.rows)
        notes.append(not_run_note(groups, estimates, path.name))
    other_m = 1e-3 * given.auc_max_mm
    changes = changed(*sides)
    print_comparison(given.results, which, sides, changes, [note for note in notes if note], other_m)
    if given.out is not None:
        with results_folder(given.out, "comparison") as folder:
            write_json(folder / "compare.json", as_json(given.results, sides, changes, other_m))
    return 0


def wanted_of_both(
    given: BopCompareArguments, dataset: DataSet, selection: Selection, estimates: Mapping[Path, Sequence[Estimate]]
) -> tuple[dict[Key, tuple[Instance, ...]], str]:
    """The instances that count of both results, and in words, which they are; by the rule of `bop eval`.

    Raises:
        DiffDopeError: if they are to be those that runs were started on, and no records say which these are.
    """
    if given.targets not in (None, "attempted"):
        return wanted_of(given.targets, dataset, selection)
    found = [RunRecords.beside(path, dataset, rows)[0] for path, rows in estimates.items()]
    known = [one for one in found if one is not None and one.indexed]
    if not known and given.targets == "attempted":
        cure = "records of `bop refine`, NAME.jsonl, lie beside NAME.csv"
        raise expected("targets", "a file or all, for there are no records of what was attempted", "attempted", cure)
    if not known:
        return wanted_of(None, dataset, selection)
    names = " and ".join(dict.fromkeys(one.path.with_suffix(".csv").name for one in known))
    wanted = attempted(dataset, [record for one in known for record in one.records], selection)
    return wanted, f"those that the run was started on ({names})"


def changed(before: Sequence[Row], after: Sequence[Row]) -> dict[str, int]:
    """How many instances came nearer to the truth, stayed, or went away, by ADD-S."""
    counts = {"better": 0, "same": 0, "worse": 0, "found": 0, "lost": 0}
    for a, b in zip(before, after, strict=True):
        if a.estimate is None or b.estimate is None:
            counts["same" if a.estimate is b.estimate else "found" if a.estimate is None else "lost"] += 1
            continue
        gain_mm = 1e3 * (a.errors.add_s - b.errors.add_s)
        counts["better" if gain_mm > _CHANGED_MM else "worse" if gain_mm < -_CHANGED_MM else "same"] += 1
    return counts


def print_comparison(
    paths: Sequence[Path], which: str, sides: Sequence[Sequence[Row]], changes: dict[str, int], notes: list[str],
    other_m: float,
) -> None:  # fmt: skip
    """A table with two lines an object, and what changed."""
    console = Console()
    console.print(f"before: {paths[0]}\nafter: {paths[1]}\ninstances: {which}", highlight=False, markup=False)
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for heading in ("object", "", "n", *(name for name, _ in FIGURES)):
        table.add_column(heading, justify="left" if heading in ("object", "") else "right", no_wrap=True)
    grouped = [by(side, lambda row: row.obj_id) for side in sides]
    lines = [(str(k), grouped[0][k], grouped[1][k]) for k in grouped[0]]
    for name, before, after in [*lines, ("all", list(sides[0]), list(sides[1]))]:
        for word, rows in (("before", before), ("after", after)):
            figures = summarise(rows, other_max_m=other_m)
            shown = name if word == "before" else ""
            table.add_row(shown, word, str(figures.instances), *(text(figures) for _, text in FIGURES))
    print_whole(table, console)
    words = ", ".join(f"{count} {word}" for word, count in changes.items() if count)
    console.print(f"by ADD-S, more than {_CHANGED_MM:g} mm: {words}", highlight=False)
    for note in notes:
        console.print(f"note: {note}", highlight=False, markup=False)


def as_json(
    paths: Sequence[Path], sides: Sequence[Sequence[Row]], changes: dict[str, int], other_m: float
) -> dict[str, Any]:
    """All figures of both sides, and the errors of each instance, millimetres; null where there is no estimate."""
    summaries: list[Summary] = [summarise(side, other_max_m=other_m) for side in sides]
    rows = [
        {"instance": a.key, "obj_id": a.obj_id, "add_s_mm": [_mm(a.errors.add_s), _mm(b.errors.add_s)],
         "add_mm": [_mm(a.errors.add), _mm(b.errors.add)]}
        for a, b in zip(*sides, strict=True)
    ]  # fmt: skip
    return {
        "before": str(paths[0]), "after": str(paths[1]), "changes": changes,
        "all": [summary.as_json() for summary in summaries], "instances": rows,
    }  # fmt: skip


def _mm(error_m: float) -> float | None:
    return 1e3 * float(error_m) if np.isfinite(error_m) else None
