"""The exceptions that users meet, and checks that word it: argument, expected, got, cure."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LONGEST = 1000  # letters of a part of a message: 50 names of links fit in; a damaged file may have a million
LARGEST = 1e12  # of a number that is given: float32, in which kernels work, holds the products of several of them
MOST = 2**31 - 1  # of a count: what an int32 holds


class DiffDopeError(ValueError):
    """A mistake in what was given to the library; it names the argument, what was expected and what came.

    Attributes:
        argument: the name that the message begins with, as Python has it, so that a front end can put its own word for
            it there; of several, their names with commas. Empty where the message names none.
        place: what stands before that name, where it is of one of several things: "view 1: ".
    """

    argument: str = ""
    place: str = ""


def expected(
    name: str, expectation: str, got: object, cure: str = "", *, kind: type[DiffDopeError] = DiffDopeError
) -> DiffDopeError:
    """An error worded as all are: "depth: expected shape (480, 640), got (2, 480, 640); <cure>"."""
    text = f"expected {_shortened(expectation)}, got {_shortened(str(got))}"
    return refused(name, f"{text}; {cure}" if cure else text, kind)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ... ({len(text)} letters)"


def none_at(name: str, kind: str, path: object) -> DiffDopeError:
    """An error of a path at which there is nothing: "rgb: expected an image file, but there is none at rgb.png"."""
    return refused(name, f"expected {kind}, but there is none at {path}")


def not_installed(
    name: str, package: str, extra: str, *, otherwise: str = "", kind: type[DiffDopeError] = DiffDopeError
) -> DiffDopeError:
    """An error of an optional package: "film: expected PyAV, got none; pip install "diffdope[video]", <otherwise>"."""
    cure = f'pip install "diffdope[{extra}]"' + (f", {otherwise}" if otherwise else "")
    return expected(name, package, "none", cure, kind=kind)


def refused(name: str, why: str, kind: type[DiffDopeError] = DiffDopeError) -> DiffDopeError:
    """An error of an argument for which nothing in particular was expected: "mesh: the file was cut off"."""
    error = kind(f"{name}: {why}")
    error.argument = name
    return error


def placed(place: str, error: DiffDopeError) -> DiffDopeError:
    """An error of one of several things, which says of which: "view 1: " before "rgb: expected ..."."""
    return _like(error, f"{place}{error}", place + error.place)


def told_more(error: DiffDopeError, text: str) -> DiffDopeError:
    """The same error, with more text at its end, such as the file that it is about."""
    return _like(error, f"{error}{text}", error.place)


def _like(error: DiffDopeError, text: str, place: str) -> DiffDopeError:
    other = type(error)(text)
    vars(other).update(vars(error), place=place)
    return other


def check_shape(name: str, array: NDArray[Any], shape: Sequence[int | None], *, cure: str = "") -> None:
    """Refuses an array of another shape; None in `shape` stands for any length.

    Raises:
        DiffDopeError: if the shapes differ.
    """
    have = array.shape
    if have == shape:  # as nearly always
        return
    fits = len(have) == len(shape) and all(w is None or w == h for w, h in zip(shape, have, strict=True))
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
    if isinstance(value, str) and value in choices:
        return
    close = difflib.get_close_matches(str(value), list(choices), n=1)
    cure = f"did you mean {close[0]}?" if close else ""
    raise expected(name, f"one of {', '.join(choices)}", repr(value), cure)


def is_number(value: object) -> bool:
    """Whether it is a real number; truth values and texts are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_number(name: str, value: Any, expectation: str = "a finite number") -> float:
    """The number as a float; arrays of a single number and no axis will do.

    Args:
        name: of the argument.
        value: what came.
        expectation: what is expected, for the message.

    Raises:
        DiffDopeError: if it is no number, NaN, infinite, or beyond `LARGEST`.
    """
    if type(value) is float and -LARGEST <= value <= LARGEST:  # as nearly always: levels make settings of settings
        return value
    number = value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
    if not is_number(number):
        raise expected(name, expectation, repr(value), _without_quotes(value))
    if not abs(number) <= LARGEST:
        too_large = LARGEST < abs(number) < math.inf
        raise expected(name, f"{expectation} up to {LARGEST:g}" if too_large else expectation, number)
    return float(number)


