"""`diffdope bop eval`: how good results are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from diffdope.bop.dataset import DataSet, camera_types
from diffdope.bop.evaluation import BopEvaluation, evaluate, images_without, objects_without, read_known
from diffdope.bop.masks import mask_origin
from diffdope.bop.plausible import check_frame
from diffdope.bop.run_records import RunRecords
from diffdope.bop.scene import Instance
from diffdope.bop.starts import Selection
from diffdope.bop.tables import Report, write_errors, write_summaries
from diffdope.bop.targets import Group, Key, compete, trials, wanted_instances
from diffdope.checked_fields import check_fields
from diffdope.cli.dataset_flags import DataSetFlags, SelectionFlags
from diffdope.cli.help_text import parsed
from diffdope.cli.progress import Activity
from diffdope.errors import check_positive, expected, some_of
from diffdope.io.bop_results import Estimate
from diffdope.io.files import check_folder, results_folder, write_json


@dataclass(frozen=True, kw_only=True)
class BopEvalArguments(SelectionFlags, DataSetFlags):
    """Compares BOP results CSV with the truth: tables here, and with --out also files and one HTML report.

    Example: diffdope bop eval --dataset hope --split val --results results.csv --out report
    """

    results: Path
    """BOP results CSV; records beside it (.jsonl) are read too."""
    out: Path | None = None
    """Folder for report.html, errors.csv, summary.csv, summary.json, curves.png."""
    targets: str | None = None
    """Which instances count: a targets file, `all` annotated ones, or `attempted`: those that the run was started on.
    Default: attempted with --match index; else the data set's targets, or what is visible by 10 % or more."""
    match: Literal["index", "bop"] | None = None
    """bop: estimates of one object compete, best score first; index: each belongs to the instance in its record.
    Default: index where records say so of every start pose."""
    auc_max_mm: float = 20.0
    """A second maximum for the areas under the curves, beside 100 mm."""
    vsd: bool = True
    """Measure VSD where there is depth: the slowest part."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given: BopEvalArguments = parsed(BopEvalArguments, arguments, "diffdope bop eval")
    check_fields(given, {})
    check_positive("auc_max_mm", given.auc_max_mm)
    if given.out is not None:
        check_folder(given.out)
    with Activity("reading the data set and the results"):
        dataset = given.open()
        estimates = read_known(given.results, dataset)
    report = reported(given, dataset, estimates, check_frame(estimates, given.results), sensor_note(given, dataset))
    from diffdope.cli.bop_eval_tables import print_report
    from diffdope.cli.report import view_line

    print_report(report)
    if given.out is not None:
        write_report(given.out, dataset, report)
        print(f"files: {given.out / 'report.html'}, errors.csv, summary.csv, summary.json, curves.png")
    print(view_line(given.dataset, "--split", given.split, "--results", str(given.results)))
    return 0


def reported(given: BopEvalArguments, dataset: DataSet, estimates: list[Estimate], *said: str) -> Report:
    """The evaluation that was asked for, with what was said of the estimates before."""
    records, note = RunRecords.beside(given.results, dataset, estimates)
    how = given.match or ("index" if records is not None and records.indexed else "bop")
    if how == "index" and records is None:
        raise expected("match", "bop, because there are no records to index by", "index", note)
    groups, which = groups_of(given, dataset, estimates, how, records)
    evaluation = measured(given, dataset, estimates, groups, how)
    not_run = not_run_note(groups, estimates, given.results.name) if how == "bop" else ""
    every = (*said, note, unused_note(evaluation), doubtful_note(how, records), not_run)
    notes = [text for text in every if text]
    described = {
        "data set": dataset.name, "split": dataset.split, "results": given.results.name, "instances": which,
        "matching": MATCHING[how], "models": ", ".join(path.name for path in dataset.models.folders),
    }  # fmt: skip
    if records is not None and "mask" in records.header:
        described["masks"] = mask_origin(str(records.header["mask"]))
    other = 1e-3 * given.auc_max_mm
    return Report.of(evaluation, other_max_m=other, described=described, notes=notes, run=records)


MATCHING = {
    "index": "index: each estimate is compared with the instance that its start pose belongs to",
    "bop": "bop: estimates of an object compete, best score first, each claims the nearest instance (MSSD)",
}


def groups_of(
    given: BopEvalArguments, dataset: DataSet, estimates: list[Estimate], how: str, records: RunRecords | None
) -> tuple[list[Group], str]:
    """Which estimates claim which instances, and in words, which instances count."""
    selection = given.selection()
    if how == "index" and records is not None:
        if given.targets in (None, "attempted"):
            return trials(dataset, records.records, None, selection), "those that the run was started on"
        wanted, which = wanted_of(given.targets, dataset, selection)
        return trials(dataset, records.records, wanted, selection), which
    if given.targets == "attempted":
        raise expected("targets", "a file or all; attempted is for --match index", "attempted")
    wanted, which = wanted_of(given.targets, dataset, selection)
    return compete(wanted, estimates), which


def wanted_of(
    which: str | None, dataset: DataSet, selection: Selection
) -> tuple[dict[Key, tuple[Instance, ...]], str]:  # fmt: skip
    """The instances that count, and in words, which they are; `which` is the word of --targets."""
    if which == "all":
        return wanted_instances(dataset, selection, None, min_visib=0.0), "all annotated ones"
    targets = dataset.targets(which)
    words = "visible by 10 % or more" if targets is None else f"targets of {Path(which or 'the data set').name}"
    return wanted_instances(dataset, selection, targets), words


def measured(
    given: BopEvalArguments, dataset: DataSet, estimates: list[Estimate], groups: list[Group], how: str
) -> BopEvaluation:
    """The evaluation; says how far it is."""
    with Activity("measuring") as activity:
        return evaluate(dataset, estimates, groups, how=how, vsd=given.vsd, progress=activity.update)


def sensor_note(given: BopEvalArguments, dataset: DataSet) -> str:
    """That a file of results is named after another sensor than the one that it is compared with."""
    sensors = camera_types(given.dataset, given.split)
    named = [one for one in sensors if one and given.results.stem.endswith(f"_{one}")]
    used = dataset.camera_type
    if not named or used in named:
        return ""
    other = f"the sensor {used}" if used else "the files without a sensor's name"
    return f"{given.results.name} is named after the sensor {max(named, key=len)}, and compared with {other}"


def unused_note(evaluation: BopEvaluation) -> str:
    """Estimates that no figure holds."""
    if not evaluation.unused:
        return ""
    count, total = len(evaluation.unused), evaluation.estimates
    return f"{count} of {total} estimates are not used: no instance that counts, or more than an object has instances"


def not_run_note(groups: Sequence[Group], estimates: Sequence[Estimate], name: str) -> str:
    """That images or objects have no row at all, for they count as missed whether they were run or not."""
    without, count = images_without(groups, estimates)
    objects = objects_without(groups, estimates)
    parts = []
    if objects:
        parts.append(f"object{'s' if len(objects) > 1 else ''} {some_of(objects)}")
    if without:
        parts.append(f"{without} of {count} images that count")
    if not parts:
        return ""
    have = "has" if len(objects) == 1 and not without else "have"
    return (
        f"{' and '.join(parts)} {have} no row in {name}: all their instances are counted as missed; where they were "
        "not run, leave them out with --scenes, --images and --objects"
    )


def doubtful_note(how: str, records: RunRecords | None) -> str:
    """Why an index is missing or not to be trusted."""
    if records is None or records.indexed:
        return ""
    found = "matching by index rests on overlap" if how == "index" else "matched as BOP does it"
    return f"not every start pose of the run knew its instance: {found}"


def write_report(out: Path, dataset: DataSet, report: Report) -> None:
    """All files, at once."""
    from diffdope.viz.report_html import draw_curves, write_html

    steps: list[tuple[str, Callable[[Path], None]]] = [
        ("errors.csv", lambda path: write_errors(path, report)),
        ("summary.csv", lambda path: write_summaries(path, report)),
        ("summary.json", lambda path: write_json(path, report.as_json())),
        ("curves.png", lambda path: draw_curves(path, report)),
        ("report.html", lambda path: write_html(path, dataset, report)),
    ]
    with Activity("writing the report", total=len(steps)) as activity, results_folder(out, "evaluation") as folder:
        for name, write in steps:
            write(folder / name)
            activity.advance()
