"""Pictures of a tracked object: its contour in a frame, and what is known of it over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.io.files import atomic
from diffdope.viz.compose import Color, Image, contour

F64 = NDArray[np.float64]

GOOD: Color = (0.15, 0.95, 0.35)
DOUBTFUL: Color = (1.0, 0.75, 0.1)
LOST: Color = (1.0, 0.2, 0.2)
_BORDER = 4  # pixels around the object in which its contour may leave traces


def outlined(image: Image, coverage: ArrayLike, color: Color) -> Image:
    """The contour of a silhouette, drawn in the part of the image that it lies in.

    Args:
        image: (H, W, 3) in [0, 1].
        coverage: (H, W).
        color: of the line.
    """
    covered = np.asarray(coverage, np.float64)
    rows, columns = (np.flatnonzero((covered >= 0.5).any(axis=axis)) for axis in (1, 0))
    result = image.copy()
    if len(rows) == 0:
        return result
    part = (
        slice(max(rows[0] - _BORDER, 0), rows[-1] + _BORDER + 1),
        slice(max(columns[0] - _BORDER, 0), columns[-1] + _BORDER + 1),
    )
    result[part] = contour(image[part], covered[part], color=color, thickness=2.0)
    return result


def write_track_plot(
    path: Path,
    times_s: Sequence[float],
    confidences: Sequence[float | None],
    costs: Sequence[float | None],
    lost: Sequence[bool],
    *,
    doubt: float,
) -> None:
    """Draws confidence and cost over time; spans in which the object was lost are shaded.

    Args:
        path: PNG to write.
        times_s: (N,) seconds.
        confidences: (N,) in [0, 1], None where unknown.
        costs: (N,), None where nothing was compared.
        lost: (N,) whether the object was.
        doubt: the confidence below which a frame is in doubt.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(times_s, _numbers(confidences), color="tab:green", linewidth=1.2, marker=".", markersize=3)
    above.axhline(doubt, color="grey", linestyle="--", linewidth=1.0, label=f"in doubt below {doubt:g}")
    above.set(ylabel="confidence", ylim=(-0.03, 1.03))
    below.plot(times_s, _numbers(costs), color="tab:blue", linewidth=1.2, marker=".", markersize=3)
    below.set(ylabel="cost", xlabel="time [s]")
    for axis in (above, below):
        for k, (begin, end) in enumerate(spans(times_s, lost)):
            axis.axvspan(begin, end, color="tab:red", alpha=0.15, linewidth=0.0, label="lost" if k == 0 else None)
        axis.grid(alpha=0.3)
    above.legend(loc="lower left")
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png")


def _numbers(values: Sequence[float | None]) -> F64:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def spans(times_s: Sequence[float], on: Sequence[bool]) -> list[tuple[float, float]]:
    """Begin and end of each stretch of frames that are on; a frame lasts until the next one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(on, bool), [False]]).astype(np.int8)))
    last = len(times_s) - 1
    return [(times_s[a], times_s[min(b, last)]) for a, b in zip(edges[::2], edges[1::2], strict=True)]
