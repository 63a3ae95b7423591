"""`diffdope bop calibrate`: what confidences are worth on a user's own data, and a file that corrects them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from diffdope.bop.calibrate import FittedConfidence, calibrated, judged, preset_of, tolerance_of
from diffdope.bop.evaluation import read_known
from diffdope.bop.reliability import Reliability
from diffdope.bop.run_records import RunRecords
from diffdope.checked_fields import check_fields
from diffdope.cli.dataset_flags import DataSetFlags
from diffdope.cli.help_text import parsed
from diffdope.cli.progress import Activity
from diffdope.cli.whole_table import print_whole
from diffdope.errors import expected
from diffdope.estimate.confidence import ConfidenceSettings
from diffdope.io.files import check_folder, results_folder
from diffdope.note_codes import codes_of
from diffdope.pipelines.confidence_file import write_confidence
from diffdope.viz.reliability_diagram import Point, write_reliability_diagram

FILES = "confidence.json, reliability.png, report.md"


@dataclass(frozen=True, kw_only=True)
class BopCalibrateArguments(DataSetFlags):
    """Fits confidences to a data set with truth: writes a file for --confidence-file, and says what it is worth.

    Example: diffdope bop calibrate --dataset hope --split val --results results.csv --out calibrated
    """

    results: Path
    """Results CSV of `bop refine`, whose records (.jsonl) lie beside it; refined without --confidence-file."""
    out: Path
    """Folder for confidence.json, reliability.png and report.md."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code."""
    given: BopCalibrateArguments = parsed(BopCalibrateArguments, arguments, "diffdope bop calibrate")
    check_fields(given, {})
    check_folder(given.out)
    with Activity("reading the data set and the results"):
        dataset = given.open()
        estimates = read_known(given.results, dataset)
        records, note = RunRecords.beside(given.results, dataset, estimates)
        if records is None:
            got = note or f"no {given.results.with_suffix('.jsonl').name}"
            raise expected("results", "a CSV of bop refine with its records (.jsonl) beside it", got)
        found = judged(dataset, records)
        calibration = calibrated(found)
    tolerance_m = tolerance_of(records)
    with results_folder(given.out, "confidence") as folder:
        settings = ConfidenceSettings(tolerance_m, math.exp(calibration.fitted.offset), calibration.fitted.slope)
        beside = {"data_set": dataset.name, "split": dataset.split, "results": given.results.name}
        beside |= preset_of(records)
        all_of_them = calibration.before["all"]
        counts = {
            "results_counted": all_of_them.count,
            "results_right": all_of_them.right,
            "notes": list(calibration.notes),
            "note_codes": [str(code) for code in codes_of(calibration.notes)],
        }
        write_confidence(folder / "confidence.json", settings, {**beside, **counts})
        sides = {"as they are": calibration.before["all"], "mapped, by other images": calibration.after["all"]}
        write_reliability_diagram(
            folder / "reliability.png",
            {name: [Point(b.confidence, b.right, b.results) for b in one.bins] for name, one in sides.items()},
        )
        report = report_of(calibration, beside, settings)
        (folder / "report.md").write_text(report, encoding="utf-8")
    print_summary(calibration, settings, given.out)
    return 0


def tolerance_in_words(settings: ConfidenceSettings) -> str:
    """What the confidence is about."""
    return f"{1e3 * settings.tolerance_m:g} mm" if settings.tolerance_m else "3 % of the diameter"


def row_of(name: str, before: Reliability, after: Reliability) -> tuple[str, ...]:
    """Figures of a part of the results, before and after."""
    return (
        name, str(before.count), str(before.right), figure(before.auroc), percent(before.ece), percent(after.ece),
        f"{before.sure_wrong} of {before.sure}", f"{after.sure_wrong} of {after.sure}",
    )  # fmt: skip


HEADINGS = ("", "n", "right", "AUROC", "ECE", "ECE mapped", "wrong > 0.9", "mapped")


def figure(value: float) -> str:
    """Three digits; - where there is none."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def percent(value: float) -> str:
    """Of a share."""
    return f"{100 * value:.1f} %"


def rows_of(calibration: FittedConfidence) -> list[tuple[str, ...]]:
    """A row a part."""
    return [row_of(name, one, calibration.after[name]) for name, one in calibration.before.items()]


def map_in_words(calibration: FittedConfidence, settings: ConfidenceSettings) -> str:
    """The map, and how far it may be off."""
    low, high = calibration.low, calibration.high
    return (
        f"odds x {settings.odds:.3g} ({math.exp(low.offset):.3g} to {math.exp(high.offset):.3g}), "
        f"slope {settings.slope:.3g} ({low.slope:.3g} to {high.slope:.3g})"
    )


def report_of(calibration: FittedConfidence, beside: dict[str, str], settings: ConfidenceSettings) -> str:
    """The report in Markdown."""
    lines = [
        f"# Confidence on {beside['data_set']}, {beside['split']}",
        "",
        f"Results: {beside['results']}. Right: ADD below {tolerance_in_words(settings)}, to the nearest of the true",
        "poses that look the same by models_info.json.",
        "",
        f"Map (5 % to 95 % over draws of the images): {map_in_words(calibration, settings)}.",
        "Mapped figures are of maps that were fitted to other images, in five parts.",
        "",
        *(f"- Note: {note}." for note in calibration.notes),
        *([""] if calibration.notes else []),
        "| " + " | ".join(HEADINGS) + " |",
        "|---" * len(HEADINGS) + "|",
        *("| " + " | ".join(row) + " |" for row in rows_of(calibration)),
        "",
        "![Reliability diagram](reliability.png)",
        "",
        "Use it: `--confidence-file confidence.json` with refine, locate, track, scene and bop refine,",
        f"and the preset that it was fitted with{': ' + beside['preset'] if 'preset' in beside else ''}.",
        "",
    ]
    return "\n".join(lines)


def print_summary(calibration: FittedConfidence, settings: ConfidenceSettings, out: Path) -> None:
    """The same table, shorter, on the screen."""
    console = Console()
    table = Table(box=None, padding=(0, 1), header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for row in rows_of(calibration):
        table.add_row(*row)
    console.print(f"right: ADD below {tolerance_in_words(settings)}", highlight=False, markup=False)
    print_whole(table, console)
    console.print(f"map: {map_in_words(calibration, settings)}", highlight=False, markup=False)
    for note in calibration.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    console.print(f"files: {out}: {FILES}", highlight=False, markup=False)
