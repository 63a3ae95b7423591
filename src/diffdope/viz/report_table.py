"""Tables of summaries as HTML."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

from diffdope.bop.summary import Summary

Column = tuple[str, Callable[[Summary], float | None], str]  # heading, figure, and what it is: "mm", "%", "n", "s"


def columns(other_max_mm: float) -> list[Column]:
    """Every figure of the tables."""
    return [
        ("n", lambda s: s.instances, "n"), ("missing", lambda s: s.missing, "n"),
        ("ADD median", lambda s: s.add_median, "mm"), ("p90", lambda s: s.add_p90, "mm"),
        ("< 5 mm", lambda s: s.add_below_5mm, "%"), ("< 0.1 d", lambda s: s.add_below_tenth, "%"),
        ("AUC 100", lambda s: s.add_auc, "%"), (f"AUC {other_max_mm:g}", lambda s: s.add_auc_other, "%"),
        ("ADD-S median", lambda s: s.adds_median, "mm"), ("p90", lambda s: s.adds_p90, "mm"),
        ("< 5 mm", lambda s: s.adds_below_5mm, "%"), ("AUC 100", lambda s: s.adds_auc, "%"),
        ("deg", lambda s: s.rotation_median_deg, "mm"),
        ("AR VSD", lambda s: s.ar_vsd, "%"), ("AR MSSD", lambda s: s.ar_mssd, "%"),
        ("AR MSPD", lambda s: s.ar_mspd, "%"), ("AR", lambda s: s.ar, "%"),
        ("AR 2-20 mm", lambda s: s.ar_absolute, "%"), ("seconds", lambda s: s.seconds_median, "s"),
    ]  # fmt: skip


def table(name: str, groups: Mapping[int, Summary], columns: Sequence[Column]) -> str:
    """A row a group; shares have a bar below them, and headings sort."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading, _, _ in columns)
    rows = []
    for key, summary in groups.items():
        cells = "".join(_cell(get(summary), kind, heading, summary) for heading, get, kind in columns)
        rows.append(f"<tr><td>{key}</td>{cells}</tr>")
    return (
        f'<div class="wide"><table><thead><tr><th>{name}</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        "</div>"
    )


def _cell(value: float | None, kind: str, heading: str, summary: Summary) -> str:
    if value is None or not math.isfinite(value):
        return '<td data-v="1e30">-</td>' if value is not None else '<td data-v="-1">-</td>'
    if kind == "%":
        mark = "" if heading != "AR" or summary.ar_complete else "*"
        bar = f'<i style="width:{100 * value:.0f}%"></i>'
        return f'<td data-v="{value:.6f}">{bar}<span>{100 * value:.1f}{mark}</span></td>'
    text = f"{value:.0f}" if kind == "n" else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
    warn = ' class="bad"' if heading == "missing" and value else ""
    return f'<td{warn} data-v="{value:.6f}">{text}</td>'
