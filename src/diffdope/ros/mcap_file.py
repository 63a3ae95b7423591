"""MCAP files of ROS 1 and 2, read by mcap.

rosbags reads those of ROS 2 alone, and only if their header says so; converted bags and files of other writers say
"ros1" or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from diffdope.errors import DiffDopeError, expected
from diffdope.note_codes import Note, NoteCode
from diffdope.ros.stored import Stored, Topic
from diffdope.ros.types import decoder, ros2_name

_FORMS = {"ros1msg": "msg", "ros2msg": "msg", "ros2idl": "idl"}
_ENCODINGS = ("ros1", "cdr")


class McapFile:
    """An MCAP file; see `Recording`. One that breaks off, since its recorder was killed, is read up to there.

    Args:
        path: of the file.

    Raises:
        DiffDopeError: if it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: tuple[str, ...] = ()
        self._file: IO[bytes] | None = None
        self._whole = True
        self.topics: tuple[Topic, ...] = ()

    def __enter__(self) -> McapFile:
        self._file = self.path.open("rb")
        try:
            self.topics = self._topics()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def messages(self, topics: Collection[Topic]) -> Iterator[Stored]:
        """The messages of some topics in the order in which they were recorded."""
        decoders: dict[int, Callable[[bytes], Any]] = {}
        for schema, channel, message in self._stored({topic.name for topic in topics}):
            topic = _topic(schema, channel)
            if topic is None or topic not in topics:
                continue
            if channel.id not in decoders:
                definition = schema.data.decode("utf-8", "replace")
                decoders[channel.id] = decoder(
                    topic.kind, definition, _FORMS[schema.encoding], channel.message_encoding
                )
            yield Stored(topic, int(message.log_time), partial(decoders[channel.id], bytes(message.data)))

    def _topics(self) -> tuple[Topic, ...]:
        from mcap.reader import make_reader

        assert self._file is not None
        try:
            summary = make_reader(self._file).get_summary()
        except Exception as error:
            summary = None
            self._refuse_others(error)
        if summary is not None and summary.channels:
            counts = {} if summary.statistics is None else summary.statistics.channel_message_counts
            found = (
                (_topic(summary.schemas.get(channel.schema_id), channel), counts.get(number))
                for number, channel in summary.channels.items()
            )
            return _added((topic, count) for topic, count in found if topic is not None)
        self._whole = False
        pairs = ((_topic(schema, channel), 1) for schema, channel, _ in self._scanned())
        return _added((topic, count) for topic, count in pairs if topic is not None)

    def _refuse_others(self, error: Exception) -> None:
        """Goes on with a file that breaks off, but not with one that is no MCAP."""
        assert self._file is not None
        self._file.seek(0)
        if self._file.read(5) != b"\x89MCAP":
            raise expected("bag", f"an MCAP recording in {self.path}", f"unreadable data ({error})") from error

    def _stored(self, names: set[str]) -> Iterator[tuple[Any, Any, Any]]:
        if not self._whole:
            yield from self._scanned()
            return
        from mcap.reader import make_reader

        assert self._file is not None
        self._file.seek(0)
        try:
            yield from make_reader(self._file).iter_messages(topics=names)
        except (DiffDopeError, OSError):
            raise
        except Exception as error:
            raise expected("bag", f"a whole recording in {self.path}", f"unreadable data ({error})") from error

    def _scanned(self) -> Iterator[tuple[Any, Any, Any]]:
        """Message after message as they lie in the file, up to where it breaks off."""
        from mcap.records import Channel, Message, Schema
        from mcap.stream_reader import StreamReader

        assert self._file is not None
        self._file.seek(0)
        schemas: dict[int, Any] = {}
        channels: dict[int, Any] = {}
        try:
            for record in StreamReader(self._file).records:
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel):
                    channels[record.id] = record
                elif isinstance(record, Message) and record.channel_id in channels:
                    channel = channels[record.channel_id]
                    yield schemas.get(channel.schema_id), channel, record
        except (DiffDopeError, OSError):
            raise
        except Exception:  # what a file that ends in the middle of a record raises is not said
            text = f"{self.path.name} breaks off: what was recorded until then is used"
            self.notes = (Note(NoteCode.RECORDING_CUT, text),)


def _topic(schema: Any, channel: Any) -> Topic | None:
    """The topic of a channel; None for what is no message of ROS."""
    if schema is None or schema.encoding not in _FORMS or channel.message_encoding not in _ENCODINGS:
        return None
    return Topic(channel.topic, ros2_name(schema.name))


def _added(found: Any) -> tuple[Topic, ...]:
    """Each topic once, with the sum of its counts."""
    counts: dict[Topic, int | None] = {}
    for topic, count in found:
        before = counts.get(topic, 0)
        counts[topic] = None if before is None or count is None else before + count
    return tuple(Topic(topic.name, topic.kind, count) for topic, count in counts.items())
