"""What a command prints when nobody reads any more: `diffdope ... | head`.

The command goes on without a word, so that a run of hours does not end with the pager that showed its beginning; its
exit code still says how it ended.
"""

from __future__ import annotations

import io
import sys
from typing import Any


class Unread(io.RawIOBase):
    """A file that takes everything, also when the other end of its pipe is closed.

    Args:
        raw: the file.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def write(self, data: Any) -> int | None:
        """As files do; what nobody can read is dropped."""
        try:
            return int(self._raw.write(data))
        except BrokenPipeError:
            return len(data)

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """Of the file."""
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return bool(self._raw.isatty())


def ignore_closed_pipes() -> None:
    """From now on, stdout and stderr may be closed by whoever reads them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        buffered = getattr(stream, "buffer", None)
        raw = getattr(buffered, "raw", buffered)  # with PYTHONUNBUFFERED there is nothing between them
        if not isinstance(raw, io.FileIO):  # closed from the start, or replaced by the caller
            continue
        buffer = io.BufferedWriter(Unread(raw))
        soon = name == "stderr" or stream.line_buffering or raw is buffered
        setattr(sys, name, io.TextIOWrapper(buffer, stream.encoding, stream.errors, line_buffering=soon))
