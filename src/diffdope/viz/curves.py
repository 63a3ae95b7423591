"""Cost curves of a refinement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffdope.io.png import FAST, write_png
from diffdope.viz.chart import COLORS, GREY, Chart, Line, Rgb, drawn
from diffdope.viz.compose import side_by_side, to_bytes

if TYPE_CHECKING:
    from diffdope.pipelines.result import History

F64 = NDArray[np.float64]
_SLOW: Rgb = (68, 1, 84)
_FAST: Rgb = (253, 190, 37)


def write_costs(
    path: Path,
    history: History,
    modalities: tuple[str, ...],
    winner: int,
    *,
    errors: tuple[F64, F64] | None = None,
) -> None:
    """Draws total cost per hypothesis, cost per modality of the winner, and errors to the truth where known.

    Args:
        path: PNG to write.
        history: of the refinement.
        modalities: names of the columns of its modality costs.
        winner: hypothesis that is emphasised.
        errors: rotation (K+1,) degrees and translation (K+1,) mm of the winner's iterates.
    """
    each = [
        Line(history.modality_costs[:, winner, k], COLORS[k % len(COLORS)], label=name)
        for k, name in enumerate(modalities)
    ]
    charts = [
        Chart("total cost of every hypothesis", "cost", _totals(history, winner), _levels(history)),
        Chart(f"hypothesis {winner} by modality", "unweighted cost", each),
    ]
    if errors is not None:
        names = ("rotation [deg]", "translation [mm]")
        lines = [Line(one, COLORS[k], label=names[k]) for k, one in enumerate(errors)]
        charts.append(Chart(f"hypothesis {winner}: error to the truth", "", lines))
    write_png(path, to_bytes(side_by_side(*(drawn(chart) for chart in charts), gap=0)), level=FAST)


def _totals(history: History, winner: int) -> list[Line]:
    """Of each hypothesis: by its learning rate, or, where they differ in their start only, in grey; the winner last."""
    rates = history.learning_rates
    spread = float(rates.max() - rates.min())
    lines = []
    for b in range(history.costs.shape[1]):
        share = (float(rates[b]) - float(rates.min())) / spread if spread > 0.0 else 0.0
        color = _between(share) if spread > 0.0 else GREY
        ends = {float(rates.min()): "least", float(rates.max()): "largest"} if spread > 0.0 else {}
        label = f"{ends[float(rates[b])]} learning rate: {rates[b]:.3g}" if float(rates[b]) in ends else ""
        lines.append(Line(history.costs[:, b], color, 1.0, label))
    own = lines[winner].color if spread > 0.0 else COLORS[0]
    return [*lines, Line(history.costs[:, winner], own, 2.5, "winner")]


def _between(share: float) -> Rgb:
    """From the colour of the least learning rate to that of the largest."""
    mixed = [round(a + share * (b - a)) for a, b in zip(_SLOW, _FAST, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _levels(history: History) -> list[tuple[int, str]]:
    """Where the size of the crop changes: costs of different levels do not compare."""
    if history.sizes is None:
        return []
    return [(int(k), f"{history.sizes[k]} px") for k in np.flatnonzero(np.diff(history.sizes, prepend=-1))]
