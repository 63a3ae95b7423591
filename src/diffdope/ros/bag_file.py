"""Bags of ROS 1 (.bag) and ROS 2 (folders, .db3), read by rosbags."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from diffdope.errors import DiffDopeError, expected
from diffdope.ros.stored import Stored, Topic
from diffdope.ros.types import decoder


class BagFile:
    """A bag; see `Recording`.

    Args:
        path: .bag, .db3, or a folder with metadata.yaml.

    Raises:
        DiffDopeError: if it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: tuple[str, ...] = ()
        self._encoding = "ros1" if path.suffix.lower() == ".bag" else "cdr"
        self._reader: Any = None
        self.topics: tuple[Topic, ...] = ()

    def __enter__(self) -> BagFile:
        from rosbags.rosbag1 import Reader as Reader1
        from rosbags.rosbag2 import Reader as Reader2

        try:
            self._reader = (Reader1 if self._encoding == "ros1" else Reader2)(self.path)
            self._reader.open()
        except OSError:
            raise
        except Exception as error:  # rosbags has an error class for each kind, and broken files raise others
            cure = "a bag that was not closed: `rosbag reindex` or `ros2 bag reindex` makes it whole"
            raise expected("bag", f"a recording in {self.path}", f"unreadable data ({error})", cure) from error
        counts: dict[Topic, int] = {}
        for one in self._reader.connections:
            topic = Topic(one.topic, one.msgtype)
            counts[topic] = counts.get(topic, 0) + one.msgcount
        self.topics = tuple(Topic(topic.name, topic.kind, count) for topic, count in counts.items())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.close()

    def messages(self, topics: Collection[Topic]) -> Iterator[Stored]:
        """The messages of some topics in the order in which they were recorded."""
        chosen = [one for one in self._reader.connections if Topic(one.topic, one.msgtype) in topics]
        decoders = {one.id: self._decoder(one) for one in chosen}
        if not chosen:  # to rosbags, no connection is all of them
            return
        try:
            for one, logged_ns, data in self._reader.messages(chosen):
                yield Stored(Topic(one.topic, one.msgtype), logged_ns, partial(decoders[one.id], bytes(data)))
        except (DiffDopeError, OSError):
            raise
        except Exception as error:
            raise expected("bag", f"a whole recording in {self.path}", f"unreadable data ({error})") from error

    def _decoder(self, connection: Any) -> Callable[[bytes], Any]:
        form = "idl" if connection.msgdef.format.name == "IDL" else "msg"
        return decoder(connection.msgtype, connection.msgdef.data, form, self._encoding)
