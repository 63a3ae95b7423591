"""Reading JSON files; whatever is wrong with one is told with file and key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffdope.error_kinds import unknown_keys
from diffdope.errors import expected, refused
from diffdope.io.files import unreadable
from diffdope.io.numbers import is_whole

_SHOWN = 60  # characters of a line that an error shows
_PLAIN = (str, int, float, bool, type(None))


def read_text(path: Path, name: str) -> str:
    """The text of a file in UTF-8, with or without a byte order mark.

    Args:
        path: the file.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it cannot be read or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(name, f"cannot read {path}: not a text file") from error
    except (OSError, ValueError) as error:  # the latter of a zero in its name
        raise unreadable(path, name, error) from error


def read_json(path: Path, name: str | None = None) -> Any:
    """The content of a JSON file.

    Args:
        path: the file.
        name: the argument to blame; None for the file itself.

    Raises:
        DiffDopeError: if it cannot be read or is no JSON.
    """
    return parse_json(read_text(path, name or "file"), name or str(path), f"JSON in {path}" if name else "JSON")


def parse_json(text: str, name: str, wanted: str) -> Any:
    """The value of a JSON text.

    Args:
        text: of a file.
        name: the argument to blame.
        wanted: what is expected, for the message.

    Raises:
        DiffDopeError: if it is none: that it is empty, was cut off, or where it goes wrong; or if a key of an object
            stands there twice, with two values.
    """
    try:
        return json.loads(text, object_pairs_hook=without_contradictions)
    except json.JSONDecodeError as error:
        raise expected(name, wanted, _mistake_in(text, error)) from error
    except (ValueError, RecursionError) as error:
        raise expected(name, wanted, str(error)) from error


def without_contradictions(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    """A mapping of names and values, none of which has two: a reader would take the last one without a word.

    Lists and mappings are not compared, for in YAML's aliases they may be of any size.

    Args:
        pairs: in the order of the file.

    Raises:
        ValueError: naming the key.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: dict[Any, Any] = {}
        for key, value in pairs:
            if key in seen and not (isinstance(value, _PLAIN) and seen[key] == value):
                values = [repr(one)[:_SHOWN] if isinstance(one, _PLAIN) else "others" for one in (seen[key], value)]
                raise ValueError(f"the key {key!r} twice, with {values[0]} and with {values[1]}")
            seen[key] = value
    return found


def _mistake_in(text: str, error: json.JSONDecodeError) -> str:
    """What is wrong with a JSON text, in words."""
    if not text.strip():
        return "an empty file"
    lines = text.split("\n")  # as json counts them
    line = lines[error.lineno - 1].strip()[:_SHOWN] if error.lineno <= len(lines) else ""
    cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    if cut and text.lstrip()[0] in '{["':
        return f"a file that was cut off in line {error.lineno}" + (f", {line!r}" if line else "")
    return f"{error.msg} in line {error.lineno}, column {error.colno}: {line!r}"


def read_object(path: Path, name: str | None = None) -> dict[str, Any]:
    """The content of a file that holds a JSON object; see `read_json`."""
    data = read_json(path, name)
    if not isinstance(data, dict):
        raise expected(name or str(path), f"a JSON object in {path}" if name else "a JSON object", type(data).__name__)
    return data


def read_numbered(path: Path) -> dict[int, Any]:
    """The content of a file that holds a JSON object whose keys are numbers of images or objects."""
    entries = read_object(path)
    try:
        return {int(key): value for key, value in entries.items()}
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
        raise unknown_keys(where, f"the key {name}", entry)
    return entry[name]


def integer_field(entry: Any, name: str, where: str) -> int:
    """One whole number of a JSON object."""
    value = field_of(entry, name, where)
    if isinstance(value, bool) or not is_whole(str(value).strip().lstrip("-")):
        raise expected(f"{where}, {name}", "a whole number", repr(value))
    return int(value)
