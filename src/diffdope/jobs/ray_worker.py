"""What runs in a Ray actor. It imports nothing of Ray, so that it can be read, typed and tested without."""

from __future__ import annotations

import socket
from typing import Any

from diffdope.jobs.task import Handler, Work, described, execute


class RayWorker:
    """Opens what tasks need, then turns payloads into records."""

    def __init__(self) -> None:
        self._handler: Handler | None = None

    def start(self, work: Work) -> str | None:
        """None if it is ready, else what went wrong and where."""
        try:
            self._handler = work()
        except Exception as error:
            return f"{described(error)} (on {socket.gethostname()})"
        return None

    def run(self, payload: Any) -> dict[str, Any]:
        """The record of one task."""
        assert self._handler is not None  # `start` comes first
        return execute(self._handler, payload)
