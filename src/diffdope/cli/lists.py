"""Lists as words of a command line."""

from __future__ import annotations

from diffdope.errors import expected

_MOST = 10**6  # numbers of a range: no data set has as many scenes, images or objects


def numbers_of(name: str, text: str | None) -> tuple[int, ...] | None:
    """Numbers from "1,3,5-8"; None stays None.

    Raises:
        DiffDopeError: if it is something else.
    """
    if text is None:
        return None
    try:
        bounds = [[int(word) for word in part.split("-")] for part in text.split(",")]
    except ValueError as error:
        raise expected(name, "numbers such as 1,3,5-8", repr(text)) from error
    if any(len(pair) > 2 or pair[0] > pair[-1] or pair[-1] - pair[0] >= _MOST for pair in bounds):
        raise expected(name, f"ranges such as 5-8, of at most {_MOST} numbers", repr(text))
    return tuple(dict.fromkeys(n for pair in bounds for n in range(pair[0], pair[-1] + 1)))


def names_of(text: str) -> tuple[str, ...]:
    """Names from "models,models_eval"."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
