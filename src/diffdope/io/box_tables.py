"""Boxes of Pascal VOC's XML and of tables with a heading; what `io/detections.py` shares with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, some_of
from diffdope.io.numbers import is_number
from diffdope.io.tables import rows_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

F64 = NDArray[np.float64]
Size = tuple[int, int]

_CORNERS = (
    "xmin ymin xmax ymax", "x_min y_min x_max y_max", "x1 y1 x2 y2", "left top right bottom",
    "bbox_xmin bbox_ymin bbox_xmax bbox_ymax", "bbox_x1 bbox_y1 bbox_x2 bbox_y2", "bx1 by1 bx2 by2",
)  # fmt: skip
_SIZES = ("left top width height", "xmin ymin width height", "bbox_left bbox_top bbox_width bbox_height")
_MIDDLES = (
    "x_center y_center width height", "xcenter ycenter width height", "cx cy w h", "center_x center_y width height",
)  # fmt: skip
_PICTURES = ("image", "filename", "file_name", "file", "image_path", "path", "image_id", "imageid", "img", "frame")
_UNTOLD = ("x y w h", "x y width height", "bbox_x bbox_y bbox_width bbox_height")


class StatedOutline(NamedTuple):
    """What a file says of an object in a picture.

    corners: (N, 2) x, y; two of a box, that of its top-left and its bottom-right, or those of a polygon; from the
    picture's corner. shares: whether they are of the picture's size instead of pixels. size: (height, width) of the
    picture, where the file says. pixels: (H, W) of what was painted, in place of an outline.
    """

    corners: F64
    shares: bool = False
    size: Size | None = None
    pixels: NDArray[np.bool_] | None = None

    @property
    def is_box(self) -> bool:
        """Whether nothing but a box is known."""
        return self.pixels is None and len(self.corners) == 2


def outlines_of_xml(root: Element, where: str) -> list[StatedOutline]:
    """The objects of a file of Pascal VOC, whose pixels are counted from 1, the last of a box included.

    Raises:
        DiffDopeError: if it is none.
    """
    if root.tag != "annotation":
        raise expected(where, "XML of Pascal VOC: <annotation>", f"<{root.tag}>", "export as COCO's JSON")
    sides = [(root.findtext(f"size/{name}") or "").strip() for name in ("height", "width")]
    known = (int(sides[0]), int(sides[1])) if all(side.isdecimal() for side in sides) else None
    found = []
    for number, thing in enumerate(root.iter("object"), 1):
        words = [thing.findtext(f"bndbox/{name}") or "" for name in ("xmin", "ymin", "xmax", "ymax")]
        if not all(map(is_number, words)):
            raise expected(f"{where}, object {number}", "numbers xmin, ymin, xmax, ymax in bndbox", ", ".join(words))
        x0, y0, x1, y1 = map(float, words)
        found.append(
            StatedOutline(np.array([[x0 - 1.0, y0 - 1.0], [x1, y1]]), size=known if known and min(known) else None)
        )
    return found


def outlines_of_table(text: str, where: str, picture: str | None) -> list[StatedOutline]:
    """The boxes of a CSV with a heading; of several pictures, those of one.

    Args:
        text: of the file.
        where: for errors.
        picture: name of the photograph's file.

    Raises:
        DiffDopeError: if the heading does not tell what the numbers are, one is none, or the picture is not there.
    """
    rows = rows_of(text, where, delimiters=",;\t")
    heading = [name.lower() for name in rows[0]] if rows else []
    names, made = _columns(heading, where)
    boxes = []
    for number, row in enumerate(rows[1:], 2):
        cells = dict(zip(heading, row, strict=False))
        words = [cells.get(name, "") for name in names]
        if not all(map(is_number, words)):
            raise expected(f"{where}, line {number}", f"numbers {', '.join(names)}", ", ".join(words))
        boxes.append((next((cells[name] for name in _PICTURES if cells.get(name)), ""), made([*map(float, words)])))
    shares = bool(boxes) and all(np.abs(corners).max() <= 1.0 for _, corners in boxes)
    return [StatedOutline(corners, shares) for _, corners in of_picture(boxes, where, picture)]


def _columns(heading: Sequence[str], where: str) -> tuple[list[str], Callable[[list[float]], F64]]:
    for kinds, made in ((_CORNERS, from_corners), (_SIZES, from_size), (_MIDDLES, from_middle)):
        for names in (kind.split() for kind in kinds):
            if set(names) <= set(heading):
                return names, made
    wanted = "a heading with xmin, ymin, xmax, ymax, or left, top, width, height, or x_center, y_center, width, height"
    untold = any(set(names.split()) <= set(heading) for names in _UNTOLD)
    cure = "x and y may be a box's corner or its middle: name them left, top, or x_center, y_center" if untold else ""
    raise expected(where, wanted, ", ".join(heading)[:60] or "an empty file", cure)


def from_corners(values: list[float]) -> F64:
    """Top-left and bottom-right corner (2, 2) of x0, y0, x1, y1."""
    return np.reshape(values, (2, 2))


def from_size(values: list[float]) -> F64:
    """The same of the top-left corner, width and height."""
    x, y, width, height = values
    return np.array([[x, y], [x + width, y + height]])


def from_middle(values: list[float]) -> F64:
    """The same of the middle, width and height."""
    x, y, width, height = values
    return from_size([x - width / 2, y - height / 2, width, height])


def of_picture(entries: list[tuple[str, Any]], where: str, picture: str | None) -> list[tuple[str, Any]]:
    """Those of a picture, where there are several. Label Studio puts letters before the name of what it is given."""
    names = list(dict.fromkeys(name for name, _ in entries))
    if len(names) < 2:
        return entries
    stem = PurePosixPath(picture).stem if picture else None
    own = {name: PurePosixPath(name.replace("\\", "/")).stem for name in names}
    same = [name for name in names if own[name] == stem]
    longer = [name for name in names if stem is not None and own[name].endswith(f"-{stem}")]
    for chosen in (same, longer):
        if len(chosen) == 1:
            return [entry for entry in entries if entry[0] == chosen[0]]
    got = f"those of {some_of(names)}"
    raise expected(where, f"objects of the picture {picture or '(none was named)'}", got, "leave the others out")
