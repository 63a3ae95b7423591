"""The parts of a divided run become what the undivided run would have written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffdope.errors import expected
from diffdope.jobs.canonical import differences
from diffdope.jobs.journal import Journal, read_journal
from diffdope.jobs.shard import parse_shard

Records = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class _Part:
    path: Path
    header: dict[str, Any]  # without "shard"
    shard: str | None
    records: Records
    complete: bool


def merge(paths: Sequence[Path | str]) -> tuple[dict[str, Any], Records]:
    """Joins the journals of all parts.

    Headers must be equal but for "shard" ("2/4"), and say by "task_count" how many tasks the undivided run has. A key
    may be in two files if its records differ in "seconds" at most; the first file counts.

    Args:
        paths: journals, in any order.

    Returns:
        The header without "shard", and the records in the order of their keys.

    Raises:
        DiffDopeError: if they are not parts of one run, contradict each other, or tasks are missing.
        OSError: if one cannot be read.
    """
    if not paths:
        raise expected("parts", "at least one journal", "none")
    parts = [_read(Path(path)) for path in paths]
    first = parts[0]
    for part in parts[1:]:
        changed = list(differences(first.header, part.header))
        if changed:
            raise expected(str(part.path), f"the settings of {first.path}", "; ".join(changed))
    records = _joined(parts)
    _check_all_there(parts, records)
    return first.header, {key: records[key] for key in sorted(records)}


def write_merged(path: Path | str, header: Mapping[str, Any], records: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes a complete journal, as the undivided run would have.

    Raises:
        DiffDopeError: if `path` holds a run with other settings, or another process writes it.
        OSError: if it cannot be written.
    """
    with Journal.open(path, header) as journal:
        journal.finish_with(records)


def _read(path: Path) -> _Part:
    header, records, complete = read_journal(path)
    shard = header.pop("shard", None)
    if not isinstance(header.get("task_count"), int):
        raise expected(
            f"{path}, line 1, task_count", "the number of tasks of the undivided run", header.get("task_count")
        )
    if shard is not None:
        parse_shard(str(shard))
    return _Part(path, header, shard, records, complete)


def _joined(parts: Sequence[_Part]) -> Records:
    records: Records = {}
    origin: dict[str, Path] = {}
    for part in parts:
        for key, record in part.records.items():
            if key in records and _without_time(record) != _without_time(records[key]):
                raise expected(f"{part.path}, record {key}", f"the same as in {origin[key]}", "another one")
            origin.setdefault(key, part.path)
            records.setdefault(key, record)
    return records


def _without_time(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "seconds"}


def _check_all_there(parts: Sequence[_Part], records: Records) -> None:
    count = parts[0].header["task_count"]
    if len(records) > count:
        raise expected("parts", f"{count} tasks in all", len(records))
    if len(records) == count:
        return
    hints = [f"{part.path} is not finished ({len(part.records)} records)" for part in parts if not part.complete]
    absent = _absent(parts)
    if absent:
        hints.append(f"not given: {', '.join(absent)}")
    raise expected(
        "parts", f"{count} tasks in all", f"{len(records)}: {count - len(records)} missing", "; ".join(hints)
    )


def _absent(parts: Sequence[_Part]) -> list[str]:
    """Parts that nobody gave, where all files speak of the same division."""
    given = {parse_shard(part.shard) for part in parts if part.shard is not None}
    counts = {count for _, count in given}
    if len(counts) != 1:
        return []
    count = counts.pop()
    return [f"part {i}/{count}" for i in range(1, count + 1) if (i, count) not in given]