def check_count(name: str, value: Any, *, least: int = 1, most: int = MOST, expectation: str = "") -> int:
    """The whole number as an int.

    Args:
        name: of the argument.
        value: what came.
        least: that is accepted.
        most: that is accepted.
        expectation: what is expected, for the message; made of the bounds if not given.

    Raises:
        DiffDopeError: if it is no whole number, or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        whole = is_number(value) and math.isfinite(value) and float(value).is_integer()
        cure = f"give {int(value)}" if whole else _without_quotes(value)
        raise expected(name, expectation or f"a whole number, at least {least}", repr(value), cure)
    if not least <= value <= most:
        raise expected(name, expectation or (f"at least {least}" if value < least else f"at most {most}"), value)
    return int(value)


def check_seed(name: str, value: Any) -> int:
    """The seed of a random generator as an int.

    Raises:
        DiffDopeError: if it is no whole number, or below 0.
    """
    return check_count(name, value, least=0, most=2**64 - 1)


def check_threads(value: Any) -> int | None:
    """A number of threads, or None for the library setting.

    Raises:
        DiffDopeError: if it is neither None nor a whole number above 0.
    """
    if value is None:
        return None
    return check_count("threads", value, most=2**63 - 1, expectation="a positive integer or None")


def check_type(name: str, value: object, kind: type, *, cure: str = "") -> None:
    """Refuses a value of another type.

    Raises:
        DiffDopeError: naming both types.
    """
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise expected(name, f"{article} {kind.__name__}", type(value).__name__, cure)


def check_path(name: str, value: object) -> None:
    """Refuses what names no file.

    Raises:
        DiffDopeError: if it is neither a text nor a path.
    """
    if not isinstance(value, str | os.PathLike):
        raise expected(name, "the path of a file", repr(value))


def check_positive(name: str, value: float) -> None:
    """Refuses zero, negative numbers, NaN and infinity.

    Raises:
        DiffDopeError: if `value` is not a positive finite number.
    """
    if not check_number(name, value, "a positive number") > 0:
        raise expected(name, "a positive number", value)


def check_at_least_zero(settings: object, *names: str) -> None:
    """Refuses numbers below 0, NaN, infinity and what is no number.

    Raises:
        DiffDopeError: naming the setting.
    """
    _check_bound(settings, names, "a number >= 0", lambda number: number >= 0.0)


def check_above_zero(settings: object, *names: str) -> None:
    """Refuses numbers that are not above 0, NaN, infinity and what is no number.

    Raises:
        DiffDopeError: naming the setting.
    """
    _check_bound(settings, names, "a number > 0", lambda number: number > 0.0)


def _check_bound(settings: object, names: Iterable[str], wanted: str, within: Callable[[float], bool]) -> None:
    for name in names:
        value = getattr(settings, name)
        if not within(check_number(name, value, wanted)):
            raise expected(name, wanted, value)


def some_of(values: Iterable[object], most: int = 8) -> str:
    """The first of several values, for a message: "1, 2, 3, ... (17)"; "none" of none."""
    texts = [str(value) for value in values]
    more = f", ... ({len(texts)})" if len(texts) > most else ""
    return (", ".join(texts[:most]) or "none") + more


def as_floats(name: str, values: Any) -> NDArray[np.float64]:
    """A float64 copy of anything array-like.

    Raises:
        DiffDopeError: if it cannot be read as numbers.
    """
    try:
        array = as_array(name, values)
        if array.dtype.kind in "USMmc":  # numpy would make numbers of texts and dates, and drop imaginary parts
            raise expected(name, "an array of numbers", type(values).__name__, f"it holds {array.dtype}")
        return np.array(array, dtype=np.float64)
    except DiffDopeError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise expected(name, "an array of numbers", type(values).__name__, str(error)) from error


def as_array(name: str, values: Any, *, masked: float | None = None) -> NDArray[Any]:
    """Anything array-like as an array, of its own type.

    Args:
        name: of the argument.
        values: what came.
        masked: what stands for the numbers that a `numpy.ma.MaskedArray` masks; None to refuse them.

    Raises:
        DiffDopeError: if its rows differ in length, or numbers are masked.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):  # np.asarray would give what is behind
        if masked is None:
            count = np.count_nonzero(np.ma.getmaskarray(values))
            cure = f"{name}.filled(...) says what they are"
            raise expected(name, "an array of numbers", f"one of which {count} are masked", cure)
        return np.asarray(values.filled(masked))
    try:
        return np.asarray(values)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:  # the last is torch's
        raise expected(name, "an array of numbers", type(values).__name__, str(error)) from error


def _without_quotes(value: object) -> str:
    """The cure for a number that came as text, or as a truth value."""
    if isinstance(value, bool | np.bool_):
        return "give a number instead of a truth value"
    try:
        float(value) if isinstance(value, str) else None
    except ValueError:
        return ""
    return "give the number itself, not its text" if isinstance(value, str) else ""
