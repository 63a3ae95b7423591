"""Polygons and boxes as masks. A pixel is inside if its centre is: corners of files count from the image's corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.note_codes import Note, NoteCode

_BEYOND_PX = 1.0  # by which boxes of detectors are rounded

Bool = NDArray[np.bool_]
F64 = NDArray[np.float64]


def points_of(points: Any, least: int, where: str) -> F64:
    """Points (N, 2) as a file has them: [[x, y], ...].

    Args:
        points: what it has.
        least: how many there are at least.
        where: for the error.

    Raises:
        DiffDopeError: if they are something else, or fewer.
    """
    try:
        pairs = np.asarray(points, np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise expected(where, "points [[x, y], ...]", repr(points)[:60]) from error
    if len(pairs) < least:
        raise expected(where, f"{least} points or more", repr(points)[:60])
    return pairs


def mask_of_polygons(polygons: Sequence[Any], size: tuple[int, int], where: str) -> Bool:
    """The pixels of all polygons together; within one, by the even-odd rule.

    Args:
        polygons: each x, y, x, y, ... or pairs (x, y), pixels from the image's top-left corner, as COCO has them: the
            centre of the first pixel is (0.5, 0.5).
        size: (height, width) of the mask.
        where: for the error.

    Raises:
        DiffDopeError: if one is no polygon of three corners or more.
    """
    mask = np.zeros(size, bool)
    for polygon in polygons:
        _fill(mask, _corners(polygon, where))
    return mask


def mask_of_box(box: Sequence[float], size: tuple[int, int], where: str = "box") -> Bool:
    """The pixels whose centres are in a box.

    Args:
        box: x, y of the top-left corner, width, height, pixels from the image's corner, as COCO has them.
        size: (height, width) of the mask.
        where: for the error.

    Raises:
        DiffDopeError: if it is no box, or no pixel of the image is in it.
    """
    try:
        x, y, width, height = (float(value) for value in box)
    except (TypeError, ValueError, OverflowError) as error:
        raise expected(where, "x, y, width, height in pixels", repr(box)) from error
    if not (np.isfinite([x, y, width, height]).all() and width > 0 and height > 0):
        got = ", ".join(f"{one:g}" for one in (x, y, width, height))
        raise expected(where, "x, y, width, height in pixels, width and height above 0", got)
    mask = np.zeros(size, bool)
    first, last = (
        np.ceil(np.clip([a - 0.5 for a in pair], 0, 1e9)).astype(int) for pair in ((x, y), (x + width, y + height))
    )
    mask[first[1] : last[1], first[0] : last[0]] = True
    if not mask.any():
        got = f"{x:g}, {y:g}, {width:g}, {height:g}"
        raise expected(
            where, f"a box inside the {size[1]} x {size[0]} image", got, "it is x, y, width, height in pixels"
        )
    return mask


def note_on_cut(box: Sequence[float], size: tuple[int, int]) -> str:
    """A note, if a part of a box lies outside of the image: what may be meant; empty if none does.

    Args:
        box: x, y of the top-left corner, width, height, pixels.
        size: (height, width) of the image.
    """
    x, y, width, height = (float(value) for value in box)
    (rows, columns), cut = size, ""
    beyond = {"left": -x, "top": -y, "right": x + width - columns, "bottom": y + height - rows}
    sides = [f"{share:.0f} pixels at the {side}" for side, share in beyond.items() if share > _BEYOND_PX]
    if sides:
        cut = f"the box reaches beyond the image ({', '.join(sides)}) and was cut there"
    if cut and width <= columns and height <= rows:
        cut = "; ".join((cut, *note_on_corners(box)))
    return Note(NoteCode.BOX_CUT, cut) if cut else ""


def note_on_corners(box: Sequence[float]) -> tuple[str, ...]:
    """What a box would be if it were meant as two corners, as some detectors give it; empty if it cannot be.

    Args:
        box: four numbers: x, y of the top-left corner, width, height, pixels.
    """
    x, y, width, height = (float(value) for value in box)
    if not (0 <= x < width and 0 <= y < height) or x == y == 0:
        return ()
    meant = f"{x:g},{y:g},{width - x:g},{height - y:g}"
    text = f"box: if its last two numbers are the right and the bottom edge, the box X,Y,WIDTH,HEIGHT is {meant}"
    return (Note(NoteCode.BOX_CORNERS, text),)


def _corners(polygon: Any, where: str) -> F64:
    try:
        corners = np.asarray(polygon, np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise expected(where, "a polygon x, y, x, y, ...", repr(polygon)[:60]) from error
    if len(corners) < 3 or not (np.abs(corners) < 1e6).all():
        raise expected(where, "a polygon of three corners or more, in pixels", repr(polygon)[:60])
    return corners


def _fill(mask: Bool, corners: F64) -> None:
    """Turns the pixels inside on: row by row, between the first and second crossing, the third and fourth, ..."""
    x, y = corners.T - 0.5
    nx, ny = np.roll(x, -1), np.roll(y, -1)
    inside = np.zeros_like(mask)
    for row in range(max(0, int(np.floor(y.min()))), min(len(mask), int(np.ceil(y.max())) + 1)):
        crosses = (y <= row) != (ny <= row)
        at = np.sort(x[crosses] + (row - y[crosses]) * (nx - x)[crosses] / (ny - y)[crosses])
        for begin, end in zip(at[::2], at[1::2], strict=True):
            first, last = max(0, int(np.ceil(begin))), min(mask.shape[1] - 1, int(np.ceil(end)) - 1)
            inside[row, first : last + 1] = True
    mask |= inside
