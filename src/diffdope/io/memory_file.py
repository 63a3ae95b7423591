"""An image file that is in memory, in the place of a path: what came over the net need not touch the disk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from diffdope.io.files import is_file


@dataclass(frozen=True)
class MemoryFile:
    """A file's name and content.

    Attributes:
        name: for messages, and for its ending.
        data: its content.
    """

    name: str
    data: bytes

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        """Ending of the name, with the dot."""
        return PurePosixPath(self.name).suffix


Source = str | Path | MemoryFile
"""Where an image is read from."""


def source_of(source: Source) -> Path | MemoryFile:
    """The same, as a path or a file in memory."""
    return source if isinstance(source, MemoryFile) else Path(source)


def size_of(source: Path | MemoryFile) -> int | None:
    """Bytes; None where there is no such file."""
    if isinstance(source, MemoryFile):
        return len(source.data)
    return source.stat().st_size if is_file(source) else None


def opened(source: Path | MemoryFile) -> BinaryIO:
    """An open file for Pillow's `Image.open`, to be closed.

    Pillow maps an uncompressed TIFF of one channel, if it is given its path, and cuts it into rows of the height that
    it has before it is turned as its tag says: seen with Pillow 13, sheared without a word.
    """
    return io.BytesIO(source.data) if isinstance(source, MemoryFile) else source.open("rb")
