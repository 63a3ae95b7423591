"""The exceptions that users meet, and checks that word it: argument, expected, got, cure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class DiffDopeError(ValueError):
    """A mistake in what was given to the library; it names the argument, what was expected and what came."""


class NothingToCompareError(DiffDopeError):
    """Mesh and observation have nothing in common: no colours for the photograph, no depth, no mask."""


def expected(name: str, expectation: str, got: object, cure: str = "") -> DiffDopeError:
    """An error worded as all are: "depth: expected shape (480, 640), got (2, 480, 640); <cure>"."""
    text = f"{name}: expected {expectation}, got {got}"
    return DiffDopeError(f"{text}; {cure}" if cure else text)


def check_shape(name: str, array: NDArray[Any], shape: Sequence[int | None], *, cure: str = "") -> None:
    """Refuses an array of another shape; None in `shape` stands for any length.

    Raises:
        DiffDopeError: if the shapes differ.
    """
    fits = len(array.shape) == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "")
        raise expected(name, f"shape ({wanted})", array.shape, cure)


def check_finite(name: str, array: NDArray[Any], *, cure: str = "") -> None:
    """Refuses NaN and infinity.

    Raises:
        DiffDopeError: with the number of offending values.
    """
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(array.size - np.count_nonzero(np.isfinite(array)))
        raise expected(name, "finite numbers", f"{bad} of {array.size} NaN or infinite", cure)


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Refuses a word that is not among `choices`, and guesses which one was meant.

    Raises:
        DiffDopeError: if `value` is none of them.
    """
    if value in choices:
        return
    close = difflib.get_close_matches(str(value), list(choices), n=1)
    cure = f"did you mean {close[0]}?" if close else ""
    raise expected(name, f"one of {', '.join(choices)}", repr(value), cure)


def check_positive(name: str, value: float) -> None:
    """Refuses zero, negative numbers, NaN and infinity.

    Raises:
        DiffDopeError: if `value` is not a positive finite number.
    """
    if not (np.isfinite(value) and value > 0):
        raise expected(name, "a positive number", value)


def check_at_least_zero(settings: object, *names: str) -> None:
    """Refuses numbers below 0.

    Raises:
        DiffDopeError: naming the setting.
    """
    for name in names:
        if not getattr(settings, name) >= 0.0:
            raise DiffDopeError(f"{name}: expected a number >= 0, got {getattr(settings, name)}")


def check_above_zero(settings: object, *names: str) -> None:
    """Refuses numbers that are not above 0.

    Raises:
        DiffDopeError: naming the setting.
    """
    for name in names:
        if not getattr(settings, name) > 0.0:
            raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(settings, name)}")


def as_floats(name: str, values: Any) -> NDArray[np.float64]:
    """A float64 copy of anything array-like.

    Raises:
        DiffDopeError: if it cannot be read as numbers.
    """
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise expected(name, "an array of numbers", type(values).__name__, str(error)) from error
