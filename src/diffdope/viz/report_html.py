"""An evaluation as one HTML file: no scripts from elsewhere, no other files; for the eye of a person in a hurry."""

from __future__ import annotations

import base64
import json
import math
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.bop.dataset import DataSet
from diffdope.bop.evaluation import Row
from diffdope.bop.summary import errors_m
from diffdope.bop.tables import Report
from diffdope.io.files import atomic
from diffdope.viz.accuracy_curves import Curve, Histogram, round_maximum, write_accuracy_curves, write_histograms
from diffdope.viz.case_pictures import case_pictures
from diffdope.viz.report_cases import Cases, described
from diffdope.viz.report_style import SCRIPT, STYLE
from diffdope.viz.report_table import columns, table

_MOST_FAILURES = 40  # lines: more are counted


def write_html(path: Path, dataset: DataSet, report: Report) -> None:
    """Draws everything and writes the file.

    Args:
        path: to write.
        dataset: for photographs and models.
        report: the evaluation.
    """
    cases = Cases.of(report.evaluation.rows)
    text = page(
        report, cases, case_pictures(dataset, cases.all), _chart(report, draw_curves), _chart(report, draw_bars)
    )
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def draw_curves(path: Path, report: Report) -> None:
    """Accuracy against threshold: ADD, ADD-S, and ADD of the start poses where they are known."""
    rows, start = report.evaluation.rows, report.start_add_m
    curves = [
        Curve("ADD", errors_m(rows, "add"), "#1f5fa8"), Curve("ADD-S", errors_m(rows, "add_s"), "#2c8c4a"),
    ]  # fmt: skip
    if start is not None:
        curves.append(Curve("ADD of the start", start, "#888888", "--"))
    write_accuracy_curves(path, curves)


def draw_bars(path: Path, report: Report) -> None:
    """How errors are distributed."""
    rows = report.evaluation.rows
    errors = {
        "ADD": (1e3 * errors_m(rows, "add"), "mm"),
        "rotation": (np.degrees(errors_m(rows, "rotation")), "deg"),
        "translation": (1e3 * errors_m(rows, "translation"), "mm"),
    }
    write_histograms(path, [Histogram(name, e, round_maximum(e), unit) for name, (e, unit) in errors.items()])


def page(report: Report, cases: Cases, pictures: Mapping[str, bytes], curves: bytes, bars: bytes) -> str:
    """The text of the file."""
    title = f"{report.described.get('data set', '')} {report.described.get('split', '')}".strip()
    figures = columns(1e3 * report.other_max_m)
    objects = dict(sorted(report.objects.items(), key=lambda item: item[1].add_auc_other))

    def strip(heading: str, rows: Sequence[Row]) -> str:
        return _strip(report, heading, rows, pictures)

    body = [
        f"<h1>Pose errors: {escape(title)}</h1>", _definitions(report), _tiles(report), _notes(report),
        "<h2>Objects, the worst first</h2>", table("object", objects, figures),
        "<h2>Where it fails</h2>",
        '<p class="key"><b class="truth">truth</b> <b class="estimate">estimate</b> '
        "contour and axes of the model; ranked by MSSD; angle and distance are modulo symmetry</p>",
        strip("Worst", cases.worst), strip("Without an estimate (the first)", cases.missing),
        strip("Worst of each object", cases.worst_of_objects),
        strip("In the middle", cases.median), strip("Best", cases.best),
        "<h2>Errors of all instances</h2>", _image(curves, "png", "accuracy against threshold"),
        _image(bars, "png", "histograms of the errors"),
        "<h2>Scenes</h2>", table("scene", report.scenes, figures),
        _run(report),
    ]  # fmt: skip
    head = f'<meta charset="utf-8"><title>Pose errors: {escape(title)}</title><style>{STYLE}</style>'
    lines = ["<!doctype html>", f'<html lang="en"><head>{head}</head><body>', *body]
    return "\n".join([*lines, f"<script>{SCRIPT}</script></body></html>", ""])


