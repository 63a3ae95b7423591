"""Values through the pipe between two processes; images go as they lie in memory, and are copied but once."""

from __future__ import annotations

import pickle
from multiprocessing.connection import Connection
from typing import Any

_PROTOCOL = 5  # the first that leaves large buffers out


def send(pipe: Connection, value: Any) -> None:
    """Sends a value.

    Raises:
        OSError: if the other side is gone.
    """
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(value, _PROTOCOL, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    pipe.send_bytes(pickle.dumps(([view.nbytes for view in views], text), _PROTOCOL))
    for view in views:
        if view.nbytes:  # nothing cannot be told from the end
            pipe.send_bytes(view)


def receive(pipe: Connection) -> Any:
    """The next value that was sent.

    Raises:
        EOFError: if the other side is gone.
        OSError: the same.
    """
    sizes, text = pickle.loads(pipe.recv_bytes())
    buffers = []
    for size in sizes:
        buffer = bytearray(size)
        if size:
            pipe.recv_bytes_into(buffer)
        buffers.append(buffer)
    return pickle.loads(text, buffers=buffers)
