"""A headless browser for what is shown in one, and commands that serve to it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
_SOFTWARE = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
# Of viser's own: it says so whenever there is no graphics card.
_KNOWN = ("THREE.Clock", "GPU stall due to ReadPixels", "GL Driver Message")
_PACKED = np.array([1, 1 << 8, 1 << 16], np.uint32)  # a colour as one number: rows are sorted five times as slowly


def why_not() -> str:
    """Why nothing can be shown here; empty where it can."""
    for name in ("viser", "playwright"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed"
    return "" if CHROMIUM else "there is no chromium"


@dataclass
class Page:
    """A page, and what went wrong in it.

    Attributes:
        page: of playwright.
        errors: errors of scripts and of the console.
        warnings: what else the console said, but for what viser says of every page.
    """

    page: Any
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def pixels(self) -> NDArray[np.uint8]:
        """The window as it is seen, (H, W, 3)."""
        import io

        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def settled(self, *, tries: int = 60, wait_ms: int = 250) -> NDArray[np.uint8]:
        """The window when two looks at it, one after the other, show the same: software draws slowly.

        Raises:
            AssertionError: if it does not come to rest.
        """
        before = self.pixels()
        for _ in range(tries):
            self.page.wait_for_timeout(wait_ms)
            now = self.pixels()
            if np.array_equal(now, before) and len(np.unique(now.astype(np.uint32) @ _PACKED)) > 2:
                return now
            before = now
        raise AssertionError("the window does not come to rest")


@contextmanager
def launched() -> Iterator[Any]:
    """A browser of playwright that draws in software, for one page after the other: to start one takes seconds."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_SOFTWARE))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(width: int = 1000, height: int = 640, browser: Any = None) -> Iterator[Page]:
    """A page with no net but this machine, which shares nothing with others of the browser.

    Args:
        width: of the window, pixels.
        height: of the window, pixels.
        browser: of `launched`; one of the page's own if it is None.
    """
    if browser is None:
        with launched() as own, opened(width, height, own) as page:
            yield page
        return
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        made = Page(context.new_page())
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.page.on("console", lambda message: _hear(made, message))
        made.page.set_default_timeout(30_000)
        yield made
    finally:
        context.close()


def _hear(page: Page, message: Any) -> None:
    if any(word in message.text for word in _KNOWN):
        return
    if message.type == "error":
        page.errors.append(message.text)
    elif message.type == "warning":
        page.warnings.append(message.text)


@contextmanager
def serving(*words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A command in a process of its own, and the address that it says it serves at."""
    command = [sys.executable, "-m", "diffdope.cli.main", *words, "--no-open"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            line = next((line for line in process.stdout if " at http://" in line), "")
            assert line, f"{' '.join(words)} did not serve"
            yield line.split(" at ")[1].split()[0].rstrip(";"), process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:  # `with` would wait for it for ever
                process.kill()
                raise
