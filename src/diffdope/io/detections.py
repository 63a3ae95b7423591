"""Boxes and outlines that annotation tools and detectors write: Pascal VOC, tables, Label Studio, VIA, ROS and others.

| file | box | unit |
|---|---|---|
| VOC's .xml | bndbox: first and last pixel, counted from 1 | pixels |
| .csv with a heading | xmin ymin xmax ymax; left top width height; x_center y_center width height | pixels, shares |
| Label Studio's .json | value: x y width height, rotation; points of a polygon | percent |
| VIA's, CreateML's .json | shape_attributes; coordinates of the middle | pixels |
| .json of ultralytics | box: x1 y1 x2 y2; segments | pixels, shares |
| .json, .yaml of ROS | detections of vision_msgs/Detection2DArray | pixels |

Shares are of the picture's width and height: a table holds them if no number of it is above 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, some_of
from diffdope.io.numbers import is_number
from diffdope.io.regions import points_of
from diffdope.io.tables import rows_of

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
_MOST_PX = 1e5  # of a picture's side
_UNTOLD = ("x y w h", "x y width height", "bbox_x bbox_y bbox_width bbox_height")


class StatedOutline(NamedTuple):
    """What a file says of an object in a picture.

    corners: (N, 2) x, y; two of a box, that of its top-left and its bottom-right, or those of a polygon; from the
    picture's corner. shares: whether they are of the picture's size instead of pixels. size: (height, width) of the
    picture, where the file says.
    """

    corners: F64
    shares: bool = False
    size: Size | None = None

    @property
    def is_box(self) -> bool:
        """Whether nothing but a box is known."""
        return len(self.corners) == 2


def outlines_of_xml(text: str, where: str) -> list[StatedOutline]:
    """The objects of a file of Pascal VOC, whose pixels are counted from 1, the last of a box included.

    Raises:
        DiffDopeError: if it is none.
    """
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise expected(where, "XML of Pascal VOC", str(error)) from error
    if root.tag != "annotation":
        cure = "export as COCO's JSON" if root.tag == "annotations" else ""  # CVAT's own
        raise expected(where, "XML of Pascal VOC: <annotation>", f"<{root.tag}>", cure)
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
    return [StatedOutline(corners, shares) for _, corners in _of_picture(boxes, where, picture)]


def _columns(heading: Sequence[str], where: str) -> tuple[list[str], Callable[[list[float]], F64]]:
    for kinds, made in ((_CORNERS, _from_corners), (_SIZES, _from_size), (_MIDDLES, _from_middle)):
        for names in (kind.split() for kind in kinds):
            if set(names) <= set(heading):
                return names, made
    wanted = "a heading with xmin, ymin, xmax, ymax, or left, top, width, height, or x_center, y_center, width, height"
    untold = any(set(names.split()) <= set(heading) for names in _UNTOLD)
    cure = "x and y may be a box's corner or its middle: name them left, top, or x_center, y_center" if untold else ""
    raise expected(where, wanted, ", ".join(heading)[:60] or "an empty file", cure)


def _from_corners(values: list[float]) -> F64:
    return np.reshape(values, (2, 2))


def _from_size(values: list[float]) -> F64:
    x, y, width, height = values
    return np.array([[x, y], [x + width, y + height]])


def _from_middle(values: list[float]) -> F64:
    x, y, width, height = values
    return _from_size([x - width / 2, y - height / 2, width, height])


def outlines_of(data: Any, where: str, picture: str | None) -> list[StatedOutline] | None:
    """The objects of JSON that Label Studio, VIA, CreateML, ultralytics or ROS wrote; None for other JSON.

    Args:
        data: of the file.
        where: for errors.
        picture: name of the photograph's file, by which it is found among several.

    Raises:
        DiffDopeError: if a value is missing, is none, or the picture is not there.
    """
    if isinstance(data, Mapping) and isinstance(data.get("detections"), list):
        return [_of_ros(one, f"{where}, detections[{k}]") for k, one in enumerate(data["detections"])]
    if isinstance(data, Mapping):
        inner = data.get("_via_img_metadata", data)
        entries = list(inner.values()) if isinstance(inner, Mapping) else []
        return _of_several(entries, "regions", "filename", _of_via, where, picture)
    if not isinstance(data, list) or not data or not all(isinstance(one, Mapping) for one in data):
        return None
    if all(isinstance(one.get("box"), Mapping) for one in data):
        return [_of_ultralytics(one, f"{where}, entry {k}") for k, one in enumerate(data)]
    if all(isinstance(one.get("data"), Mapping) and isinstance(one.get("annotations"), list) for one in data):
        flat = [{"image": _name_in(one["data"]), "label": _results(one["annotations"])} for one in data]
        return _of_several(flat, "label", "image", _of_label_studio, where, picture)
    if all(isinstance(one.get("image"), str) for one in data):
        for key, made in (("label", _of_label_studio), ("annotations", _of_createml)):
            found = _of_several(data, key, "image", made, where, picture)
            if found is not None:
                return found
    return None


def _of_several(
    entries: Sequence[Any],
    key: str,
    name: str,
    made: Callable[[Any, str], StatedOutline],
    where: str,
    picture: str | None,
) -> list[StatedOutline] | None:
    """The objects of one of several pictures' entries; None if they are no such entries."""
    if not entries or not all(isinstance(one, Mapping) and isinstance(one.get(key), list) for one in entries):
        return None
    chosen = _of_picture([(str(one.get(name, k)), one[key]) for k, one in enumerate(entries)], where, picture)
    return [made(one, f"{where}, {key} {k}") for k, one in enumerate((o for _, its in chosen for o in its), 1)]


