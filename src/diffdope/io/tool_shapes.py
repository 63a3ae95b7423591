"""Masks in the JSON of Supervisely, V7 Darwin and ISAT.

| tool | where | objects |
|---|---|---|
| Supervisely | `size`, `objects` | `bitmap` (a crop: PNG, zlib, base64), or `points` of a polygon or a rectangle |
| V7 Darwin 1.0, 2.0 | `item` or `image`, `annotations` | `polygon`: paths, holes among them; or `bounding_box` |
| ISAT | `info`, `objects` | `segmentation`: polygons; those of one `group` are one object |
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.error_kinds import unknown_keys
from diffdope.errors import expected
from diffdope.io.labelme import Drawing, Size
from diffdope.io.packed_masks import known_size, picture_of_bytes
from diffdope.io.regions import mask_of_box, mask_of_polygons, points_of

Bool = NDArray[np.bool_]
Shapes = tuple[dict[int, Drawing], frozenset[int]]

_NO_AREAS = ("point", "line", "graph", "cuboid", "keypoint", "ellipse", "skeleton", "string", "tag")
_MOST_BYTES = 2**26  # of the PNG of a crop: a damaged file may promise any number
_BACKGROUND = "__background__"  # ISAT's category of what is cut out of its group


def shapes_of_tool(data: Any, where: str) -> Shapes | None:
    """The masks of the objects by their place, from 1, and which are boxes; None for a file of another tool.

    Args:
        data: of the file.
        where: for errors.

    Raises:
        DiffDopeError: if an object is not as the tool writes it.
    """
    if not isinstance(data, Mapping):
        return None
    size, info = data.get("size"), data.get("info")
    if isinstance(data.get("objects"), list):
        if isinstance(size, Mapping) and {"width", "height"} <= set(size):
            return _drawn(data["objects"], partial(_supervisely, size=_stated(size)), where)
        if isinstance(info, Mapping) and {"width", "height"} <= set(info):
            groups: dict[str, list[Any]] = {}
            for one in data["objects"]:
                groups.setdefault(repr(one.get("group")) if isinstance(one, Mapping) else "", []).append(one)
            together = [{"group": parts} for parts in groups.values()]
            return _drawn(together, partial(_isat, size=_stated(info)), where)
    if isinstance(data.get("annotations"), list) and not any(map(_is_coco, data["annotations"])):
        item, image = data.get("item"), data.get("image")
        slots = item.get("slots") if isinstance(item, Mapping) else [image] if isinstance(image, Mapping) else None
        if isinstance(slots, list):
            known = slots[0] if slots and isinstance(slots[0], Mapping) else {}
            return _drawn(data["annotations"], partial(_darwin, size=_stated(known)), where)
    return None


def _is_coco(annotation: Any) -> bool:
    """Whether it is an annotation of COCO: those of Segment Anything's data have an `image` beside them, too."""
    return isinstance(annotation, Mapping) and bool({"segmentation", "bbox"} & set(annotation))


def _stated(said: Mapping[str, Any]) -> Size | None:
    height, width = said.get("height"), said.get("width")
    return (height, width) if type(height) is int and type(width) is int else None  # True is an int, too


def _drawn(objects: Sequence[Any], drawing: Any, where: str) -> Shapes:
    masks: dict[int, Drawing] = {}
    boxes = set()
    for number, one in enumerate(objects, 1):
        at = f"{where}, object {number}"
        if not isinstance(one, Mapping):
            raise expected(at, "an object", type(one).__name__)
        found = drawing(one, where=at)
        if found is not None:
            masks[number], is_box = found
            boxes |= {number} if is_box else set()
    return masks, frozenset(boxes)


def _supervisely(one: Mapping[str, Any], *, size: Size | None, where: str) -> tuple[Drawing, bool] | None:
    """Points are pixels: the middle of the first is (0, 0) there, and the last of a rectangle belongs to it."""
    kind, points = one.get("geometryType"), one.get("points")
    if isinstance(one.get("bitmap"), Mapping):
        return partial(_bitmap, one["bitmap"], size, where), False
    if kind in _NO_AREAS:
        return None
    if kind not in ("polygon", "rectangle") or not isinstance(points, Mapping):
        raise expected(where, "geometryType bitmap, polygon or rectangle", repr(kind))
    outer = points_of(points.get("exterior"), 2, where)
    if kind == "rectangle":
        (x0, y0), (x1, y1) = outer.min(axis=0).tolist(), outer.max(axis=0).tolist()
        return partial(_box, (x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0), size, where), True
    inner = [points_of(hole, 3, where) for hole in _listed(points.get("interior"), where)]
    return partial(_rings, [part + 0.5 for part in (outer, *inner)], size, where), False


