"""Options that are given several times: lists go on, and of two different files none is left out without a word."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from diffdope.cli.lists import flag_of
from diffdope.errors import expected


def gathered(kind: type, words: Sequence[str]) -> list[str]:
    """The words of a command line, with each list once: `--rgb a --rgb b` is `--rgb a b`.

    The parser of flags would take the last of them, and drop the others.

    Args:
        kind: dataclass of the command's arguments.
        words: of the command line.

    Raises:
        DiffDopeError: for two different files, numbers of what is meant, or boxes, of an option that takes one. Of
            other numbers the last counts, as everywhere: an alias may hold the usual ones.
    """
    known = typing.get_type_hints(kind)
    hints = {f"--{flag_of(one.name)}": known[one.name] for one in fields(kind)}
    single = {flag for flag, hint in hints.items() if _is_path(hint) or flag.endswith("-id") or flag == "--box"}
    parts = _parted(words)
    flags = [_named(part[0]) for part in parts]
    found: list[list[str]] = []
    place: dict[str, int] = {}
    for flag, part in zip(flags, parts, strict=True):
        hint = hints.get(flag)
        if flags.count(flag) == 1 or not (_is_list(hint) or flag in single):
            found.append(part)
        elif flag not in place:
            place[flag] = len(found)
            found.append([flag, *_values(part)])
        elif _is_list(hint):
            found[place[flag]] += _values(part)
        elif (first := found[place[flag]][1:2]) == (again := _values(part)[:1]):
            found.append(_values(part)[1:])  # words of no option may follow
        elif "" in again:  # which the parser refuses
            found.append(part)
        else:
            raise expected(flag, "to be given once", " and ".join([*first, *again]), "leave one of them out")
    return [word for part in found for word in part]


def _named(word: str) -> str:
    """The option that a word begins with; the word itself where it is none."""
    return flag_of(word.partition("=")[0]) if word.startswith("--") else word


def _parted(words: Sequence[str]) -> list[list[str]]:
    """Each option with the words after it; what comes before the first stands alone."""
    parts: list[list[str]] = []
    for word in words:
        if word.startswith("--") or not parts or not parts[-1][0].startswith("--"):
            parts.append([word])
        else:
            parts[-1].append(word)
    return parts


def _values(part: Sequence[str]) -> list[str]:
    value = part[0].partition("=")
    return [*([value[2]] if value[1] else []), *part[1:]]


def _is_list(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple and typing.get_args(hint)[-1] is Ellipsis


def _is_path(hint: Any) -> bool:
    optional = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return hint is Path or (optional and set(typing.get_args(hint)) == {Path, types.NoneType})