def _definitions(report: Report) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(text))}</dd>" for name, text in report.described.items())
    return f"<dl>{rows}</dl>"


def _tiles(report: Report) -> str:
    total, other, start = report.total, 1e3 * report.other_max_m, report.start_add_m
    tiles = [
        ("instances", str(total.instances)),
        ("missing", str(total.missing)),
        ("ADD median / p90", f"{_mm(total.add_median)} / {_mm(total.add_p90)} mm"),
        ("ADD < 5 mm", f"{total.add_below_5mm:.1%}"),
        (f"AUC ADD, 100 / {other:g} mm", f"{100 * total.add_auc:.1f} / {100 * total.add_auc_other:.1f}"),
        ("ADD-S median / p90", f"{_mm(total.adds_median)} / {_mm(total.adds_p90)} mm"),
        (f"AUC ADD-S, 100 / {other:g} mm", f"{100 * total.adds_auc:.1f} / {100 * total.adds_auc_other:.1f}"),
        ("AR" if total.ar_complete else "AR without VSD", f"{100 * total.ar:.1f}"),
    ]
    if start is not None:
        tiles.insert(2, ("ADD median at the start", f"{_mm(1e3 * float(np.median(start)))} mm"))
    if total.seconds_median is not None:
        of = "an object" if report.run is not None else "an image"
        tiles.append((f"seconds {of}", f"{total.seconds_median:.2f}"))
    cells = "".join(f"<div><b>{escape(text)}</b>{escape(name)}</div>" for name, text in tiles)
    return f'<div class="tiles">{cells}</div>'


def _mm(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "-"


def _notes(report: Report) -> str:
    fixed = "Lengths in mm; shares, AUC, recalls in %; d: diameter. An instance without estimate is an infinite error."
    if not report.total.ar_complete:
        fixed += " * AR without VSD."
    items = "".join(f"<li>{escape(note)}</li>" for note in (*report.notes, fixed))
    return f'<ul class="notes">{items}</ul>'


def _strip(report: Report, heading: str, rows: Sequence[Row], pictures: Mapping[str, bytes]) -> str:
    if not rows:
        return ""
    figures = []
    for row in rows:
        text = escape(described(row, report.status(row)))
        picture = _image(pictures[row.key], "jpeg", text) if row.key in pictures else '<p class="none">no picture</p>'
        figures.append(f"<figure>{picture}<figcaption>{text}</figcaption></figure>")
    return f'<h3>{escape(heading)}</h3><div class="strip">{"".join(figures)}</div>'


def _run(report: Report) -> str:
    run = report.run
    if run is None:
        return "<h2>The run</h2><p>There are no records of it beside the results.</p>"
    statuses = _pairs((name, _ended(report, name, count)) for name, count in run.statuses.items())
    failures = "".join(f"<li>{escape(name)}: {escape(text)}</li>" for name, text in run.errors[:_MOST_FAILURES])
    more = len(run.errors) - _MOST_FAILURES
    failures += f"<li>and {more} more</li>" if more > 0 else ""
    settings = escape(json.dumps(dict(run.header), indent=1, sort_keys=True))
    return (
        f"<h2>The run</h2><h3>How refinements ended</h3>{statuses}"
        + (f"<h3>Errors</h3><ul>{failures}</ul>" if failures else "")
        + f"<details><summary>Settings</summary><pre>{settings}</pre></details>"
    )


def _ended(report: Report, status: str, count: int) -> str:
    add = errors_m([row for row in report.evaluation.rows if report.status(row) == status], "add")
    return f"{count}, ADD median {_mm(1e3 * float(np.median(add)))} mm" if len(add) else str(count)


def _pairs(items: Iterable[tuple[str, Any]]) -> str:
    rows = "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>" for name, value in items)
    return f"<dl>{rows}</dl>"


def _image(data: bytes, kind: str, text: str) -> str:
    """`text` must be escaped."""
    return f'<img alt="{text}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


def _chart(report: Report, draw: Callable[[Path, Report], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chart.png"
        draw(path, report)
        return path.read_bytes()
