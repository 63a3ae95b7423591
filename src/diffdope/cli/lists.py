"""Lists and names as words of a command line."""

from __future__ import annotations

import re

from diffdope.errors import expected

_MOST = 10**6  # numbers of a range: no data set has as many scenes, images or objects
# What is one word here is several in other tools: the option, how its words are joined, and how many there are.
_JOINED = {
    "--box": (",", 4), "--extrinsics-sigma": (",", 2), "--camera-size": ("x", 2),
    "--scenes": (",", None), "--images": (",", None), "--objects": (",", None),
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_NUMBERS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*,?")


def joined(words: list[str]) -> list[str]:
    """The words of a command line, with lists that are several words in other tools as one.

    `--box 10 20 30 40` is `--box 10,20,30,40`, `--objects 22 11 3` is `--objects 22,11,3`.
    """
    found: list[str] = []
    for word in words:
        sign, count = _JOINED.get(found[-2], ("", 0)) if len(found) > 1 else ("", 0)
        pattern = _NUMBERS if count is None else _NUMBER
        parts = found[-1].split(sign) if sign else []
        fits = bool(parts) and all(map(pattern.fullmatch, (*filter(None, parts), word)))
        if fits and (count is None or len(parts) < count):
            found[-1] = f"{found[-1].rstrip(sign)}{sign}{word}"
        else:
            found.append(word)
    return found


def flag_of(name: str) -> str:
    """An option's name on the command line, of a field's, without the two dashes."""
    return name.replace("_", "-")


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
