"""Cost curves of a refinement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diffdope.io.files import atomic

if TYPE_CHECKING:
    from diffdope.pipelines.result import History


def write_costs(
    path: Path,
    history: History,
    modalities: tuple[str, ...],
    winner: int,
    *,
    errors: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> None:
    """Draws total cost per hypothesis, cost per modality of the winner, and errors to the truth where known.

    Args:
        path: PNG to write.
        history: of the refinement.
        modalities: names of the columns of its modality costs.
        winner: hypothesis that is emphasised.
        errors: rotation (K+1,) degrees and translation (K+1,) mm of the winner's iterates.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 2 if errors is None else 3
    figure = Figure(figsize=(5.2 * columns, 4.2))
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns)
    figure.subplots_adjust(left=0.2 / columns, right=0.98, bottom=0.13, top=0.91, wspace=0.22)
    _totals(figure, axes[0], history, winner)
    for k, name in enumerate(modalities):
        axes[1].plot(history.modality_costs[:, winner, k], label=name)
    axes[1].set(
        title=f"hypothesis {winner} by modality",
        xlabel="iteration",
        ylabel="unweighted cost",
        yscale=_scale(history.modality_costs[:, winner]),
    )
    if modalities:
        axes[1].legend()
    if errors is not None:
        axes[2].plot(errors[0], label="rotation [deg]")
        axes[2].plot(errors[1], label="translation [mm]")
        axes[2].set(title=f"hypothesis {winner}: error to the truth", xlabel="iteration", yscale=_scale(*errors))
        axes[2].legend()
    for axis in axes:
        axis.grid(alpha=0.3)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png")


def _scale(*values: NDArray[np.float64]) -> str:
    """Logarithmic if there is anything that has a logarithm."""
    return "log" if any((np.isfinite(v) & (v > 0)).any() for v in values) else "linear"


def _totals(figure: Any, axis: Any, history: History, winner: int) -> None:
    import matplotlib

    rates = history.learning_rates
    if rates.min() == rates.max():
        _search_totals(axis, history, winner)
        return
    norm = matplotlib.colors.Normalize(float(rates.min()), float(rates.max()) + 1e-12)
    scale = matplotlib.cm.ScalarMappable(norm, "viridis")
    for b in range(history.costs.shape[1]):
        emphasis = {"linewidth": 2.5, "label": "winner", "zorder": 3} if b == winner else {"linewidth": 1, "alpha": 0.7}
        axis.plot(history.costs[:, b], color=scale.to_rgba(rates[b]), **emphasis)
    figure.colorbar(scale, ax=axis, label="learning-rate multiplier")
    axis.set(title="total cost of every hypothesis", xlabel="iteration", ylabel="cost", yscale=_scale(history.costs))
    axis.legend()


def _search_totals(axis: Any, history: History, winner: int) -> None:
    """Hypotheses that differ in their start only; levels, whose costs do not compare, are told apart."""
    for b in range(history.costs.shape[1]):
        emphasis = {"linewidth": 2.5, "label": "winner", "zorder": 3, "color": "tab:blue"}
        axis.plot(
            history.costs[:, b], **(emphasis if b == winner else {"linewidth": 0.7, "alpha": 0.5, "color": "0.6"})
        )
    if history.sizes is not None:
        for k in np.flatnonzero(np.diff(history.sizes, prepend=-1)):
            axis.axvline(k, color="0.3", linewidth=0.8, linestyle=":")
            axis.annotate(
                f"{history.sizes[k]} px", (k, 1.0), xycoords=("data", "axes fraction"), fontsize=7,
                xytext=(2, -8), textcoords="offset points",
            )  # fmt: skip
    axis.set(title="total cost of every hypothesis", xlabel="iteration", ylabel="cost", yscale=_scale(history.costs))
    axis.legend(loc="lower left")
