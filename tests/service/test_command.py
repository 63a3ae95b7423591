"""The command itself, in a process of its own, and clients that no library makes."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from diffdope.cli.main import main

NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
ABSENT = [name for name in NEEDED if importlib.util.find_spec(name) is None]


@pytest.mark.skipif(not ABSENT, reason="the extra `service` is installed")
def test_without_the_extra_the_command_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "0"]) == 2
    assert 'pip install "diffdope[service]"' in capsys.readouterr().err


@pytest.mark.skipif(bool(ABSENT), reason="the extra `service` is not installed")
def test_a_host_that_is_not_this_machine_is_refused_with_the_cure(capsys: pytest.CaptureFixture[str]) -> None:
    for host in ("nobody.invalid", "192.0.2.1"):  # a name and an address that are never given to anybody
        assert main(["serve", "--host", host, "--port", "0", "--no-warm"]) == 2
        said = capsys.readouterr().err
        assert said.startswith(
            f"error: --host: expected a name or an address of this machine, got '{host}'; 127.0.0.1 "
        )


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    if ABSENT:
        pytest.skip(f"the extra `service` is not installed: {ABSENT[0]}")
    words = ["serve", "--port", "0", "--no-warm", "--timeout-s", "1.5"]
    command = [sys.executable, "-m", "diffdope.cli.main", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            line = next(line for line in server.stdout if line.startswith("listening at http://127.0.0.1:"))
            yield int(line.split()[2].rstrip(",").rpartition(":")[2])
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0  # a service that was told to end has not failed
            assert server.stdout.read().endswith("stopped\n")


def said_to(port: int, text: bytes) -> bytes:
    """The first line of the answer to raw bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text)
        return connection.recv(4096).split(b"\r\n")[0]


HEAD = b"POST /locate HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (HEAD + b"Content-Length: 5000\r\n\r\n--x\r\n", b"408"),  # the rest never comes
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", b"413"),
        (HEAD + b"Content-Length: 9" + b"9" * 30 + b"\r\n\r\n", b"4"),
        (HEAD + b"Content-Length: -1\r\n\r\n", b"400"),
        (b"\x00\x01\x02\r\n\r\n", b"400"),
    ],
)
def test_raw_bytes_are_answered_and_others_go_on(port: int, text: bytes, status: bytes) -> None:
    assert said_to(port, text).split()[1].startswith(status)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(HEAD + b"Content-Length: 5000\r\n\r\n--x\r\n")  # and hangs up
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
        assert json.load(answer)["status"] == "ok"


def test_a_port_that_is_taken_is_told(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", str(port)]) == 2
    assert f"{port}" in capsys.readouterr().err
