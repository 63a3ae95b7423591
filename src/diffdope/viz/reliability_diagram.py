"""Reliability diagram: how often results of a confidence are right."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from diffdope.io.files import atomic


class Point(NamedTuple):
    """Results of about one confidence: their mean confidence, the share that is right, and how many they are."""

    confidence: float
    right: float
    results: int


def write_reliability_diagram(path: Path, sides: dict[str, list[Point]]) -> None:
    """Draws one panel a side, as PNG: points beside the diagonal of perfect confidences, and counts below.

    Args:
        path: the file.
        sides: by title, such as before and after a map.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(sides), 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(sides), squeeze=False, gridspec_kw={"height_ratios": (3, 1)}, sharex=True)
    for (title, points), above, below in zip(sides.items(), *axes, strict=True):
        above.plot([0, 1], [0, 1], color="#9aa2ab", linewidth=1.0, linestyle="--", label="as often as said")
        x, y, n = ([float(point[k]) for point in points] for k in range(3))
        # Wilson's interval at one deviation, so that bins of few results are seen to say little.
        middle = [(r * c + 0.5) / (c + 1.0) for r, c in zip(y, n, strict=True)]
        reach = [((c * r * (1.0 - r) + 0.25) ** 0.5) / (c + 1.0) for r, c in zip(y, n, strict=True)]
        above.vlines(
            x, [m - d for m, d in zip(middle, reach, strict=True)], [m + d for m, d in zip(middle, reach, strict=True)],
            color="#7fb38b",
        )  # fmt: skip
        above.plot(x, y, marker="o", color="#1f7a3a", linewidth=1.4, label="results")
        above.set(title=title, xlim=(0, 1), ylim=(0, 1.02), ylabel="share that is right")
        above.grid(alpha=0.3)
        below.bar(x, n, width=0.06, color="#3b6ea8")
        below.set(xlabel="confidence", ylabel="results")
        below.grid(alpha=0.3, axis="y")
    axes[0][0].legend(loc="upper left")
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png")
