"""Recordings of ROS 1 and 2: bags, folders of bags and MCAP files, as topics and messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from diffdope.errors import expected, none_at, not_installed
from diffdope.ros.stored import Stored, Topic

ENDINGS = (".mcap", ".bag", ".db3")


class Recording(Protocol):
    """An open recording."""

    path: Path
    topics: tuple[Topic, ...]
    notes: tuple[str, ...]

    def messages(self, topics: Collection[Topic]) -> Iterator[Stored]:
        """The messages of some topics in the order in which they were recorded."""
        ...


def open_recording(path: Path) -> AbstractContextManager[Recording]:
    """Opens a bag of ROS 1 or 2, the folder of one, or an MCAP file.

    Args:
        path: .mcap, .bag, .db3, or the folder with metadata.yaml.

    Raises:
        DiffDopeError: if there is none, it is of another kind or broken, or diffdope[ros] is not installed.
    """
    if not path.exists():
        raise none_at("bag", "a recording", path)
    if path.is_file() and path.suffix.lower() not in ENDINGS:
        raise expected("bag", f"a file that ends with {', '.join(ENDINGS)}, or a bag's folder", path.name)
    if path.is_dir() and not (path / "metadata.yaml").is_file():
        raise expected("bag", f"metadata.yaml in the folder {path}", "none", "give the .mcap or .db3 file itself")
    missing = [name for name in ("rosbags", "mcap") if find_spec(name) is None]
    if missing:
        raise not_installed("bag", f"{' and '.join(missing)}, to read {path.name}", "ros")
    if path.suffix.lower() == ".mcap" and path.is_file():
        from diffdope.ros.mcap_file import McapFile

        return McapFile(path)
    from diffdope.ros.bag_file import BagFile

    return BagFile(path)