def _darwin(one: Mapping[str, Any], *, size: Size | None, where: str) -> tuple[Drawing, bool] | None:
    polygon, box = one.get("polygon"), one.get("bounding_box")
    if isinstance(polygon, Mapping):
        further = _listed(polygon.get("additional_paths"), where)
        paths = _listed(polygon.get("paths"), where) or [polygon.get("path"), *further]
        return partial(_rings, [_xy(path, where) for path in paths], size, where), False
    if isinstance(box, Mapping):
        return partial(_box, [box.get(name) for name in "xywh"], size, where), True
    if set(one) & set(_NO_AREAS):
        return None
    raise unknown_keys(where, "a polygon or a bounding_box", one, "export masks as polygons, or as COCO's JSON")


def _listed(value: Any, where: str) -> list[Any]:
    """A list, which may be missing."""
    if not isinstance(value, list | None):
        raise expected(where, "a list of paths", repr(value)[:60])
    return value or []


def _xy(path: Any, where: str) -> NDArray[np.float64]:
    if not isinstance(path, list) or not all(isinstance(one, Mapping) for one in path):
        raise expected(where, 'a path [{"x": ..., "y": ...}, ...]', repr(path)[:60])
    return points_of([[one.get("x"), one.get("y")] for one in path], 3, where)


def _isat(together: Mapping[str, Any], *, size: Size | None, where: str) -> tuple[Drawing, bool] | None:
    """Polygons of a group, each above those of lower layers; the background's are cut out."""
    parts = []
    for one in together["group"]:
        if not isinstance(one, Mapping) or not isinstance(one.get("segmentation"), list):
            raise expected(where, "an object with a segmentation", repr(one)[:60])
        layer = one.get("layer", 0)
        parts.append((layer if isinstance(layer, int | float) else 0, one.get("category") != _BACKGROUND, one))
    parts.sort(key=lambda part: part[0])
    rings = [(covers, points_of(one["segmentation"], 3, where)) for _, covers, one in parts]
    return (partial(_layers, rings, size, where), False) if any(covers for covers, _ in rings) else None


def _box(box: Any, size: Size | None, where: str, given: Size | None) -> Bool:
    return mask_of_box(box, known_size(size or given, where), where)


def _rings(rings: Sequence[NDArray[np.float64]], size: Size | None, where: str, given: Size | None) -> Bool:
    """What an odd number of the rings surrounds: holes lie within outlines."""
    mask = np.zeros(known_size(size or given, where), bool)
    for ring in rings:
        mask ^= mask_of_polygons([ring], mask.shape, where)
    return mask


def _layers(
    rings: Sequence[tuple[bool, NDArray[np.float64]]], size: Size | None, where: str, given: Size | None
) -> Bool:
    mask = np.zeros(known_size(size or given, where), bool)
    for covers, ring in rings:
        mask[mask_of_polygons([ring], mask.shape, where)] = covers
    return mask


def _bitmap(bitmap: Mapping[str, Any], size: Size | None, where: str, given: Size | None) -> Bool:
    at, wanted = f"{where}, bitmap", "a PNG, compressed by zlib, in base64, and its origin"
    mask = np.zeros(known_size(size or given, at), bool)
    try:
        packed = base64.b64decode(bitmap["data"], validate=True)
        png = zlib.decompressobj().decompress(packed, _MOST_BYTES)
        x, y = (int(value) for value in bitmap["origin"])
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error, zlib.error) as error:
        raise expected(at, wanted, repr(bitmap)[:60]) from error
    crop = picture_of_bytes(png, at)
    rows, columns = crop.shape
    if not (x >= 0 and y >= 0 and x + columns <= mask.shape[1] and y + rows <= mask.shape[0]):
        inside = f"a crop of the {mask.shape[1]} x {mask.shape[0]} image"
        raise expected(at, inside, f"{columns} x {rows} pixels at {x}, {y}")
    mask[y : y + rows, x : x + columns] = crop
    return mask
