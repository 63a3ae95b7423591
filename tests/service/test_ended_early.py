"""Requests that are too large, and clients that hang up: what is read of them, and what is answered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from diffdope.service.app import create_app
from diffdope.service.limits import Limits

CHUNKS = 3


def scope_of(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """A POST of JSON, as ASGI has it."""
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/locate",
        "raw_path": b"/locate", "query_string": b"", "root_path": "", "scheme": "http", "server": ("here", 80),
        "client": ("there", 1), "headers": [(b"content-type", b"application/json"), *headers],
    }  # fmt: skip


def asked(messages: list[dict[str, Any]], *headers: tuple[bytes, bytes]) -> tuple[list[dict[str, Any]], int]:
    """What the application sends, and how many messages of the request it took."""
    sent: list[dict[str, Any]] = []
    left = list(messages)

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(create_app(Limits(max_bytes=100))(scope_of(*headers), receive, send))
    return sent, len(messages) - len(left)


@pytest.mark.parametrize(("first", "taken"), [((), CHUNKS), (((b"expect", b"100-continue"),), 0)])
def test_a_body_that_is_too_large_is_read_away_unless_the_client_waits(first: Any, taken: int) -> None:
    body = [{"type": "http.request", "body": 50 * b"x", "more_body": k < CHUNKS - 1} for k in range(CHUNKS)]
    sent, read = asked(body, (b"content-length", b"150"), *first)
    assert (
        sent[0]["status"] == 413 and "at most 100 bytes, got more; send less" in json.loads(sent[1]["body"])["detail"]
    )
    assert read == taken


def test_a_client_that_hangs_up_is_no_error_of_the_service() -> None:
    half = {"type": "http.request", "body": b"{", "more_body": True}
    sent, _ = asked([half, {"type": "http.disconnect"}], (b"content-length", b"90"))
    assert sent[0]["status"] == 400


@pytest.mark.parametrize(("length", "statuses"), [(b"90", [503]), (b"150", [413])])
def test_a_body_that_never_comes_keeps_nobody_waiting(length: bytes, statuses: list[int]) -> None:
    """One that is too large by its length is refused at once; when the service ends, nobody waits for the rest."""
    sent: list[dict[str, Any]] = []

    async def ended() -> None:
        app, asked_for, never = create_app(Limits(max_bytes=100)), asyncio.Event(), asyncio.Event()

        async def receive() -> None:
            asked_for.set()
            await never.wait()

        async def send(message: Any) -> None:
            sent.append(dict(message))

        request = asyncio.ensure_future(app(scope_of((b"content-length", length)), receive, send))
        await asyncio.wait_for(asked_for.wait(), 60.0)
        if statuses == [413]:
            assert sent[0]["status"] == 413 and b"at most 100 bytes" in sent[1]["body"]  # before any of it was read
        app.state.ending.set()
        await asyncio.wait_for(request, 60.0)

    asyncio.run(ended())
    assert [message["status"] for message in sent if "status" in message] == statuses
    assert not sent[-1].get("more_body", False)
