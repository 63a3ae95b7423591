"""The interactive window: a scene, a slider over its moments, switches, pictures and words beside it."""

from __future__ import annotations

import base64
import io
import threading
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.viewer.content import Content, Moment
from diffdope.viewer.serving import Served, start_server
from diffdope.viewer.stage import SceneDrawing, look_at

_QUALITY = 88  # of JPEG pictures


class Window(Served):
    """Serves one content to any number of browsers, until `stop`.

    Args:
        content: what is shown.
        host: address to listen at.
        port: 0 for a free one.

    Raises:
        DiffDopeError: if viser is not installed, or the port is taken.
    """

    def __init__(self, content: Content, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(start_server(host, port, content.title))
        self._content, self._lock = content, threading.RLock()
        self.stage = SceneDrawing(self._server.scene, content.up)
        self._shown = -1
        self._texts: Any = None
        self._pictures: list[Any] = []
        self._drawn: Any = None
        first = content.at(content.first)
        self._server.initial_camera.position, self._server.initial_camera.look_at = look_at(content, first)
        self._build()
        self.show(content.first)

    @property
    def shown(self) -> int:
        """Number of the moment that is drawn."""
        return self._shown

    def show(self, k: int) -> None:
        """Draws the k-th moment."""
        with self._lock:
            moment = self._content.at(k)
            with self._server.atomic():
                self.stage.show(moment)
            self._shown = k
            self._texts.content = as_markdown((f"**{moment.title}**", *moment.text))
            self._draw_pictures(moment)

    def _slide(self, slider: Any) -> None:
        """Draws where the slider is now: of those places that it has passed meanwhile, nobody wants to know."""
        with self._lock:
            if int(slider.value) != self._shown:
                self.show(int(slider.value))

    def _build(self) -> None:
        gui, content = self._server.gui, self._content
        gui.configure_theme(control_width="large", show_share_button=False)
        gui.main_panel.dock_right()
        gui.add_markdown(as_markdown(content.text))
        if len(content.titles) > 1:
            slider = gui.add_slider(
                content.slider, min=0, max=len(content.titles) - 1, step=1, initial_value=content.first
            )
            slider.on_update(lambda _: self._slide(slider))
        self._texts = gui.add_markdown("")
        self.stage.show(content.at(content.first))
        with gui.add_folder("shown"):
            for kind in self.stage.kinds:
                self._add_switch(kind)
        if content.missing:
            with gui.add_folder("not shown"):
                gui.add_markdown(as_markdown(content.missing))
        self._folder = gui.add_folder("pictures", expand_by_default=True)

    def _add_switch(self, kind: str) -> None:
        box = self._server.gui.add_checkbox(kind, self.stage.is_shown(kind))
        box.on_update(lambda _: self.stage.switch(kind, bool(box.value)))

    def _draw_pictures(self, moment: Moment) -> None:
        """The 2-D pictures of a moment; made again only where the moment has others than the one before."""
        pictures = moment.pictures
        if self._drawn == pictures:
            return
        self._drawn = pictures
        for handle in self._pictures:
            handle.remove()
        with self._folder:
            self._pictures = [self._server.gui.add_html(as_html(name, image)) for name, image in pictures().items()]


def as_html(name: str, picture: NDArray[np.uint8]) -> str:
    """A picture (H, W, 3) with its name above, as HTML; viser's own images cannot be loaded in a panel that is docked.

    JPEG, since pages shall be sent by mail.
    """
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, format="JPEG", quality=_QUALITY)
    url = f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
    image = f'<img alt="{escape(name)}" src="{url}" style="max-width:100%;display:block">'
    return f'<figure style="margin:8px"><figcaption>{escape(name)}</figcaption>{image}</figure>'


def as_markdown(lines: tuple[str, ...]) -> str:
    """Lines below one another; what markdown would take for its own signs is not."""
    return "  \n".join(line if line.startswith("**") else _plain(line) for line in lines)


def _plain(line: str) -> str:
    for sign in "\\`*_{}[]<>#|":
        line = line.replace(sign, f"\\{sign}")
    return line
