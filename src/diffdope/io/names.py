"""Names of frames: their order, and the time that their numbers tell."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

from diffdope.io.numbers import DIGITS

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
_DIGITS = re.compile(rf"({DIGITS})")


def counted(names: Iterable[str]) -> list[str]:
    """The names as people count: 2 before 10.

    Names that differ in one number only, which may be a decimal (timestamps, whose last zeros tools leave out), come in
    its order; others by all their whole numbers and the text between them.
    """
    names = list(names)
    numbers = _numbers(names)
    if numbers is not None:
        return [name for _, name in sorted(zip(numbers, names, strict=True))]
    return sorted(names, key=lambda name: (_parts(name), name))


def times_of(names: Sequence[str], fps: float) -> list[float]:
    """Seconds from the first frame, of names in the order of `counted`.

    Args:
        names: without ending.
        fps: frames a second: the median step of the numbers takes 1 / fps seconds.

    Returns:
        One for each; evenly spaced where the names hold no number that counts.
    """
    numbers = _numbers(names)
    if numbers is None or len(names) < 2:
        return [k / fps for k in range(len(names))]
    step = statistics.median_low([b - a for a, b in pairwise(numbers)])
    return [float((number - numbers[0]) / step) / fps for number in numbers]


def _numbers(names: Sequence[str]) -> list[Decimal] | None:
    """The one number by which the names differ; None where there is no such number."""
    for pattern in (_NUMBER, _DIGITS):
        split = [pattern.split(name) for name in names]
        if not split or any(len(parts) != len(split[0]) for parts in split):
            continue
        differing = [k for k in range(len(split[0])) if any(parts[k] != split[0][k] for parts in split)]
        if len(differing) == 1 and differing[0] % 2 == 1:
            numbers = [Decimal(parts[differing[0]]) for parts in split]
            if len(set(numbers)) == len(numbers):
                return numbers
    return None


def _parts(name: str) -> list[tuple[int, int | str]]:
    """Comparable pieces of a name: numbers come before text."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in _DIGITS.split(name) if part]
