"""Metrics of the service for Prometheus at /metrics, and the access log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from diffdope.service.guard import App, Message, Receive, Scope, Send

_OTHER = "other"
_CLOSED = 499  # as nginx has it: the client closed the connection, and nothing was answered
_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the histogram: from a refinement that is warm to the time that a request has."""


class RequestMetrics:
    """How many requests there were, by path and status, and a histogram of how long they took.

    Args:
        paths: of the service. Of each, and of a request's, only the first name is a label, so that labels stay few.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._known = {_first_name(path) for path in paths}
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "diffdope_requests", "By path and status.", ("path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "diffdope_request_seconds", "From a request's head to the end of its answer.", ("path",),
            registry=self._registry, buckets=_BUCKETS_S,
        )  # fmt: skip
        self._gauges: dict[str, Gauge] = {}

    def add(self, path: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        first = _first_name(path)
        label = first if first in self._known else _OTHER
        self._requests.labels(label, status).inc()
        self._seconds.labels(label).observe(seconds)

    def exposition(self, gauges: Mapping[str, int], accept: str) -> tuple[bytes, str]:
        """All of them as text, and its media type: of Prometheus, or OpenMetrics for who accepts that.

        Args:
            gauges: further numbers that go up and down, by name.
            accept: the request's header of that name.
        """
        for name, value in gauges.items():
            if name not in self._gauges:
                self._gauges[name] = Gauge(f"diffdope_{name}", "As /health has it.", registry=self._registry)
            self._gauges[name].set(value)
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type


class MetricsMiddleware:
    """Measures each request, and writes its line of the access log.

    Args:
        app: what comes after.
        metrics: takes what was measured.
        log: takes a line a request; None for no log.
    """

    def __init__(self, app: App, metrics: RequestMetrics, log: Callable[[str], None] | None) -> None:
        self._app, self._metrics, self._log = app, metrics, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status = time.monotonic(), _CLOSED

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        except Exception:
            status = 500
            raise
        finally:
            seconds = time.monotonic() - began
            self._metrics.add(scope["path"], status, seconds)
            if self._log is not None:
                self._log(_line(scope, status, seconds))
        return None


def _first_name(path: str) -> str:
    """`/track` of `/track/film`."""
    return f"/{path.split('/')[1]}" if path.startswith("/") else path


def _line(scope: Scope, status: int, seconds: float) -> str:
    """Moment, client, method, path, status, seconds; characters of a path that could break the line are escaped."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    path = ascii(scope["path"])[1:-1].replace(" ", "%20")
    return f"{moment} {(scope.get('client') or ('-',))[0]} {scope['method']} {path} {status} {seconds:.3f}"
