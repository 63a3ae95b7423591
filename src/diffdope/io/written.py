"""Which files and folders have been put in their places, for what is said of a command that is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOW: list[list[Path]] = []  # of the blocks that record, the innermost last


@contextmanager
def writes_recorded() -> Iterator[list[Path]]:
    """Yields a list that takes each path that this process puts in its place in the block, in their order."""
    paths: list[Path] = []
    _NOW.append(paths)
    try:
        yield paths
    finally:
        _NOW.pop()


def put_in_place(path: Path) -> None:
    """Takes note of a file or a folder that is complete."""
    if _NOW and path not in _NOW[-1]:
        _NOW[-1].append(path)


def written_in_words(paths: list[Path]) -> str:
    """What is left of them; of what lies in a folder that is named, the folder says enough."""
    there = [path for path in paths if path.exists()]  # others lay in a temporary folder
    named = [path for path in there if not any(path != other and path.is_relative_to(other) for other in there)]
    return f"{', '.join(map(str, named))} had been written" if named else "nothing was written"
