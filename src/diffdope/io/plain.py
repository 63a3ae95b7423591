"""Values of Python as JSON can hold them, and back: dataclasses, poses, arrays, tuples, enumerations, NaN, infinity.

JSON has no NaN and no infinity. Here, and nowhere else, they become the words "nan", "inf" and "-inf", which `float`
reads back.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from diffdope.error_kinds import unknown_keys
from diffdope.errors import DiffDopeError, expected, refused
from diffdope.geometry.pose import Pose
from diffdope.io.poses import pose_entry, pose_of

Plain = Any
"""None, bool, int, finite float, str, and lists and dicts (with str keys) of these."""


def to_plain(value: Any) -> Plain:
    """The value as JSON can hold it.

    Raises:
        DiffDopeError: if it holds something of another kind.
    """
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, str):
        return str(value)  # a note is a str of its own kind
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, (np.ndarray, np.generic)):
        return to_plain(value.tolist())
    if isinstance(value, Pose):
        return pose_entry(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(part) for part in value]
    if isinstance(value, Path):
        return str(value)
    raise expected("value", "what JSON can hold", type(value).__name__)


def from_plain(kind: Any, entry: Plain, where: str) -> Any:
    """The value of a type that `to_plain` was given.

    Args:
        kind: the type, as annotations write it; fields that a dataclass gives a default may be missing in `entry`, and
            what it has no field for is passed over.
        entry: as it came from JSON.
        where: file and key, for the error.

    Raises:
        DiffDopeError: if the entry cannot be that.
    """
    try:
        return _decoded(kind, entry, where)
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
        if isinstance(error, DiffDopeError):
            raise
        raise expected(where, getattr(kind, "__name__", str(kind)), repr(entry)[:60], str(error)) from error


def _decoded(kind: Any, entry: Plain, where: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if entry is None and type(None) in parts:
            return None
        (kind,) = (part for part in parts if part is not type(None))
        return from_plain(kind, entry, where)
    if origin is np.ndarray:
        (number,) = get_args(parts[1])
        return np.array(entry, dtype=number)
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(from_plain(parts[0], part, f"{where}[{k}]") for k, part in enumerate(_listed(entry)))
    if origin is tuple:
        pairs = zip(parts, _listed(entry), strict=True)
        return tuple(from_plain(part, value, f"{where}[{k}]") for k, (part, value) in enumerate(pairs))
    if origin is dict:
        return {key: from_plain(parts[1], value, f"{where}.{key}") for key, value in entry.items()}
    if kind is Pose:
        return pose_of(entry, where)
    if is_dataclass(kind):
        return _dataclass(kind, entry, where)
    if kind in (int, str, bool) and type(entry) is not kind:
        raise expected(where, kind.__name__, repr(entry))
    return kind(entry)


def _listed(entry: Plain) -> list[Any]:
    if not isinstance(entry, list):
        raise TypeError("no list")
    return entry


def _dataclass(kind: Any, entry: Plain, where: str) -> Any:
    values = {}
    for name, (part, required) in fields_of(kind).items():
        if name in entry:
            values[name] = from_plain(part, entry[name], f"{where}, {name}")
        elif required:
            raise unknown_keys(where, f"the key {name}", entry)
    try:
        return kind(**values)
    except DiffDopeError as error:
        raise refused(where, str(error)) from error


def fields_of(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Of each field of a dataclass that its constructor takes: the type, and whether it has to be given."""
    hints = get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
        if field.init
    }
