"""What was asked and answered, in numbers: for Prometheus at /metrics, and a line a request for a log."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from diffdope.service.guard import App, Message, Receive, Scope, Send

KIND = "text/plain; version=0.0.4; charset=utf-8"
"""Media type of the numbers: https://prometheus.io/docs/instrumenting/exposition_formats/."""
_KNOWN = ("/health", "/locate", "/meshes", "/metrics", "/refine", "/scene", "/track")
_OTHER = "other"
_NONE = 499  # as nginx has it: the client hung up, and nothing was answered


class RequestCounts:
    """How many requests there were, by path and status, and how long they took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[str] = Counter()

    def add(self, path: str, status: int, seconds: float) -> None:
        """Counts an answer; of names in a path only the first is kept, so that the numbers stay few."""
        first = f"/{path.split('/')[1]}" if path.startswith("/") else path
        kind = first if first in _KNOWN else _OTHER
        with self._lock:
            self._answers[kind, status] += 1
            self._seconds[kind] += seconds  # type: ignore[assignment]

    def as_text(self, now: Mapping[str, int]) -> str:
        """All of them, in the text format of Prometheus.

        Args:
            now: further numbers that go up and down, by name.
        """
        with self._lock:
            answers, seconds = sorted(self._answers.items()), sorted(self._seconds.items())
        lines = [
            "# HELP diffdope_requests_total By path and status.",
            "# TYPE diffdope_requests_total counter",
        ]
        lines += [
            f'diffdope_requests_total{{path="{path}",status="{status}"}} {count}' for (path, status), count in answers
        ]
        lines += ["# HELP diffdope_request_seconds From a request's head to the end of its answer."]
        lines += ["# TYPE diffdope_request_seconds summary"]
        for path, total in seconds:
            count = sum(number for (its, _), number in answers if its == path)
            lines += [f'diffdope_request_seconds_sum{{path="{path}"}} {total:.6f}']
            lines += [f'diffdope_request_seconds_count{{path="{path}"}} {count}']
        for name, value in now.items():
            lines += [f"# TYPE diffdope_{name} gauge", f"diffdope_{name} {value}"]
        return "\n".join(lines) + "\n"


class Counted:
    """Counts each request, and writes its line.

    Args:
        app: what comes after.
        numbers: takes what was counted.
        log: takes a line a request; None for no log.
    """

    def __init__(self, app: App, numbers: RequestCounts, log: Callable[[str], None] | None) -> None:
        self._app, self._numbers, self._log = app, numbers, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status = time.monotonic(), _NONE

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, told)
        except Exception:
            status = 500
            raise
        finally:
            seconds = time.monotonic() - began
            self._numbers.add(scope["path"], status, seconds)
            if self._log is not None:
                self._log(_line(scope, status, seconds))
        return None


def _line(scope: Scope, status: int, seconds: float) -> str:
    """Moment, who, what, status, seconds; of a path what could break the line is shown as its code."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    path = ascii(scope["path"])[1:-1].replace(" ", "%20")
    return f"{moment} {(scope.get('client') or ('-',))[0]} {scope['method']} {path} {status} {seconds:.3f}"
