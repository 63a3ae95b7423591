"""Boxes and outlines that annotation tools and detectors write: Pascal VOC, tables, Label Studio, VIA, ROS and others.

| file | box | unit |
|---|---|---|
| VOC's .xml | bndbox: first and last pixel, counted from 1 | pixels |
| .csv with a heading | xmin ymin xmax ymax; left top width height; x_center y_center width height | pixels, shares |
| Label Studio's .json | value: x y width height, rotation; points of a polygon; rle of a brush | percent |
| VIA's, CreateML's .json | shape_attributes; coordinates of the middle | pixels |
| .json of ultralytics, of its server | box: x1 y1 x2 y2; segments | pixels, shares |
| .json of Hugging Face's pipelines | box: xmin ymin xmax ymax | pixels |
| .json of Roboflow's servers | predictions: x y of the middle, width, height; points | pixels |
| .json, .yaml of ROS | detections of vision_msgs/Detection2DArray | pixels |

Shares are of the picture's width and height: a table holds them if no number of it is above 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.io.box_tables import StatedOutline, from_corners, from_middle, from_size, of_picture
from diffdope.io.numbers import is_number
from diffdope.io.regions import points_of
from diffdope.io.rle import decode_brush

F64 = NDArray[np.float64]

_MOST_PX = 1e5  # of a picture's side


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
    if isinstance(data, Mapping) and isinstance(data.get("predictions"), list) and "image" in data:
        return _of_roboflow(data, where)
    if isinstance(data, Mapping) and isinstance(data.get("images"), list) and "metadata" in data:
        data = _of_ultralytics_server(data["images"], where)
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
    chosen = of_picture([(str(one.get(name, k)), one[key]) for k, one in enumerate(entries)], where, picture)
    return [made(one, f"{where}, {key} {k}") for k, one in enumerate((o for _, its in chosen for o in its), 1)]


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
    if "rle" in one:
        return StatedOutline(np.empty((0, 2)), pixels=decode_brush(one["rle"], size, f"{where}, rle"))
    if "width" not in one:
        got = str(one.get("type", "another shape"))
        raise expected(where, "a rectangle, a polygon or a brush", got, "export as COCO's JSON")
    x, y, w, h = np.array(_numbers(one, ("x", "y", "width", "height"), where)) * np.tile(scale, 2)
    turn = math.radians(_numbers(one, ("rotation",), where)[0]) if one.get("rotation") else 0.0
    return StatedOutline(_turned([x, y], [0.0, 0.0, w, h], turn), size=size)


def _of_via(one: Any, where: str) -> StatedOutline:
    shape = one.get("shape_attributes") if isinstance(one, Mapping) else None
    if isinstance(shape, Mapping) and shape.get("name") == "rect":
        return StatedOutline(from_size(_numbers(shape, ("x", "y", "width", "height"), where)))
    if isinstance(shape, Mapping) and shape.get("name") in ("polygon", "polyline"):
        return StatedOutline(_columns_of(shape, ("all_points_x", "all_points_y"), where))
    raise expected(where, "a rect or a polygon", repr(shape.get("name") if isinstance(shape, Mapping) else shape))


def _of_createml(one: Any, where: str) -> StatedOutline:
    inner = one.get("coordinates") if isinstance(one, Mapping) else None
    return StatedOutline(from_middle(_numbers(inner, ("x", "y", "width", "height"), f"{where}, coordinates")))


def _of_ultralytics_server(images: Sequence[Any], where: str) -> Any:
    """What its own server answers: an entry for each picture that was sent."""
    if len(images) != 1 or not isinstance(images[0], Mapping):
        raise expected(f"{where}, images", "the answer of one picture", len(images), "send one, or keep its entry")
    return images[0].get("results")


def _of_roboflow(data: Mapping[str, Any], where: str) -> list[StatedOutline]:
    """Its inference servers' answer: x and y are the middle of a box."""
    width, height = _numbers(data["image"], ("width", "height"), f"{where}, image")
    found = []
    for number, one in enumerate(data["predictions"], 1):
        at = f"{where}, prediction {number}"
        corners = from_middle(_numbers(one, ("x", "y", "width", "height"), at))
        if isinstance(one.get("points"), list):
            pairs = [_numbers(point, ("x", "y"), f"{at}, points") for point in one["points"]]
            corners = points_of(pairs, 3, at)
        found.append(StatedOutline(corners, size=(int(height), int(width))))
    return found


def _of_ultralytics(one: Mapping[str, Any], where: str) -> StatedOutline:
    names = ("xmin", "ymin", "xmax", "ymax") if "xmin" in one["box"] else ("x1", "y1", "x2", "y2")  # Hugging Face's
    corners = from_corners(_numbers(one["box"], names, f"{where}, box"))
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
        return np.asarray(np.asarray(pivot) + from_size(box))
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
