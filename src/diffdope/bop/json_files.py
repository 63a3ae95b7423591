"""JSON as BOP has it; whatever is wrong with it is told with file and key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.pose import Pose


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DiffDopeError: if it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DiffDopeError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise expected(str(path), "JSON", str(error)) from error


def read_object(path: Path) -> dict[str, Any]:
    """The content of a file that holds a JSON object."""
    data = read_json(path)
    if not isinstance(data, dict):
        raise expected(str(path), "a JSON object", type(data).__name__)
    return data


def read_numbered(path: Path) -> dict[int, Any]:
    """The content of a file that holds a JSON object whose keys are numbers of images or objects."""
    try:
        return {int(key): value for key, value in read_object(path).items()}
    except ValueError as error:
        raise expected(str(path), "keys that are numbers", str(error)) from error


def entry_of(entries: Mapping[int, Any], key: int, path: Path, what: str) -> Any:
    """One entry of a numbered file."""
    if key not in entries:
        raise expected(f"{path}, key {key}", f"an entry for {what} {key}", f"{len(entries)} others")
    return entries[key]


def field_of(entry: Any, name: str, where: str) -> Any:
    """One field of a JSON object; `where` names file and key for the error."""
    if not isinstance(entry, dict):
        raise expected(where, f"a JSON object with {name}", type(entry).__name__)
    if name not in entry:
        raise expected(where, f"the key {name}", f"keys {', '.join(map(str, entry)) or 'none'}")
    return entry[name]


def integer_field(entry: Any, name: str, where: str) -> int:
    """One whole number of a JSON object."""
    value = field_of(entry, name, where)
    if isinstance(value, bool) or not str(value).strip().lstrip("-").isdigit():
        raise expected(f"{where}, {name}", "a whole number", repr(value))
    return int(value)


def pose_of(entry: Any, where: str) -> Pose:
    """The pose of an entry with cam_R_m2c (9 numbers, row-major) and cam_t_m2c (3, millimetres)."""
    R, t = field_of(entry, "cam_R_m2c", where), field_of(entry, "cam_t_m2c", where)
    try:
        return Pose.from_bop(R, t)
    except DiffDopeError as error:
        raise DiffDopeError(f"{where}: {error}") from error
