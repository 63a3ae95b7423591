"""Charts of an evaluation: accuracy against threshold, and how the errors are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.io.files import atomic

F64 = NDArray[np.float64]
_RIGHTS_MM = (100.0, 20.0)  # ends of the two panels of curves


class Curve(NamedTuple):
    """Errors (N,) in metres, infinite for what is missing, and how to draw them."""

    name: str
    errors_m: F64
    color: str
    style: str = "-"


class Histogram(NamedTuple):
    """Errors (N,) in any unit; those beyond `maximum`, and what is missing, are in the last bar."""

    title: str
    errors: F64
    maximum: float
    unit: str


def write_accuracy_curves(path: Path, curves: Sequence[Curve]) -> None:
    """Share of errors below a threshold, up to 100 mm and up to 20 mm, as PNG."""
    figure, axes = _figure(2, 3.6)
    for axis, right in zip(axes, _RIGHTS_MM, strict=True):
        for curve in curves:
            _draw_steps(axis, curve, right)
        axis.set(
            xlim=(0, right), ylim=(0, 1.01), xlabel="threshold [mm]", ylabel="share of instances",
            title=f"accuracy up to {right:g} mm",
        )  # fmt: skip
        axis.grid(alpha=0.3)
    axes[0].legend(loc="lower right")
    _save(figure, path)


def write_histograms(path: Path, histograms: Sequence[Histogram]) -> None:
    """Counts of errors in bars, as PNG."""
    figure, axes = _figure(len(histograms), 2.9)
    for axis, (title, errors, maximum, unit) in zip(axes, histograms, strict=True):
        edges = np.linspace(0.0, maximum, 26)
        counts, _ = np.histogram(errors[errors < maximum], edges)
        step = edges[1]
        axis.bar(edges[:-1], counts, width=0.92 * step, align="edge", color="#3b6ea8")
        beyond = int(np.count_nonzero(~(errors < maximum)))
        axis.bar([maximum + 0.5 * step], [beyond], width=1.6 * step, align="edge", color="#b8402a")
        if beyond:
            axis.text(maximum + 1.3 * step, beyond, str(beyond), ha="center", va="bottom", fontsize=8, color="#b8402a")
        axis.set(title=title, xlabel=f"{unit} (red: beyond or missing)", xlim=(0, maximum + 2.6 * step))
        axis.grid(alpha=0.3, axis="y")
    axes[0].set_ylabel("instances")
    _save(figure, path)


def round_maximum(errors: F64) -> float:
    """An end of the scale that nine tenths of the errors fit into: 1, 2 or 5 times a power of ten."""
    finite = errors[np.isfinite(errors)]
    wanted = float(np.quantile(finite, 0.9)) if len(finite) else 1.0
    power = 10.0 ** np.floor(np.log10(max(wanted, 1e-6)))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power > 0.999 * wanted))


def _draw_steps(axis: Any, curve: Curve, right_mm: float) -> None:
    """The exact curve: it rises by 1/N at each error."""
    errors_mm = np.sort(1e3 * curve.errors_m[np.isfinite(curve.errors_m)])
    x = np.concatenate([[0.0], errors_mm, [max(right_mm, errors_mm.max(initial=0.0))]])
    heights = np.arange(len(errors_mm) + 1) / len(curve.errors_m)
    axis.step(x, np.append(heights, heights[-1]), where="post", label=curve.name, color=curve.color, ls=curve.style)


def _figure(columns: int, height: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6 * columns, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _save(figure: Any, path: Path) -> None:
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png")
