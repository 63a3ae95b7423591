"""Topics of a recording, and messages as they are stored in it, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from diffdope.errors import DiffDopeError, expected


@dataclass(frozen=True)
class Topic:
    """What a recording says of a topic.

    Attributes:
        name: of the topic.
        kind: of its messages, as ROS 2 writes it: sensor_msgs/msg/Image.
        count: of its messages; None where only reading all would tell.
    """

    name: str
    kind: str
    count: int | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class Stored:
    """A message as it is stored.

    Attributes:
        topic: that it was published on.
        logged_ns: when it was recorded, nanoseconds.
        message: its fields, decoded when first asked for.
    """

    topic: Topic
    logged_ns: int
    _decode: Any

    @property
    def message(self) -> Any:
        """The message, with its fields as attributes.

        Raises:
            DiffDopeError: if the stored bytes are no such message.
        """
        try:
            return self._decode()
        except DiffDopeError:
            raise
        except Exception as error:  # broken bytes fail in many ways
            raise expected(self.topic.name, f"a message {self.topic.kind}", f"broken bytes ({error})") from error
