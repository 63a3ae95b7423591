"""Servers of viser: how they are started and ended, and what windows that they serve have in common."""

from __future__ import annotations

import contextlib
import io
import os
from typing import Any

from diffdope.errors import expected
from diffdope.viewer.needed import viser_module


class Served:
    """A window that browsers look at, until `stop`.

    Args:
        server: see `start_server`.
    """

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{self._server.get_host()}:{self._server.get_port()}"

    def wait(self) -> None:
        """Serves until the process is interrupted."""
        self._server.sleep_forever()

    def stop(self) -> None:
        """Ends the server."""
        stop_server(self._server)


def start_server(host: str, port: int, label: str, command: str = "view") -> Any:
    """A server of viser, quiet, at exactly that port.

    Raises:
        DiffDopeError: if viser is not installed, or the port is taken.
    """
    import socket

    viser = viser_module(command)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:  # viser would take the next port without a word, or wait for ever
            raise expected("port", f"one that is free at {host}", f"{port} ({error})") from error
    with contextlib.redirect_stdout(io.StringIO()):  # it prints, verbose or not
        return viser.ViserServer(host=host, port=port, label=label, verbose=False)


def stop_server(server: Any) -> None:
    """Ends a server of viser, quietly."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()
