"""The text of a journal: a header line, then a line for each record.

    {"journal": 1, "complete": false, ...header}
    {"key": "000001/000003/000007", ...record}

A line that a crash cut short is the last one, and is dropped; anything else that cannot be read is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError, expected
from diffdope.jobs.canonical import canonical

VERSION = 1
_BEGIN = f'{{"journal": {VERSION}, '.encode()
_BEGINS = re.compile(rb'\{"journal": \d+, ')  # of any version


@dataclass(frozen=True)
class Contents:
    """What a journal holds.

    Attributes:
        header: settings of the run; None if the file breaks off within its first line.
        records: by key, in the order of the file.
        complete: whether the run came to its end.
        size: bytes up to the end of the last good line, without its line break.
    """

    header: dict[str, Any] | None
    records: dict[str, dict[str, Any]]
    complete: bool
    size: int


def header_line(header: Mapping[str, Any], *, complete: bool) -> str:
    """The first line."""
    rest = canonical(header)[1:]
    return f'{{"journal": {VERSION}, "complete": {json.dumps(complete)}{", " if header else ""}{rest}\n'


def record_line(key: str, record: Mapping[str, Any]) -> str:
    """The line of one record.

    Raises:
        DiffDopeError: if the record has a field "key" of its own.
        TypeError, ValueError: if JSON cannot hold it.
    """
    if "key" in record:
        raise expected(f"record of {key}", "no field named key", "one")
    rest = canonical(record)[1:]
    return f'{{"key": {json.dumps(key)}{", " if record else ""}{rest}\n'


def journal_text(
    header: Mapping[str, Any], records: Iterable[tuple[str, Mapping[str, Any]]], *, complete: bool = True
) -> str:
    """A whole journal."""
    return header_line(header, complete=complete) + "".join(record_line(key, record) for key, record in records)


def parse(data: bytes, path: Path) -> Contents:
    """Reads the bytes of a journal.

    Raises:
        DiffDopeError: naming `path` and the line, if it is no journal, or is damaged elsewhere than at its end.
    """
    lines = data.removesuffix(b"\n").split(b"\n")
    header = _object(lines[0])
    if header is None and len(lines) == 1:
        check_ours(data, path)
        return Contents(None, {}, False, 0)
    _check_version(header, path)
    if header is None or header.pop("journal", None) != VERSION or not isinstance(header.get("complete"), bool):
        raise expected(
            f"{path}, line 1", f'a journal that begins with {_BEGIN.decode()}"complete": ...', _short(lines[0])
        )
    complete: bool = header.pop("complete")
    records: dict[str, dict[str, Any]] = {}
    size = len(lines[0])
    for number, line in enumerate(lines[1:], start=2):
        record = _object(line)
        if record is None and number == len(lines) and not complete:
            break
        _keep(records, record, f"{path}, line {number}", line)
        size += 1 + len(line)
    return Contents(header, records, complete, size)


def _check_version(header: Mapping[str, Any] | None, path: Path) -> None:
    """Refuses a journal whose lines mean something else than those of this release."""
    version = None if header is None else header.get("journal")
    if isinstance(version, int) and not isinstance(version, bool) and version != VERSION:
        release = "an older" if version < VERSION else "a newer"
        cure = f"{release} release of diffdope wrote it: let that one finish the run, or start over with --fresh"
        raise expected(f"{path}, line 1", f"a journal of version {VERSION}", f"version {version}", cure)


def _keep(records: dict[str, dict[str, Any]], record: dict[str, Any] | None, where: str, line: bytes) -> None:
    key = None if record is None else record.pop("key", None)
    if record is None or not isinstance(key, str):
        cure = (
            "the file was damaged by something else than a crash; mend or delete that line, or start over with --fresh"
        )
        raise expected(where, 'a record that begins with {"key": ...', _short(line), cure)
    if key in records:
        raise expected(where, "each key once", f"{key} again")
    records[key] = record


def check_ours(data: bytes, path: Path) -> None:
    """Refuses to overwrite what is neither empty nor a journal, whole or cut short.

    Raises:
        DiffDopeError: naming `path`.
    """
    if not (_BEGINS.match(data) or _BEGIN.startswith(data)):
        cure = "it is not overwritten; choose another name"
        raise expected(f"{path}, line 1", "the header of a journal", _short(data.split(b"\n")[0]), cure)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _short(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def read_journal(path: Path | str) -> tuple[dict[str, Any], dict[str, dict[str, Any]], bool]:
    """Header, records by key, and whether the run came to its end; a line cut short by a crash is left out.

    Raises:
        DiffDopeError: if it is no journal or is damaged.
        OSError: if it cannot be read.
    """
    path = Path(path)
    contents = parse(path.read_bytes(), path)
    if contents.header is None:
        raise DiffDopeError(f"{path}: expected a journal, got a file that breaks off within its first line")
    return contents.header, contents.records, contents.complete
