"""Runs in a worker process: opens what tasks need, then turns payloads into records until the pipe ends."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from diffdope.jobs.task import Handler, Work, described, execute


def serve(pipe: Connection, work: Work) -> None:
    """Sends None once it is ready (or the text of what went wrong), then a record for each payload.

    Interrupts are ignored here: Ctrl-C reaches all processes of a terminal, and the driver decides what it means.
    """
    _ignore_interrupts()
    threading.Thread(target=_end_with_driver, daemon=True).start()
    try:
        handler = work()
    except Exception as error:
        _send(pipe, described(error))
        return
    alive = _send(pipe, None)
    while alive:
        alive = _answer(pipe, handler)


def _answer(pipe: Connection, handler: Handler) -> bool:
    """Runs one task; returns False if the driver has closed the pipe. No variable keeps the payload afterwards."""
    try:
        payload = pipe.recv()
    except (EOFError, OSError):
        return False
    return _send(pipe, execute(handler, payload))


def _send(pipe: Connection, message: object) -> bool:
    try:
        pipe.send(message)
    except OSError:
        return False
    return True


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):  # was blocked while the process was started
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end_with_driver() -> None:
    """Ends this process as soon as the driver is gone, in the middle of a task if need be."""
    driver = parent_process()
    if driver is not None:
        wait([driver.sentinel])
        os._exit(1)
