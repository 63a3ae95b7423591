"""Settings classes whose fields are checked by their annotations, before and after their own rules."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import numpy as np

from diffdope.errors import LARGEST, MOST, check_choice, check_count, check_number, check_type, expected, is_number

C = TypeVar("C", bound=type)


def checked_fields(*, least: Mapping[str, float] | None = None) -> Callable[[C], C]:
    """Decorates a dataclass, below `@dataclass`: no value of another type gets in, and no number that is none.

    Types are checked before the class's own `__post_init__`, so that this may compare numbers, and NaN, infinity and
    numbers beyond `LARGEST` after it, so that its rules, which know more, word them. Numbers of numpy become Python's,
    and lists become tuples: settings are compared, hashed, stored as JSON and handed to compiled code.

    Args:
        least: by field, the least number, also of each number of a tuple.
    """
    bounds = dict(least or {})

    def decorate(cls: C) -> C:
        own: Callable[[Any], None] | None = getattr(cls, "__post_init__", None)

        def __post_init__(self: Any) -> None:
            """Checks types, then the class's own rules, then that numbers are finite."""
            _convert_fields(self)
            if own is not None:
                own(self)
            _check_numbers(self, bounds)

        cls.__post_init__ = __post_init__  # type: ignore[attr-defined]
        return cls

    return decorate


_KINDS: dict[type, dict[str, Any]] = {}


def _kinds(cls: type) -> dict[str, Any]:
    """What each field of a dataclass is annotated with; looked up once a class, for that takes long."""
    if cls not in _KINDS:
        hints = typing.get_type_hints(cls)
        _KINDS[cls] = {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    return _KINDS[cls]


def _convert_fields(settings: Any) -> None:
    values = vars(settings)
    for name, kind in _kinds(type(settings)).items():
        value = values[name]
        if type(value) is kind:  # as nearly always: levels make settings of settings
            continue
        converted = _converted(name, value, kind)
        if converted is not value:
            object.__setattr__(settings, name, converted)


def _converted(name: str, value: Any, kind: Any) -> Any:
    """The value as its annotation has it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        kinds = [one for one in arguments if one is not type(None)]
        return _converted(name, value, float if float in kinds and is_number(value) else kinds[0])
    if origin is tuple:
        if not isinstance(value, list | tuple | np.ndarray):
            raise expected(name, "a tuple", repr(value), f"give ({value},)" if is_number(value) else "")
        return tuple(_converted(f"{name}[{k}]", item, arguments[0]) for k, item in enumerate(value))
    if origin is typing.Literal:
        check_choice(name, value, arguments)
    elif kind is float:
        return float(value) if isinstance(value, float | np.floating) else check_number(name, value)
    elif kind is int:
        return check_count(name, value, least=-MOST, most=2**64 - 1)
    elif kind is bool:
        if not isinstance(value, bool | np.bool_):
            raise expected(name, "True or False", repr(value))
        return bool(value)
    elif isinstance(kind, type):
        check_type(name, value, kind)
    return value


S = TypeVar("S")


def replace_unchecked(record: S, **values: Any) -> S:
    """As `dataclasses.replace`, of values that the library has worked out: nothing is checked again.

    Of records of twenty fields it takes a third of the time, which a frame of a film feels.

    Args:
        record: of a dataclass, such as settings.
        values: of its fields.

    Raises:
        TypeError: if it has no field of a name.
    """
    kind: type = type(record)
    made: S = object.__new__(kind)
    before, names = vars(record), _names(kind)
    if not values.keys() <= names:
        raise TypeError(f"{kind.__name__} has no {', '.join(values.keys() - names)}")
    # Only fields are taken: what was worked out of them is no longer right.
    vars(made).update({name: before[name] for name in names}, **values)
    return made


@cache
def _names(cls: type) -> frozenset[str]:
    """Of the fields of a dataclass."""
    return frozenset(field.name for field in dataclasses.fields(cls))


def check_fields(settings: Any, least: Mapping[str, float]) -> None:
    """The same of an instance whose class must also take stand-ins, as the parser of flags makes them.

    Args:
        settings: of a dataclass.
        least: see `checked_fields`.

    Raises:
        DiffDopeError: naming the field.
    """
    _convert_fields(settings)
    _check_numbers(settings, least)


def _check_numbers(settings: Any, bounds: Mapping[str, float]) -> None:
    values = vars(settings)
    for name in _kinds(type(settings)):
        value = values[name]
        if type(value) is float and -LARGEST <= value <= LARGEST and name not in bounds:  # as nearly always
            continue
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float) and not abs(number) <= LARGEST:
                check_number(name, number)
            elif type(number) is int:
                check_count(name, number, least=-MOST, most=2**64 - 1 if name == "seed" else MOST)
            if name in bounds and number is not None and not number >= bounds[name]:
                raise expected(name, f"at least {bounds[name]:g}", number)
