"""What stands before every request: its token, its size, its time, and the number of requests at a time."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from fastapi import HTTPException

from diffdope.service.limits import Limits

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UNTIL = "diffdope.until"
"""Key of a request's scope: when its time is over, by `time.monotonic`."""
RETRY = {"Retry-After": "1"}
"""Seconds: a refinement takes less."""
OPEN = ("/health", "/metrics", "/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect")
"""Paths that need no token and are never refused: they tell nothing about anybody's data."""


class Guard:
    """Refuses requests before their bodies are read, so that nothing piles up, in memory or on the disk.

    Args:
        app: what comes after.
        limits: of sizes, numbers and time.
        token: that requests must bear; None for none.
        ending: set when the service is to end: requests whose bodies are not all there are refused then, for the others
            are waited for.
    """

    def __init__(self, app: App, limits: Limits, token: str | None, ending: asyncio.Event) -> None:
        self._app, self._limits, self._ending = app, limits, ending
        self._bearer = None if token is None else f"Bearer {token}".encode()
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            return await self._app(scope, receive, send)
        refusal = self._refusal(dict(scope["headers"]))
        if refusal is not None:
            # Who asks first has sent nothing yet; others read the answer when they have sent all, or before.
            asks_first = dict(scope["headers"]).get(b"expect", b"").lower() == b"100-continue"
            comes = refusal.status_code == 413 and not asks_first
            await _answer(send, refusal, ends=not comes)
            if comes:
                await self._read_away(receive)
                await send({"type": "http.response.body", "body": b""})
            return None
        scope[UNTIL] = time.monotonic() + self._limits.timeout_s
        self._open += 1
        try:
            await self._app(scope, self._bounded(scope[UNTIL], receive), send)
        finally:
            self._open -= 1

    def _refusal(self, headers: dict[bytes, bytes]) -> HTTPException | None:
        # Compared in constant time, so that the time that it takes does not tell how much of a guess is right.
        if self._bearer and not hmac.compare_digest(headers.get(b"authorization", b""), self._bearer):
            return HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            return HTTPException(400, "content-length is no number")
        if len(length) > 18 or int(length) > self._limits.max_bytes:
            return self._too_large()
        if self._open >= self._limits.workers + self._limits.queue:
            return HTTPException(503, "the queue is full", RETRY)
        return None

    def _too_large(self) -> HTTPException:
        cure = "send less (a mesh of fewer faces), or raise the service's --max-megabytes"
        return HTTPException(413, f"request: expected at most {self._limits.max_bytes} bytes, got more; {cure}")

    async def _read_away(self, receive: Receive) -> None:
        """Takes a body and drops it: who is still sending when the connection is closed reads a reset, no answer."""
        until = time.monotonic() + self._limits.timeout_s
        with suppress(HTTPException):
            while (await self._next(receive, until)).get("more_body", False):
                pass

    async def _next(self, receive: Receive, until: float) -> Message:
        """The next piece of a body.

        Raises:
            HTTPException: if it does not come in time, or not before the service ends.
        """
        coming, ending = asyncio.ensure_future(receive()), asyncio.ensure_future(self._ending.wait())
        either = {coming, ending}
        try:
            await asyncio.wait(either, timeout=max(until - time.monotonic(), 0.0), return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
        finally:
            for one in either:
                one.cancel()
        if self._ending.is_set():
            raise HTTPException(503, "the service is ending", RETRY)
        raise HTTPException(408, "the request took too long to arrive")

    def _bounded(self, until: float, receive: Receive) -> Receive:
        """Receives the body while it is not too large, and in time."""
        taken, all_there = 0, False

        async def bounded() -> Message:
            nonlocal taken, all_there
            if all_there:  # what comes now is that the client hangs up
                return await receive()
            message = await self._next(receive, until)
            taken += len(message.get("body", b""))
            all_there = not message.get("more_body", False)
            if taken > self._limits.max_bytes:
                raise self._too_large()
            return message

        return bounded


async def _answer(send: Send, refusal: HTTPException, *, ends: bool) -> None:
    body = json.dumps({"detail": refusal.detail}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
    pairs = [(name.lower().encode(), text.encode()) for name, text in (headers | (refusal.headers or {})).items()]
    await send({"type": "http.response.start", "status": refusal.status_code, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": not ends})
