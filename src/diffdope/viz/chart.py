"""Line charts, drawn by Pillow: to load and run matplotlib takes longer than a refinement and its film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.viz.compose import Image

F64 = NDArray[np.float64]
Rgb = tuple[int, int, int]

COLORS: tuple[Rgb, ...] = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75))
GREY: Rgb = (170, 170, 170)
_DARK: Rgb = (50, 50, 50)
_GRID: Rgb = (224, 224, 224)
_FINER = 2  # drawn so many times as large, then reduced, which smooths the lines
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 30, 44  # margins, pixels
_MOST_TICKS = 6  # on an axis: numbers do not touch
_LARGEST_POWER = 300  # of ten, of what is written beside the axis: beyond, floats end


class Line(NamedTuple):
    """Values (K,) over their numbers; those that are not finite, or have no logarithm where that is drawn, are gaps."""

    values: F64
    color: Rgb
    width: float = 1.5
    label: str = ""


class Chart(NamedTuple):
    """Lines, first ones below, and marks (number, text) at which something else begins."""

    title: str
    ylabel: str
    lines: Sequence[Line]
    marks: Sequence[tuple[int, str]] = ()
    xlabel: str = "iteration"


def drawn(chart: Chart, width: int = 500, height: int = 400) -> Image:
    """The chart (height, width, 3); logarithmic if there is anything that has a logarithm."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    s = _FINER
    picture = Pillow.new("RGB", (s * width, s * height), (255, 255, 255))
    draw, font, small = (
        ImageDraw.Draw(picture),
        ImageFont.load_default(size=13 * s),
        ImageFont.load_default(size=11 * s),
    )
    axis = _Axis.of([line.values for line in chart.lines])
    last = max([len(line.values) for line in chart.lines], default=1) - 1
    inner = (s * _LEFT, s * _TOP, s * (width - _RIGHT), s * (height - _BOTTOM))

    def x_of(number: float) -> float:
        return inner[0] + (0.02 + 0.96 * number / max(last, 1)) * (inner[2] - inner[0])

    def y_of(share: float) -> float:
        return inner[3] - share * (inner[3] - inner[1])

    for value, text in axis.ticks():
        y = y_of(float(axis.share(np.array([value]))[0]))
        draw.line((inner[0], y, inner[2], y), fill=_GRID, width=s)
        draw.text((inner[0] - 5 * s, y), text, fill=_DARK, font=small, anchor="rm")
    for number in _round_ticks(0.0, float(last), whole=True):
        draw.line((x_of(number), inner[1], x_of(number), inner[3]), fill=_GRID, width=s)
        draw.text((x_of(number), inner[3] + 4 * s), f"{number:.0f}", fill=_DARK, font=small, anchor="ma")
    for number, text in chart.marks:
        draw.line((x_of(number), inner[1], x_of(number), inner[3]), fill=GREY, width=s)
        draw.text((x_of(number) + 2 * s, inner[1] + 2 * s), text, fill=_DARK, font=small)
    for line in chart.lines:
        shares = axis.share(line.values)
        for run in _runs(np.isfinite(shares)):
            points = [(x_of(k), y_of(float(shares[k]))) for k in run]
            pen = max(1, round(s * line.width))
            if len(points) == 1:
                (x, y), r = points[0], 0.5 * pen + s
                draw.ellipse((x - r, y - r, x + r, y + r), fill=line.color)
            draw.line(points, fill=line.color, width=pen, joint="curve")
    draw.rectangle(inner, outline=_DARK, width=s)
    draw.text(((inner[0] + inner[2]) / 2, inner[1] - 8 * s), chart.title, fill=_DARK, font=font, anchor="ms")
    draw.text(((inner[0] + inner[2]) / 2, s * height - 8 * s), chart.xlabel, fill=_DARK, font=font, anchor="ms")
    draw.text((6 * s, inner[1] - 8 * s), chart.ylabel, fill=_DARK, font=small, anchor="ls")
    for k, line in enumerate([line for line in chart.lines if line.label]):
        y = inner[3] - (12 + 16 * k) * s
        draw.line((inner[0] + 8 * s, y, inner[0] + 28 * s, y), fill=line.color, width=round(s * max(line.width, 2.0)))
        draw.text((inner[0] + 33 * s, y), line.label, fill=_DARK, font=small, anchor="lm")
    return np.asarray(picture.resize((width, height), Pillow.Resampling.BOX), np.float64) / 255.0


class _Axis(NamedTuple):
    """Values from `low` to `high`, or their logarithms to the base of ten."""

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, values: Sequence[F64]) -> _Axis:
        every = np.concatenate([np.ravel(one) for one in values]) if values else np.zeros(0)
        every = every[np.isfinite(every)]
        positive = every[every > 0.0]
        every = np.log10(positive) if len(positive) else every
        low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
        room = 0.05 * (high - low) or 0.5
        return cls(low - room, high + room, len(positive) > 0)

    def share(self, values: F64) -> F64:
        """(K,) 0 at the lower end, 1 at the upper; NaN for what cannot be shown."""
        shown = np.asarray(values, np.float64)
        if self.logarithmic:
            shown = np.log10(np.where(shown > 0.0, shown, np.nan))
        return np.asarray((shown - self.low) / (self.high - self.low))

    def ticks(self) -> list[tuple[float, str]]:
        """Round values between both ends, and how they are written."""
        if not self.logarithmic:
            return [(value, f"{value:g}") for value in _round_ticks(self.low, self.high)]
        low, high = np.clip([self.low, self.high], -_LARGEST_POWER, _LARGEST_POWER)
        decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        for parts in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
            found = [part * 10.0**k for k in decades for part in parts]
            found = [value for value in found if self.low <= np.log10(value) <= self.high]
            if len(found) >= 3:
                break
        else:  # less than the step from one digit to the next
            found = _round_ticks(10.0**low, 10.0**high)
        step = -(-len(found) // _MOST_TICKS)
        return [(value, f"{value:.4g}") for value in found[::step]]


def _round_ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """A few multiples of 1, 2 or 5 times a power of ten between both."""
    span = max(high - low, 1e-12)
    power = 10.0 ** np.floor(np.log10(span / _MOST_TICKS))
    step = next((k * power for k in (1.0, 2.0, 5.0, 10.0) if span / (k * power) <= _MOST_TICKS), 10.0 * power)
    step = max(step, 1.0) if whole else step
    return [round(float(k * step), 12) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _runs(there: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Numbers of those that are there, cut where one is missing."""
    places = np.flatnonzero(there)
    return [run for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(run)]
