"""The journal of a run: what is written stays written, whenever the process is killed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from diffdope.errors import DiffDopeError, expected
from diffdope.io.files import write_durably
from diffdope.jobs.canonical import differences, normal
from diffdope.jobs.journal_file import Contents, check_ours, header_line, journal_text, parse, read_journal, record_line
from diffdope.jobs.lock import WriterLock

__all__ = ["Journal", "read_journal"]


class Journal:
    """Records by key in a file of JSON lines; open it with `Journal.open`, and in one process only."""

    def __init__(self, path: Path, header: dict[str, Any], contents: Contents, lock: WriterLock) -> None:
        self.path = path
        self.header = header
        self.complete = contents.complete
        self._records = contents.records
        self._lock = lock
        self._file: int | None = _appending(path)

    @classmethod
    def open(cls, path: Path | str, header: Mapping[str, Any], *, fresh: bool = False) -> Journal:
        """Makes a new journal, or resumes one.

        Args:
            path: JSON lines; its folder is made where it is missing.
            header: settings of the run, as JSON can hold them; "journal" and "complete" are taken.
            fresh: start over, whatever is in the file.

        Raises:
            DiffDopeError: if another process has it open, if it is damaged, or if it was begun with another header;
                each differing setting is named.
            OSError: if it cannot be read or written.
        """
        path = Path(path)
        wanted = _checked(header)
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(path)
        try:
            contents = _begin(path, wanted, fresh=fresh)
            return cls(path, wanted, contents, lock)
        except BaseException:
            lock.release()
            raise

    @property
    def done(self) -> Mapping[str, dict[str, Any]]:
        """Records by key, as they come back from the file."""
        return MappingProxyType(self._records)

    def append(self, key: str, record: Mapping[str, Any]) -> None:
        """Adds a record; it is on the disk when this returns.

        Raises:
            DiffDopeError: if the key is there already, or the journal is complete or closed.
            TypeError, ValueError: if JSON cannot hold the record.
            OSError: if the disk is full; the file is left as it was before.
        """
        if self._file is None or self.complete:
            raise DiffDopeError(f"{self.path}: expected a journal that is open and not complete, to add {key}")
        if key in self._records:
            raise expected(f"{self.path}", "each key once", f"{key} again")
        line = record_line(key, record).encode()
        size = os.fstat(self._file).st_size
        try:
            _write(self._file, line)
        except OSError as error:
            os.ftruncate(self._file, size)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._records[key] = normal(record)

    def reopen(self) -> None:
        """Lets a complete journal take more records: its task has grown."""
        if not self.complete:
            return
        self._close_file()
        write_durably(self.path, journal_text(self.header, self._records.items(), complete=False))
        self._file = _appending(self.path)
        self.complete = False

    def finish(self, keys: Sequence[str]) -> None:
        """Rewrites the file in the order of `keys` and marks it complete; then nothing can be added.

        Raises:
            DiffDopeError: if `keys` are not exactly those of the records.
        """
        missing = [key for key in keys if key not in self._records]
        surplus = self._records.keys() - set(keys)
        if missing or surplus:
            names = ", ".join([*missing, *sorted(surplus)][:3])
            raise expected(
                f"{self.path}",
                f"records of {len(keys)} tasks",
                f"{len(missing)} missing, {len(surplus)} others: {names}",
            )
        self._records = {key: self._records[key] for key in keys}
        self._close_file()  # Windows does not replace an open file
        write_durably(self.path, journal_text(self.header, self._records.items()))
        self.complete = True

    def finish_with(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Completes the journal with records from elsewhere, in their order.

        Raises:
            DiffDopeError: if the journal has other keys already.
        """
        self._records |= {key: normal(record) for key, record in records.items()}
        self.finish(list(records))

    def close(self) -> None:
        """Lets another process have it."""
        self._close_file()
        self._lock.release()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _checked(header: Mapping[str, Any]) -> dict[str, Any]:
    taken = {"journal", "complete"} & header.keys()
    if taken:
        raise expected("header", "other names than journal and complete", ", ".join(sorted(taken)))
    try:
        return normal(header)
    except (TypeError, ValueError, OverflowError) as error:
        raise expected("header", "what JSON can hold", str(error)) from error


def _begin(path: Path, header: dict[str, Any], *, fresh: bool) -> Contents:
    """The contents of the file, which ends with a whole line when this returns."""
    data = path.read_bytes() if path.exists() else b""
    if fresh:
        check_ours(data, path)
        data = b""
    contents = parse(data, path)
    if contents.header is None:
        write_durably(path, header_line(header, complete=False))
        return contents
    changed = list(differences(contents.header, header))
    if changed:
        state = "finished" if contents.complete else "unfinished"
        raise expected(
            str(path), f"the settings of the {state} run that is in it", "; ".join(changed),
            "run with the old settings, choose another --out, or start over with --fresh",
        )  # fmt: skip
    if len(data) != contents.size + 1:
        _cut(path, contents.size)
    return contents


def _appending(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))


def _cut(path: Path, size: int) -> None:
    """Drops what a crash left behind the last good line."""
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(b"\n")
        file.flush()
        os.fsync(file.fileno())


def _write(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]
    os.fsync(descriptor)
