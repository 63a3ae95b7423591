"""What `diffdope bop eval` prints."""

from __future__ import annotations

import math
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from diffdope.bop.summary import Summary
from diffdope.bop.tables import Report

Column = tuple[str, Callable[[Summary], str]]
_WIDTH = 168  # columns of text that all figures need
_ESSENTIAL = (0, 1, 2, 3, 4, 7, 8, 16, 18)  # columns that a narrow terminal shows


def length(value: float | None) -> str:
    """Millimetres, seconds and the like; "-" where infinite or unknown."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def share(value: float | None) -> str:
    """Per cent, without the sign."""
    return "-" if value is None else f"{100 * value:.1f}"


def columns(other_max_mm: float) -> list[Column]:
    """Heading and text of each figure; lengths in millimetres, shares in per cent."""
    short = f"{other_max_mm:g}"
    return [
        ("n", lambda s: str(s.instances)),
        ("missing", lambda s: str(s.missing)),
        ("ADD med", lambda s: length(s.add_median)),
        ("p90", lambda s: length(s.add_p90)),
        ("<5mm", lambda s: share(s.add_below_5mm)),
        ("<0.1d", lambda s: share(s.add_below_tenth)),
        ("AUC100", lambda s: share(s.add_auc)),
        (f"AUC{short}", lambda s: share(s.add_auc_other)),
        ("ADD-S med", lambda s: length(s.adds_median)),
        ("p90", lambda s: length(s.adds_p90)),
        ("<5mm", lambda s: share(s.adds_below_5mm)),
        ("AUC100", lambda s: share(s.adds_auc)),
        (f"AUC{short}", lambda s: share(s.adds_auc_other)),
        ("AR_VSD", lambda s: share(s.ar_vsd)),
        ("AR_MSSD", lambda s: share(s.ar_mssd)),
        ("AR_MSPD", lambda s: share(s.ar_mspd)),
        ("AR", lambda s: share(s.ar) + ("" if s.ar_complete else "*")),
        ("AR 2-20mm", lambda s: share(s.ar_absolute)),
        ("s", lambda s: length(s.seconds_median)),
    ]


def print_report(report: Report, console: Console | None = None) -> None:
    """Tables by object, by scene, and over all; of a narrow terminal fewer columns."""
    console = console or Console()
    if not console.is_terminal and console.width < _WIDTH:
        console = Console(width=_WIDTH)
    figures = columns(1e3 * report.other_max_m)
    if console.width < _WIDTH:
        figures = [figure for k, figure in enumerate(figures) if k in _ESSENTIAL]
    for name, text in report.described.items():
        console.print(f"{name}: {text}", highlight=False, markup=False)
    for name, groups in (("object", report.objects), ("scene", report.scenes)):
        console.print(_table(name, {str(key): summary for key, summary in groups.items()}, figures))
    console.print(_table("", {"all": report.total}, figures))
    console.print("lengths in mm, shares and recalls in %; - infinite or unknown; * without VSD", highlight=False)
    for note in report.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    if report.run is not None:
        ended = ", ".join(f"{count} {status}" for status, count in report.run.statuses.items())
        console.print(f"the run: {ended}", highlight=False, markup=False)


def _table(name: str, groups: dict[str, Summary], figures: list[Column]) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="bold")
    table.add_column(name)
    for heading, _ in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    for key, summary in groups.items():
        table.add_row(key, *(text(summary) for _, text in figures))
    return table
