"""The plot of the study of learning rates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffdope.experiments.bench import RECOVERED_MM, Row
from diffdope.experiments.plots import log_axes, new_figure, save, style
from diffdope.experiments.tables import numbers, summaries

DRAWN = ("uniform", "log-uniform")
SHARE = f"error < {RECOVERED_MM:g} mm, %"


def plot_rates(rows: Sequence[Row], records: Sequence[Row], path: Path) -> None:
    """Above: error against time as B grows, a panel a category. Below: share right by range and by B; error by decay.

    Args:
        rows: of the summary table.
        records: of all trials.
        path: PNG to write.
    """
    categories = list(dict.fromkeys(str(row["category"]) for row in rows))
    columns = max(3, len(categories))
    figure, axes = new_figure(columns, 2, height=3.3)
    for axis in axes:
        axis.set_visible(False)
    for axis, category in zip(axes, categories, strict=False):
        against_time(axis, [row for row in rows if row["part"] == "hypotheses" and row["category"] == category])
        axis.set_title(category)
    drawn = [record for record in records if record["rates"] != "single"]
    by_count(axes[columns], [record for record in drawn if record["part"] == "hypotheses"])
    by_range(axes[columns + 1], [record for record in drawn if record["part"] == "range"])
    by_decay(axes[columns + 2], [row for row in rows if row["part"] == "decay"], categories)
    save(figure, path)


def against_time(axis: Any, rows: Sequence[Row]) -> None:
    """Median error against median time, a line a distribution, labelled with B."""
    for k, rates in enumerate((*DRAWN, "single")):
        own = [row for row in rows if row["rates"] == rates]
        x, y = ([numbers(row, name) for row in own] for name in ("seconds_median", "error_mm_median"))
        single = rates == "single"
        axis.plot(x, y, label=rates, **style(k) | ({"linestyle": "none"} if single else {}))
        for row, a, b in zip(own, x, y, strict=True):
            text = f"x{row['low']:g}" if single else str(row["hypotheses"])
            axis.annotate(text, (a, b), (4, 4), textcoords="offset points", fontsize=7)
    log_axes(axis, x=(0.05, 0.1, 0.2, 0.5, 1, 2, 5), y=True)
    finish(axis, "seconds (median); labels: B, or the single rate", "error, mm (median)")


def by_count(axis: Any, records: Sequence[Row]) -> None:
    """Share right by B, over all categories."""
    counts: list[float] = []
    for k, rates in enumerate(DRAWN):
        own = summaries([r for r in records if r["rates"] == rates], "hypotheses", error="error_mm")
        counts = [numbers(row, "hypotheses") for row in own] or counts
        axis.plot(counts, [100 * numbers(row, "recovered") for row in own], label=rates, **style(k))
    log_axes(axis, x=counts)
    axis.set_ylim(-3, 103)
    finish(axis, "hypotheses B (all categories)", SHARE)


def by_range(axis: Any, records: Sequence[Row]) -> None:
    """Share right by range of the multipliers, over all categories."""
    for k, rates in enumerate(DRAWN):
        own = summaries([r for r in records if r["rates"] == rates], "low", "high", error="error_mm")
        names = [f"{row['low']:g}-{row['high']:g}" for row in own]
        axis.plot(names, [100 * numbers(row, "recovered") for row in own], label=rates, **style(k))
    axis.set_ylim(-3, 103)
    finish(axis, "range of the multipliers (all categories)", SHARE)


def by_decay(axis: Any, rows: Sequence[Row], categories: Sequence[str]) -> None:
    """Median error by decay, a line a category."""
    decays: list[float] = []
    for k, category in enumerate(categories):
        own = [row for row in rows if row["category"] == category]
        decays = [numbers(row, "decay") for row in own]
        axis.plot(decays, [numbers(row, "error_mm_median") for row in own], label=category, **style(k))
    log_axes(axis, x=decays, y=True)
    finish(axis, "rate at the last iteration / at the first", "error, mm (median)")


def finish(axis: Any, x: str, y: str) -> None:
    """Labels and legend."""
    axis.set(xlabel=x, ylabel=y, visible=True)
    axis.legend(fontsize=8)
