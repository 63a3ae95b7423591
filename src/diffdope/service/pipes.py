"""Values through the pipe between two processes; images go as they lie in memory, and are copied but once."""

from __future__ import annotations

import os
import pickle
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

_PROTOCOL = 5  # the first that leaves large buffers out
_RAW = hasattr(os, "readv")  # a connection's own way to receive copies twice


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
        _write(pipe, view)


def receive(pipe: Connection) -> Any:
    """The next value that was sent.

    Raises:
        EOFError: if the other side is gone.
        OSError: the same.
    """
    sizes, text = pickle.loads(pipe.recv_bytes())
    buffers = [np.empty(size, np.uint8) for size in sizes]
    for buffer in buffers:
        _read(pipe, buffer.data)
    return pickle.loads(text, buffers=buffers)


def _write(pipe: Connection, view: memoryview) -> None:
    if not _RAW:
        if view.nbytes:  # nothing cannot be told from the end
            pipe.send_bytes(view)
        return
    while view.nbytes:
        view = view[os.write(pipe.fileno(), view) :]


def _read(pipe: Connection, view: memoryview) -> None:
    if not _RAW:
        if view.nbytes:
            pipe.recv_bytes_into(view)
        return
    while view.nbytes:
        count = os.readv(pipe.fileno(), [view])
        if count == 0:
            raise EOFError
        view = view[count:]
