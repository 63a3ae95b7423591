"""The same content as one HTML file: it needs no server, no net, and no other file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffdope.io.files import write_durably
from diffdope.viewer.content import Content, Moment
from diffdope.viewer.serving import start_server, stop_server
from diffdope.viewer.stage import SceneDrawing, look_at
from diffdope.viewer.window import as_html

MOST_MOMENTS, MOST_VIEWS = 40, 12
"""In a page, of one picture and of several: of more, every n-th is kept. A photograph with depth takes a megabyte."""
_STEP_S = 0.25  # from moment to moment of a film
_HOLD_S = 1.5  # on the last one, before it begins again

_STYLE = """
#diffdope-words{position:fixed;left:8px;top:8px;max-width:min(440px,36vw);max-height:calc(100vh - 96px);overflow:auto;
z-index:900;font:13px/1.45 system-ui,sans-serif;background:rgba(250,250,250,.93);color:#222;border-radius:6px;
padding:8px 12px;box-shadow:0 1px 6px rgba(0,0,0,.35)}
#diffdope-words summary{cursor:pointer;font-weight:600}
#diffdope-words p{margin:3px 0;overflow-wrap:anywhere}
"""


def write_page(path: Path, content: Content, *, most: int | None = None) -> int:
    """Writes the page: the scene with a play bar over its moments, the words, and the 2-D pictures.

    Args:
        path: of the file; it appears when all is in it.
        content: what is shown.
        most: moments that are kept; None for 40 of one picture, 12 of several.

    Returns:
        the number of moments in the page.

    Raises:
        DiffDopeError: if viser is not installed.
    """
    if most is None:
        most = MOST_MOMENTS if content.slider == "iteration" else MOST_VIEWS
    chosen = chosen_moments(len(content.titles), most)
    last = content.at(chosen[-1])
    scene = _recorded(content, chosen)
    left_out = len(content.titles) - len(chosen)
    notes = (*content.missing, *((f"{left_out} of {len(content.titles)} {content.slider}s",) if left_out else ()))
    panel = words(content, last, notes, last.pictures())
    head, body, rest = scene.partition("<body>")
    # The client's own script holds the word too, so only the first one after the head counts.
    head = re.sub("<title>.*?</title>", lambda _: f"<title>{escape(content.title)}</title>", head, count=1)
    write_durably(path, head.replace("</head>", f"<style>{_STYLE}</style></head>", 1) + body + panel + rest)
    return len(chosen)


def chosen_moments(count: int, most: int) -> list[int]:
    """At most so many of the numbers below `count`, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)}) if most > 1 else [count - 1]


def words(
    content: Content, moment: Moment, missing: tuple[str, ...], pictures: Mapping[str, NDArray[np.uint8]]
) -> str:  # fmt: skip
    """The panel of text and pictures, as HTML."""
    lines = [*content.text, *moment.text]
    parts = [f"<p>{escape(line)}</p>" for line in lines]
    if missing:
        parts.append(f"<p><b>not shown:</b> {escape('; '.join(missing))}</p>")
    parts += [as_html(name, picture) for name, picture in pictures.items()]
    return f'<details id="diffdope-words" open><summary>{escape(content.title)}</summary>{"".join(parts)}</details>'


def _recorded(content: Content, chosen: list[int]) -> str:
    """The scene as viser's own page."""
    server = start_server("127.0.0.1", 0, content.title)
    try:
        stage = SceneDrawing(server.scene, content.up)
        first = content.at(chosen[0])
        server.initial_camera.position, server.initial_camera.look_at = look_at(content, content.at(chosen[-1]))
        stage.show(first)
        recording = server.get_scene_serializer()
        for k in chosen[1:]:
            recording.insert_sleep(_STEP_S)
            stage.show(content.at(k))
        if len(chosen) > 1:
            recording.insert_sleep(_HOLD_S)
        return str(recording.as_html())
    finally:
        stop_server(server)
