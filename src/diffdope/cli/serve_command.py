"""`diffdope serve`: the product over HTTP."""

from __future__ import annotations

import errno
import importlib.util
import os
import warnings
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from diffdope.checked_fields import check_fields
from diffdope.cli.help_text import parsed
from diffdope.cli.progress import Activity
from diffdope.errors import expected, not_installed
from diffdope.io.json_files import read_text
from diffdope.pipelines.compilation.compile_ahead import compile_apart
from diffdope.pipelines.settings import PRESETS
from diffdope.service.limits import Limits

_NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


@dataclass(frozen=True, kw_only=True)
class ServeArguments:
    """Answers requests over HTTP: /meshes, /locate, /refine, /scene, /track. See docs/service.md, or its page /docs.

    Example: diffdope serve --port 8000 --workers 2
    """

    host: str = "127.0.0.1"
    """Address to listen at; only this machine can reach the default."""
    port: int = 8000
    """Port; 0 for a free one."""
    token_file: Path | None = None
    """File with a token that every request must bear (Authorization: Bearer TOKEN)."""
    workers: int = Limits.workers
    """Processes, each for one refinement at a time; the cores are divided among them."""
    queue: int = Limits.queue
    """Requests that may wait; the next one is answered 503."""
    meshes: int = Limits.meshes
    """Meshes that are kept ready; the least recently used is dropped."""
    tracks: int = Limits.tracks
    """Tracks that are kept."""
    track_idle_s: float = Limits.track_idle_s
    """Seconds after which an unused track may give its place to another."""
    timeout_s: float = Limits.timeout_s
    """Seconds that a request may take."""
    max_megabytes: int = Limits.max_bytes // 10**6
    """Size of a request."""
    max_megapixels: int = Limits.max_pixels // 10**6
    """Size of a picture."""
    searches: int = Limits.searches
    """Objects times views of a /scene; kinds of a /locate."""
    access_log: bool = False
    """Print a line for each request: moment, address, method, path, status, seconds."""
    warm: bool = True
    """Compile and load the kernels before the first request."""

    @property
    def limits(self) -> Limits:
        """As the service takes them."""
        same = ("workers", "queue", "meshes", "tracks", "track_idle_s", "timeout_s", "searches")
        sizes = {"max_bytes": self.max_megabytes * 10**6, "max_pixels": self.max_megapixels * 10**6}
        return Limits(**{name: getattr(self, name) for name in same}, **sizes)


def run(arguments: list[str]) -> int:
    """Serves until it is stopped, which is no error: 0, whether Ctrl-C did it or SIGTERM."""
    given: ServeArguments = parsed(ServeArguments, arguments, "diffdope serve")
    check_fields(given, {"port": 0, "max_megabytes": 1, "max_megapixels": 1})
    if given.port > 65535:
        raise expected("port", "at most 65535", given.port)
    limits, token = given.limits, token_of(given.token_file)
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise not_installed("serve", missing[0], "service")
    try:
        serve(given, limits, token)
    except KeyboardInterrupt:  # what ends a service, by SIGTERM as well (`cli/stopping.py`)
        print("stopped", flush=True)
    return 0


def token_of(path: Path | None) -> str | None:
    """The token in a file, without the line's end.

    Raises:
        DiffDopeError: if it cannot be read, or is empty or no ASCII.
    """
    if path is None:
        return None
    token = read_text(path, "token-file").strip()
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise expected("token-file", f"one word of ASCII in {path}", "none" if not token else "something else")
    return token


def serve(given: ServeArguments, limits: Limits, token: str | None) -> None:
    """Warms up, says where it listens, and answers."""
    import uvicorn
    from PIL import Image

    from diffdope.service.app import create_app

    # The limit of pixels is checked before a picture is decoded; Pillow's own would be told in the log.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    log = partial(print, flush=True) if given.access_log else None
    app = create_app(limits, token=token, processes=True, log=log)
    config = uvicorn.Config(app, host=given.host, port=given.port, log_level="warning")
    socket = _bound(given)
    with Activity("loading the kernels"):
        if given.warm:
            compile_apart(PRESETS["default"])
            warm_decoder()
        app.state.service.workers.start(warm=given.warm)
    host, port = socket.getsockname()[:2]
    if token is None and not host.startswith("127.") and host != "::1":
        print("warning: anybody who reaches this machine may use the service; see --token-file", flush=True)
    socket.listen(config.backlog)  # whoever reads the next line may connect at once
    print(f"listening at http://{f'[{host}]' if ':' in host else host}:{port}, documents at /docs", flush=True)
    _server(config, app.state.ending).run(sockets=[socket])


def _server(config: Any, ending: Any) -> Any:
    """uvicorn's server, which sets an event when it is told to end: it waits for the requests that are underway."""
    import uvicorn

    class Server(uvicorn.Server):  # type: ignore[misc]
        async def shutdown(self, sockets: Any = None) -> None:
            ending.set()
            await super().shutdown(sockets)

    return Server(config)


def warm_decoder() -> None:
    """Loads or compiles what decodes PNGs in this process."""
    from diffdope.io.images import read_image
    from diffdope.io.memory_file import MemoryFile

    file = files("diffdope") / "data" / "demo" / "depth.png"
    read_image("depth", MemoryFile("depth", file.read_bytes()))


def _bound(given: ServeArguments) -> Any:
    """The socket, before anything long is done: the port may be taken."""
    import socket

    kind = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    # asyncio sends answers at once (TCP_NODELAY) where the protocol is named, and 40 ms late where it is not.
    made = socket.socket(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((given.host, given.port))
    except OSError as error:
        made.close()
        # Of a name that nobody knows, and of an address of another machine.
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            cure = "127.0.0.1 is for this machine alone, 0.0.0.0 for whoever reaches it"
            raise expected("host", "a name or an address of this machine", f"{given.host!r}", cure) from error
        raise expected("port", f"one that is free at {given.host}", f"{given.port} ({error.strerror})") from error
    return made
