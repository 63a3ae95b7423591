"""One look for all plots of the studies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diffdope.io.files import atomic
from diffdope.io.images import LUMA

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by the colour-blind.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def new_figure(columns: int, rows: int = 1, *, width: float = 4.4, height: float = 3.5) -> tuple[Figure, list[Any]]:
    """A figure of `rows` x `columns` panels, each `width` x `height` inches, and its axes row by row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.3)
        axis.set_axisbelow(True)
    return figure, axes


def style(k: int) -> dict[str, Any]:
    """Colour and marker of the k-th series."""
    return {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)], "markersize": 5, "linewidth": 1.6}


def log_axes(axis: Any, *, x: Sequence[float] | None = None, y: bool = False) -> None:
    """Logarithmic axes with plain numbers.

    Args:
        axis: of the plot.
        x: where the ticks of the x axis are; None leaves it linear.
        y: whether the y axis is logarithmic too.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    if x is not None:
        axis.set_xscale("log")
        axis.set_xticks(list(x), [short(value) for value in x])
        axis.xaxis.set_minor_locator(NullLocator())
    if y:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=20))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        axis.yaxis.set_minor_formatter(NullFormatter())


def short(value: float) -> str:
    """A number for a tick: 20480 as 20k."""
    return f"{value / 1000:.3g}k" if value >= 10000 else f"{value:g}"


def heat_map(
    figure: Figure,
    axis: Any,
    values: NDArray[np.float64],
    *,
    x: Sequence[float],
    y: Sequence[float],
    title: str,
    texts: Sequence[Sequence[str]],
    low: float,
    high: float,
    logarithmic: bool = False,
) -> None:
    """Cells of values with their numbers written in.

    Args:
        figure: that the axis belongs to.
        axis: to draw on.
        values: (Y, X), the first row at the bottom; NaN stays white.
        x: of the columns.
        y: of the rows.
        title: above it.
        texts: what is written into each cell.
        low: value at which colours begin.
        high: value at which they end.
        logarithmic: whether the colours' scale is; less is better then.
    """
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.ticker import FuncFormatter

    norm = (LogNorm if logarithmic else Normalize)(low, high, clip=True)
    colours = "viridis_r" if logarithmic else "viridis"
    image = axis.imshow(values, origin="lower", aspect="auto", norm=norm, cmap=colours)
    axis.set_xticks(range(len(x)), [f"{value:g}" for value in x])
    axis.set_yticks(range(len(y)), [f"{value:g}" for value in y])
    axis.grid(False)
    axis.set_title(title, fontsize=10)
    for row in range(len(y)):
        for k in range(len(x)):
            shade = image.cmap(image.norm(values[row, k]))
            dark = sum(weight * part for weight, part in zip(LUMA, shade[:3], strict=True)) < 0.5
            axis.text(k, row, texts[row][k], ha="center", va="center", fontsize=8, color="white" if dark else "black")
    figure.colorbar(image, ax=axis, shrink=0.85, format=FuncFormatter(lambda value, _: short(value)))


def save(figure: Figure, path: Path) -> None:
    """Writes the PNG, in at most 128 colours, which halves it; it appears whole or not at all."""
    from io import BytesIO

    from PIL import Image

    picture = BytesIO()
    figure.savefig(picture, dpi=100, format="png")
    with Image.open(picture) as image, atomic(path) as temporary:
        image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(temporary, format="PNG", optimize=True)
