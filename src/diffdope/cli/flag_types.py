"""Words of a command line as numbers, paths and settings; what they cannot be is said in plain words.

The parser would show what Python says (`could not convert string to float`), take an empty word for the working
directory, and blame settings by the names of their fields.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import tyro
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from diffdope.cli.docstrings import texts_of_fields
from diffdope.errors import DiffDopeError

REGISTRY = ConstructorRegistry()
"""How the parser makes values of words; `levels.py` adds the levels of a search."""
_METAVARS: dict[type, str] = {float: "FLOAT", int: "INT", Path: "PATH"}


class SettingRefusedError(Exception):
    """A setting that its dataclass refuses: no ValueError, for the parser would blame the group of settings.

    Args:
        refusal: what the dataclass raised.
    """

    def __init__(self, refusal: DiffDopeError) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def refusals(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose refusals reach the caller of the parser as they are."""

    @functools.wraps(make, updated=())
    def made(*args: Any, **kwargs: Any) -> Any:
        try:
            return make(*args, **kwargs)
        except DiffDopeError as error:
            raise SettingRefusedError(error) from error

    return made


def parse(kind: Any, words: list[str], *, registry: ConstructorRegistry | None = None, **how: Any) -> Any:
    """What the parser of flags makes of the words of a command line.

    Args:
        kind: dataclass of the command's arguments.
        words: of the command line.
        registry: how values are made of words, in place of `REGISTRY`.
        how: as `tyro.cli` takes it.

    Raises:
        DiffDopeError: if a settings dataclass refuses a number.
        SystemExit: after what the parser complains about.
    """
    try:
        return tyro.cli(kind, args=words, registry=registry or REGISTRY, **how)
    except SettingRefusedError as error:
        raise error.refusal from None


def _number(kind: type, word: str) -> Any:
    try:
        return kind(word)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        raise ValueError(f"expected {wanted}, got {word or 'an empty word'}") from None


def _path(word: str) -> Path:
    if not word.strip():
        raise ValueError("expected a path, got an empty word: is a variable of the shell not set?")
    return Path(word)


_MAKERS: dict[type, Callable[[str], Any]] = {
    float: lambda word: _number(float, word),
    int: lambda word: _number(int, word),
    Path: _path,
}


def _of_words(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """A number or a path, one that may be left out, or as many as are given; other types are the parser's own."""
    parts = typing.get_args(info.type)
    if info.type_origin is tuple and len(parts) == 2 and parts[1] is Ellipsis and parts[0] in _MAKERS:
        make, metavar = _MAKERS[parts[0]], _METAVARS[parts[0]]
        return PrimitiveConstructorSpec(
            nargs="*",
            metavar=f"[{metavar} [{metavar} ...]]",
            instance_from_str=lambda words: tuple(map(make, words)),
            is_instance=lambda value: isinstance(value, tuple) and all(_is(parts[0], one) for one in value),
            str_from_instance=lambda values: [str(value) for value in values],
        )
    some = [one for one in parts or (info.type,) if one is not type(None)]
    if info.type_origin not in (None, typing.Union, types.UnionType) or len(some) != 1 or some[0] not in _MAKERS:
        return None
    kind, optional = some[0], len(parts) == 2
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=_METAVARS[kind],
        instance_from_str=lambda words: None if optional and words == ["None"] else _MAKERS[kind](words[0]),
        is_instance=lambda value: (optional and value is None) or _is(kind, value),
        str_from_instance=lambda value: [str(value)],
    )


def _of_names_or_number(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """One of a few words, or a number, which may be left out."""
    if info.type_origin not in (typing.Union, types.UnionType):
        return None
    parts = typing.get_args(info.type)
    names = next((typing.get_args(one) for one in parts if typing.get_origin(one) is typing.Literal), ())
    if not names or float not in parts or len(parts) != 2 + (type(None) in parts):
        return None

    def made(words: list[str]) -> Any:
        (word,) = words
        if word in names:
            return word
        try:
            return float(word)
        except ValueError:
            got = word or "an empty word"
            raise ValueError(f"expected one of {', '.join(names)}, or a number, got {got}") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=f"{{{','.join(names)}}}|FLOAT",
        instance_from_str=made,
        is_instance=lambda value: value in names or value is None or _is(float, value),
        str_from_instance=lambda value: [str(value)],
        choices=None,
    )


def _is(kind: type, value: Any) -> bool:
    return isinstance(value, (float, int) if kind is float else kind)


def _of_settings(info: StructTypeInfo) -> StructConstructorSpec | None:
    """Settings of the library, which check their numbers themselves."""
    kind = info.type
    if not (isinstance(kind, type) and is_dataclass(kind)) or kind.__module__.startswith("diffdope.cli."):
        return None
    if not kind.__module__.startswith("diffdope."):
        return None
    hints, texts = typing.get_type_hints(kind, include_extras=True), texts_of_fields(kind)

    def default(field: Any) -> Any:
        if isinstance(info.default, kind):
            return getattr(info.default, field.name)
        if field.default_factory is not MISSING:
            return field.default_factory()
        return tyro.MISSING if field.default is MISSING else field.default

    return StructConstructorSpec(
        instantiate=refusals(kind),
        fields=tuple(
            StructFieldSpec(field.name, hints[field.name], default(field), texts.get(field.name))
            for field in fields(kind)
            if field.init
        ),
    )


REGISTRY.primitive_rule(_of_words)
REGISTRY.primitive_rule(_of_names_or_number)
REGISTRY.struct_rule(_of_settings)
