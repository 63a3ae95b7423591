"""Signals while worker processes run: Ctrl-C is deferred while one is started, and exit statuses are kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

from diffdope.io.interrupts import interrupts_recorded


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Defers an interrupt of this process to the end of the block, and starts children with interrupts blocked.

    A child inherits the block and lifts it once it ignores interrupts (`local_worker.serve`). Blocked for this thread,
    the signal may still be delivered to another thread of the process (one of numpy's libraries), and Python would then
    raise KeyboardInterrupt here, when half of what a child needs has been sent. Therefore it is also recorded only.

    A process that ignores interrupts, because a shell started it in the background, keeps ignoring them.
    """
    with interrupts_recorded(), _blocked():
        yield


@contextmanager
def exit_statuses_kept() -> Iterator[None]:
    """Lets this process learn how its children ended, also if it was started with SIGCHLD ignored.

    Some daemons start processes so, and it is inherited; the system then discards exit statuses, and a worker that has
    died could not be told from one that runs. Outside of the main thread, which alone may change it, nothing is done.
    """
    number = getattr(signal, "SIGCHLD", None)
    main = threading.current_thread() is threading.main_thread()
    if number is None or not main or signal.getsignal(number) != signal.SIG_IGN:
        yield
        return
    signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def _blocked() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # started on first use, with a mask of its own, it would undo ours
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
