"""Numbers in text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected

_DIGITS = 999  # of a number that is read: Python refuses more than 4300
DIGITS = rf"\d{{1,{_DIGITS}}}"
"""In a regular expression, a whole number that `int` reads."""


def is_number(word: str) -> bool:
    """Whether `float` reads a word."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def is_whole(word: str) -> bool:
    """Whether a word is of digits alone, and `int` reads it."""
    return word.isdecimal() and len(word) <= _DIGITS


_WITH_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")


def check_decimal_points(name: str, lines: Iterable[str]) -> None:
    """Refuses rows of numbers with decimal commas, which would be twice as many numbers where commas part them.

    Args:
        name: the argument to blame.
        lines: rows, parted by blanks or semicolons; a first word may be something else.

    Raises:
        DiffDopeError: naming the first number of such a row.
    """
    for line in lines:
        words = re.split(r"[;\s]+", line.strip("[]; \t"))
        commas = [word for word in words if _WITH_COMMA.fullmatch(word)]
        if len(commas) >= 2 and len(commas) >= len(words) - 1:
            raise expected(name, "decimals with points", f"{commas[0]!r}", "decimal commas are not read: write points")


def numbers_in(name: str, text: str | bytes) -> NDArray[np.float64]:
    """The numbers between white space.

    Args:
        name: the argument to blame.
        text: any number of lines.

    Raises:
        DiffDopeError: if there is anything else.
    """
    if not text.strip():  # of which numpy makes -1
        return np.empty(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # numpy warns of what it could not read, and stops there
        try:
            return np.fromstring(text, np.float64, sep=" ")
        except (ValueError, DeprecationWarning):
            pass
    words = text.split()
    for word in words:
        try:
            float(word)
        except ValueError as error:
            raise expected(name, "a number", f"{word!r}", "the file is damaged") from error
    return np.array(words, np.float64)
