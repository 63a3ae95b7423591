"""Units of joint values: radians or degrees of joints that turn, metres of those that slide."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_choice, expected

F64 = NDArray[np.float64]

_LARGEST_RAD = 6.0 * math.pi  # joints that turn more than three times are in degrees
_FARTHEST_M = 50.0  # of a joint that slides: rails of halls are as long, and a gripper that opens by 5 cm is in mm
_FEWEST_TO_TELL = 3  # pictures

_WORDS = {
    "radian": "rad", "radians": "rad", "rads": "rad", "degree": "deg", "degrees": "deg", "degs": "deg", "°": "deg",
}  # fmt: skip
"""What files call units."""


def unit_stated(word: str | None, path: Path) -> str:
    """The unit that a file states, "rad" or "deg"; "rad" where it states none.

    Args:
        word: as the file has it.
        path: of the file, for errors.

    Raises:
        DiffDopeError: if it is another one.
    """
    unit = "rad" if word is None else _WORDS.get(str(word).strip().lower(), str(word))
    check_choice(f"unit of the joints in {path}", unit, ("rad", "deg"))
    return unit


def in_radians(
    positions: F64, names: Sequence[str], unit: str, sliding: Collection[str], path: Path, limited: Collection[str] = ()
) -> F64:
    """Joint values (N, J) in radians and metres.

    Args:
        positions: (N, J), as a file has them.
        names: of the J joints.
        unit: of those that turn, "rad" or "deg".
        sliding: names of those that slide.
        path: of the file, for errors.
        limited: names of those that cannot turn on and on, as wheels do; if there are any, they alone tell degrees.

    Raises:
        DiffDopeError: if numbers are too large for radians or metres, or radians were said to be degrees.
    """
    turns = np.array([name not in sliding for name in names], bool)
    for name, values in zip(np.array(names)[~turns], positions.T[~turns], strict=True):
        most = float(np.abs(values).max(initial=0.0))
        if most > _FARTHEST_M:
            raise expected(f"joints, {name}", "metres, for it slides", f"{most:g} in {path}", "are they millimetres?")
    telling = turns & np.array([name in limited for name in names], bool)
    angles = positions[:, telling if telling.any() else turns]
    if unit == "deg":
        _check_degrees(angles, path)
        return np.where(turns, np.radians(positions), positions)
    most = float(np.abs(angles).max(initial=0.0))
    if most > _LARGEST_RAD:
        raise expected("joints", "radians", f"{most:g} in {path}", 'if they are degrees, say "unit": "deg"')
    return positions


def _check_degrees(angles: F64, path: Path) -> None:
    """Refuses radians that were said to be degrees: no arm stays within six degrees of its zero in all pictures."""
    most = float(np.abs(angles).max(initial=0.0))
    moves = len(angles) >= _FEWEST_TO_TELL and np.ptp(angles, axis=0).max(initial=0.0) > 0.0
    if moves and most <= 2.0 * math.pi:
        cure = 'these look like radians: leave --joint-unit out, or say "unit": "rad"'
        raise expected("joints", "degrees", f"at most {most:.3g} in the {len(angles)} rows of {path}", cure)
