"""A result as a notebook shows it: one line, and the overlay."""

from __future__ import annotations

import base64
import io
from html import escape

from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.draw import overlay

_GONE = "the images are not kept with it: dd.overlay(mesh, observation, result) draws it"


def png_of(result: RefinementResult, seen: tuple[Mesh, Observation] | None) -> bytes | None:
    """The overlay as PNG; None where the images are gone.

    Args:
        result: of a refinement.
        seen: mesh and images that it is of, while somebody holds them.
    """
    if seen is None:
        return None
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(overlay(*seen, result)).save(data, format="PNG")
    return data.getvalue()


def html_of(result: RefinementResult, seen: tuple[Mesh, Observation] | None) -> str:
    """One line and the overlay, or what draws it.

    Args:
        result: of a refinement.
        seen: as for `png_of`.
    """
    line = in_one_line(result)
    picture = png_of(result, seen)
    if picture is None:
        return f"<div>{escape(line)}<br><small>{escape(_GONE)}</small></div>"
    url = f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"
    return f'<div>{escape(line)}<br><img alt="overlay" style="max-width:100%" src="{url}"></div>'


def in_one_line(result: RefinementResult) -> str:
    """Status, confidence, place and time."""
    sure = "" if result.confidence is None else f", confidence {result.confidence:.2f}"
    x, y, z = 1e3 * result.pose.t_m2c
    return f"{result.status}{sure}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm, {result.elapsed_s:.2f} s: {result.message}"
