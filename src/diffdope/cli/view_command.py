"""`diffdope view`: a result in a browser, or as one HTML page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from diffdope.bop.dataset import DataSet
from diffdope.checked_fields import check_fields
from diffdope.cli.help_text import parsed
from diffdope.cli.lists import names_of
from diffdope.cli.view_bop import bop_content
from diffdope.cli.view_sources import content_of
from diffdope.cli.window_flags import WindowFlags
from diffdope.errors import expected
from diffdope.io.files import check_folder, is_folder
from diffdope.viewer.content import Content
from diffdope.viewer.needed import viser_module


@dataclass(frozen=True, kw_only=True)
class ViewArguments(WindowFlags):
    """Shows a result in a browser: camera, photograph, depth, meshes, hypotheses, uncertainty, residuals.

    Example: diffdope view result --html result.html
    """

    result: Annotated[Path, tyro.conf.Positional]
    """Folder or result.json of refine, locate, scene or calibrate, a tracked folder, or a BOP data set with --split."""
    html: Path | None = None
    """Write one HTML page, which opens without a net, instead of serving."""
    moments: int | None = None
    """Iterations, frames or images in the page, at most. Default: 40 of one picture, 12 of several."""
    split: str | None = None
    """Of a BOP data set: folder of the scenes."""
    scene: int | None = None
    """Of a BOP data set: which scene."""
    image: int | None = None
    """Of a BOP data set: image to begin with."""
    results: Path | None = None
    """Of a BOP data set: results CSV, shown beside the truth."""
    models: str = "models,models_eval"
    """Of a BOP data set: folders of models; for each object the first that has it."""
    camera_type: str | None = None
    """Of a BOP data set: sensor, where there are several."""
    root: Path | None = None
    """Folder that the paths in a result begin from; default: here, or above the result, wherever they are found."""


def run(arguments: list[str]) -> int:
    """Shows, until it is stopped; or writes the page."""
    given: ViewArguments = parsed(ViewArguments, arguments, "diffdope view")
    check_fields(given, {"port": 0, "scene": 0, "image": 0, "moments": 1})
    viser_module("view")
    if given.html is not None:
        check_folder(given.html.absolute().parent, "html")
        if is_folder(given.html):
            raise expected("html", "the file to write", f"the folder {given.html}", "name a file in it")
    if given.root is not None and (given.split is not None or not is_folder(given.root)):
        wanted = "none beside --split" if given.split is not None else "a folder that exists"
        raise expected("root", wanted, given.root)
    content = _content(given)
    for line in content.missing:
        print(f"not shown: {line}")
    return _write(given.html, content, given.moments) if given.html is not None else _serve(given, content)


def _content(given: ViewArguments) -> Content:
    if given.split is None:
        for name in ("scene", "image", "results"):
            if getattr(given, name) is not None:
                raise expected(name, "--split beside it: it is of a BOP data set", getattr(given, name))
        return content_of(given.result, given.root)
    dataset = DataSet.open(given.result, given.split, models=names_of(given.models), camera_type=given.camera_type)
    return bop_content(dataset, given.results, given.scene, given.image)


def _write(path: Path, content: Content, most: int | None) -> int:
    from diffdope.viewer.page import write_page

    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    count = write_page(path, content, most=most)
    print(f"page: {path} ({count} {content.slider}{'s' if count != 1 else ''}, {path.stat().st_size / 1e6:.1f} MB)")
    return 0


def _serve(given: ViewArguments, content: Content) -> int:
    from diffdope.viewer.window import Window

    window = Window(content, host=given.host, port=given.port)
    given.show(window, f"viewing at {window.url}")
    return 0
