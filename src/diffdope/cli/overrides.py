"""Settings of a preset from YAML: nested names, checked one by one."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar, cast

from diffdope.cli.levels import PyramidLists
from diffdope.cli.renamed import current_settings
from diffdope.errors import DiffDopeError, check_choice, expected
from diffdope.io.json_files import read_text
from diffdope.io.yaml_files import parse_yaml
from diffdope.search.levels import PyramidSettings

T = TypeVar("T")
_OPTIONS = ("preset", "seed", "mesh", "unit", "camera", "rgb", "depth", "mask", "init", "out", "depth_scale")


def read_settings(path: Path, base: T) -> T:
    """The preset `base` with what a YAML file changes; of a result.json, with the settings that it was made with.

    Raises:
        DiffDopeError: if the file is not YAML, names something that does not exist, or gives it a wrong type.
    """
    documents = parse_yaml(read_text(path, "settings"), path, "settings")
    if not documents:
        return base
    data = documents[0] if len(documents) == 1 else documents
    where = f"settings file {path}"
    if isinstance(data, dict) and "diffdope_version" in data and isinstance(data.get("settings"), dict):
        data, where = data["settings"], f"{where}: settings"
    return override(base, current_settings(data, where) if isinstance(data, dict) else data, where)


def override(base: T, data: Any, where: str) -> T:
    """A frozen dataclass with some fields replaced, recursively."""
    if not isinstance(data, dict):
        raise expected(where, "names and values", repr(data))
    if isinstance(base, PyramidSettings) and "levels" not in data:
        return cast("T", _pyramid(base, data, where))
    types = typing.get_type_hints(type(base))
    names = [field.name for field in dataclasses.fields(base)]  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for key, value in data.items():
        name = str(key).replace("-", "_")
        _check_name(f"{where}: setting", name, names)
        current = getattr(base, name)
        if dataclasses.is_dataclass(current):
            changes[name] = override(current, value, f"{where}: {name}")
        else:
            changes[name] = _converted(f"{where}: {name}", value, types[name])
    return dataclasses.replace(base, **changes)  # type: ignore[type-var]


def _check_name(where: str, name: str, names: Collection[str]) -> None:
    """Refuses what is no setting, and tells options and flags that are written as one how they are given."""
    first, _, rest = name.partition(".")
    if rest and first in names:
        nested = f"{first}: {{{': {'.join(rest.split('.'))}: ...{'}' * rest.count('.')}}}"
        raise expected(where, f"one of {', '.join(names)}", repr(name), f"nest the names: {nested}")
    if name in _OPTIONS and name not in names:
        cure = f"it is an option of the command: --{name.replace('_', '-')}"
        raise expected(where, f"one of {', '.join(names)}", repr(name), cure)
    check_choice(where, name, names)


def _pyramid(base: PyramidSettings, data: dict[Any, Any], where: str) -> PyramidSettings:
    """A search with some of its lists, of one number a level, replaced."""
    lists = override(PyramidLists.of(base), data, where)
    try:
        return lists.pyramid()
    except DiffDopeError as error:
        raise DiffDopeError(f"{where}: {error}") from error


def _record(name: str, value: Any, kind: Any) -> Any:
    """A dataclass of its fields, of which those without a default are needed."""
    if not isinstance(value, dict):
        raise expected(name, "names and values", repr(value))
    given = {str(key).replace("-", "_"): item for key, item in value.items()}
    types, fields = typing.get_type_hints(kind), dataclasses.fields(kind)
    for key in given:
        check_choice(f"{name}: setting", key, [field.name for field in fields])
    missing = [f.name for f in fields if f.default is dataclasses.MISSING and f.name not in given]
    if missing:
        raise expected(name, " and ".join(missing), ", ".join(given) or "nothing")
    values = {key: _converted(f"{name}: {key}", item, types[key]) for key, item in given.items()}
    try:
        return kind(**values)
    except DiffDopeError as error:
        raise DiffDopeError(f"{name}: {error}") from error


def _converted(name: str, value: Any, kind: Any) -> Any:
    """A value of the wanted type, lists item by item; YAML reads 1e-3 as text, so text that is a number will do."""
    if dataclasses.is_dataclass(kind):
        return _record(name, value, kind)
    if kind is float or kind is int:
        try:
            number = float(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is None or (kind is int and not number.is_integer()):  # which infinity and NaN are not, either
            raise expected(name, "a number" if kind is float else "a whole number", repr(value))
        return kind(number)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise expected(name, "a list", repr(value))
        return tuple(_converted(f"{name}[{k}]", item, typing.get_args(kind)[0]) for k, item in enumerate(value))
    if typing.get_origin(kind) is typing.Literal:
        check_choice(name, str(value), typing.get_args(kind))
        return value
    if not isinstance(value, kind):
        raise expected(name, kind.__name__, repr(value))
    return value