def _of_picture(entries: list[tuple[str, Any]], where: str, picture: str | None) -> list[tuple[str, Any]]:
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


def _name_in(data: Mapping[str, Any]) -> str:
    return next((value for value in data.values() if isinstance(value, str)), "")


def _results(annotations: Sequence[Any]) -> list[Any]:
    """All that was marked: of several annotations of a picture, which several people made, the first."""
    first = next((one for one in annotations if isinstance(one, Mapping) and not one.get("was_cancelled")), {})
    return [
        {**one, **(one["value"] if isinstance(one.get("value"), Mapping) else {})}
        for one in first.get("result") or [] if isinstance(one, Mapping)
    ]  # fmt: skip


def _of_label_studio(one: Any, where: str) -> StatedOutline:
    width, height = _numbers(one, ("original_width", "original_height"), where)
    if not (1.0 <= width < _MOST_PX and 1.0 <= height < _MOST_PX):
        raise expected(where, "the picture's size, original_width and original_height", f"{width:g} x {height:g}")
    scale, size = np.array([width, height]) / 100.0, (int(height), int(width))
    if isinstance(one.get("points"), list):
        return StatedOutline(points_of(one["points"], 3, where) * scale, size=size)
    if "rle" in one or "width" not in one:
        got = str(one.get("type", "another shape"))
        raise expected(where, "a rectangle or a polygon", got, "export as COCO's JSON")
    x, y, w, h = np.array(_numbers(one, ("x", "y", "width", "height"), where)) * np.tile(scale, 2)
    turn = math.radians(_numbers(one, ("rotation",), where)[0]) if one.get("rotation") else 0.0
    return StatedOutline(_turned([x, y], [0.0, 0.0, w, h], turn), size=size)


def _of_via(one: Any, where: str) -> StatedOutline:
    shape = one.get("shape_attributes") if isinstance(one, Mapping) else None
    if isinstance(shape, Mapping) and shape.get("name") == "rect":
        return StatedOutline(_from_size(_numbers(shape, ("x", "y", "width", "height"), where)))
    if isinstance(shape, Mapping) and shape.get("name") in ("polygon", "polyline"):
        return StatedOutline(_columns_of(shape, ("all_points_x", "all_points_y"), where))
    raise expected(where, "a rect or a polygon", repr(shape.get("name") if isinstance(shape, Mapping) else shape))


def _of_createml(one: Any, where: str) -> StatedOutline:
    inner = one.get("coordinates") if isinstance(one, Mapping) else None
    return StatedOutline(_from_middle(_numbers(inner, ("x", "y", "width", "height"), f"{where}, coordinates")))


def _of_ultralytics(one: Mapping[str, Any], where: str) -> StatedOutline:
    corners = _from_corners(_numbers(one["box"], ("x1", "y1", "x2", "y2"), f"{where}, box"))
    shares = bool(np.abs(corners).max() <= 1.0)
    if isinstance(one.get("segments"), Mapping):
        corners = _columns_of(one["segments"], ("x", "y"), f"{where}, segments")
    return StatedOutline(corners, shares)


def _of_ros(one: Any, where: str) -> StatedOutline:
    box = one.get("bbox") if isinstance(one, Mapping) else None
    width, height = _numbers(box, ("size_x", "size_y"), f"{where}, bbox")
    assert isinstance(box, Mapping)
    center = box.get("center")
    place = center.get("position", center) if isinstance(center, Mapping) else None
    middle = np.array(_numbers(place, ("x", "y"), f"{where}, bbox, center"))
    turn = _numbers(center, ("theta",), where)[0] if isinstance(center, Mapping) and center.get("theta") else 0.0
    return StatedOutline(_turned(middle, [-width / 2, -height / 2, width, height], turn))


def _turned(pivot: Any, box: list[float], turn_rad: float) -> F64:
    """The corners of a box (x, y, width, height about the pivot) that is turned about it, clockwise on the screen."""
    x, y, width, height = box
    if turn_rad == 0.0:
        return np.asarray(np.asarray(pivot) + _from_size(box))
    c, s = math.cos(turn_rad), math.sin(turn_rad)
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    return np.asarray(np.asarray(pivot) + corners @ np.array([[c, s], [-s, c]]))


def _numbers(value: Any, names: tuple[str, ...], where: str) -> list[float]:
    numbers = [value.get(name) if isinstance(value, Mapping) else None for name in names]
    if not all(is_number(str(one)) for one in numbers):
        raise expected(where, f"numbers {', '.join(names)}", repr(value)[:60])
    return [float(str(one)) for one in numbers]


def _columns_of(value: Mapping[str, Any], names: tuple[str, str], where: str) -> F64:
    columns = [value.get(name) for name in names]
    if not all(isinstance(one, list) for one in columns) or len(columns[0] or []) != len(columns[1] or []):
        raise expected(where, f"lists {' and '.join(names)} of one length", repr(value)[:60])
    return points_of(np.array(columns, object).T.tolist(), 3, where)
