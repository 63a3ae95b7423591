"""The flags of commands that open a window in a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffdope.annotate.window import AnnotationWindow
    from diffdope.viewer.window import Window


@dataclass(frozen=True, kw_only=True)
class WindowFlags:
    """Where it is served; a command's arguments are a subclass."""

    host: str = "127.0.0.1"
    """Address to serve at; only this machine can reach the default."""
    port: int = 0
    """Port; 0 for a free one."""
    open: bool = True
    """Open a browser."""

    def show(self, window: Window | AnnotationWindow, words: str) -> None:
        """Serves a window until Ctrl-C, and says so with some words."""
        import webbrowser

        try:
            print(f"{words}; Ctrl-C ends it", flush=True)
            if self.open:
                webbrowser.open(window.url)
            window.wait()
        except KeyboardInterrupt:
            pass
        finally:
            window.stop()
