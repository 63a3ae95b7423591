"""Joint values without names: a row of numbers for each picture, as numpy and the logs of controllers have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import as_floats, expected
from diffdope.io.array_files import read_arrays
from diffdope.io.json_files import read_text
from diffdope.io.numbers import check_decimal_points, is_number

WITHOUT_NAMES = (".txt", ".npy")
"""Endings of files that have no names; those of a CSV stand in its heading, if it has one."""


def bare_rows(path: Path) -> NDArray[np.float64] | None:
    """The numbers (N, J) of a file without names; None of a CSV that begins with something else.

    Args:
        path: `.npy`; text with numbers parted by blanks, commas or semicolons, and comments after #.

    Raises:
        DiffDopeError: if it cannot be read, is no table, or has rows of several lengths.
    """
    if path.suffix.lower() == ".npy":
        array = read_arrays("joints", path, "an array (pictures, joints)")
        values = as_floats("joints", array)
        if values.ndim != 2 or not len(values):
            raise expected("joints", f"an array (pictures, joints) in {path}", f"shape {values.shape}")
        return values
    lines = [line.split("#", 1)[0].strip() for line in read_text(path, "joints").splitlines()]
    check_decimal_points("joints", lines)
    rows = [re.split(r"[,;\s]+", line.strip(",; ")) for line in lines if line]
    if path.suffix.lower() == ".csv" and not (rows and all(map(is_number, rows[0]))):
        return None
    for row in rows:
        if not all(map(is_number, row)) or len(row) != len(rows[0]):
            raise expected("joints", f"rows of {len(rows[0])} numbers in {path}", " ".join(row)[:60])
    if not rows:
        raise expected("joints", f"rows of numbers in {path}", "none")
    return np.array(rows, np.float64)


def check_numbers(positions: NDArray[np.float64], names: Sequence[str], frames: Sequence[str] | None) -> None:
    """Refuses values that are missing, NaN or infinite.

    Args:
        positions: (N, J).
        names: of the J joints.
        frames: names of the N pictures; None where the file only has their order.

    Raises:
        DiffDopeError: naming joint and picture of the first.
    """
    for row, column in np.argwhere(~np.isfinite(positions))[:1]:
        picture = f"row {row + 1}" if frames is None else f"picture {frames[row]}"
        raise expected(
            "joints, positions", "finite numbers", f"{positions[row, column]} for {names[column]} in {picture}"
        )
