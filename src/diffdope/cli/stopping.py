"""Ctrl-C, SIGTERM, and a terminal that is closed: a command cleans up once, and ends as its caller expects."""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from types import FrameType

INTERRUPTED = 130
"""The code of a command that was interrupted: 128 and the number of SIGINT."""

_CLEANING_S = 3.0  # workers have two seconds to end


class Stopping:
    """What ends this process raises KeyboardInterrupt in it, so that all of it ends as by Ctrl-C.

    Impatient hands press twice, and a terminal that is closed sends several signals: while what the first one began is
    cleaned up, others are let be. What is ignored, as by `nohup` and in the background of a script, stays ignored.
    """

    def __init__(self) -> None:
        self.signal = 0  # the first that came
        self._raised_s = -_CLEANING_S

    def begin(self) -> None:
        """From now on; of the main thread alone, which is the only one that may."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._stop)
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, self._stop)
        atexit.register(self._end)  # before anybody else's, hence run after them

    def over(self, code: int) -> None:
        """The command has ended with this code: what comes now, while Python ends, changes that no more."""
        if code != INTERRUPTED:  # a window was open until then, and that was its end
            self.signal = 0
        elif threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._raised_s < _CLEANING_S:
            return
        self.signal, self._raised_s = self.signal or number, now
        raise KeyboardInterrupt

    def _end(self) -> None:
        """Ends by the signal itself, where somebody goes by that.

        A shell goes on with the next round of its loop unless what it ran has died of Ctrl-C: of a code of 130 it
        believes that Ctrl-C had another meaning there. It calls both 130. Without a terminal, nobody has pressed
        Ctrl-C, and the code is what programs look at. Of SIGTERM and SIGHUP all go by the signal.
        """
        number = self.signal
        if os.name != "posix" or number == 0 or (number == signal.SIGINT and not _at_terminal()):
            return
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _at_terminal() -> bool:
    return any(_is_terminal(descriptor) for descriptor in (0, 1, 2))


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:  # closed
        return False
