"""Writing in the background, while the user goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from diffdope.annotate.state import Annotations

_QUIET_S = 0.4  # after the last change, until files are written


class BackgroundWriter:
    """Calls a function for the newest of the states that it is given, in a thread, when they stop coming for a moment.

    Args:
        work: takes a state.
        failed: takes the error where it raises one.
    """

    def __init__(self, work: Callable[[Annotations], object], failed: Callable[[BaseException], None]) -> None:
        self._work, self._failed = work, failed
        self._newest: Annotations | None = None
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="diffdope-annotate", daemon=True)
        self._thread.start()

    def give(self, state: Annotations) -> None:
        """Takes a newer state."""
        with self._changed:
            self._newest = state
            self._changed.notify()

    def finish(self) -> None:
        """Waits until the newest state was worked on, and ends the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest is not None or self._ended)
                while not self._ended and self._changed.wait(_QUIET_S):
                    pass  # one more came
                state, self._newest = self._newest, None
                if state is None:
                    return
            try:
                self._work(state)
            except Exception as error:  # of any kind: the poses are saved, and the next change tries again
                self._failed(error)
