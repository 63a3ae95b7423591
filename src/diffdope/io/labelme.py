"""LabelMe's shapes as masks: polygons, boxes (turned, too), circles, and masks that a network drew."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.io.packed_masks import known_size, picture_of_base64
from diffdope.io.regions import mask_of_box, mask_of_polygons, points_of

Bool = NDArray[np.bool_]
Size = tuple[int, int]
Drawing = Callable[[Size | None], Bool]

_AREAS = ("polygon", "rectangle", "rotation", "circle", "mask")
_NO_AREAS = ("point", "points", "line", "linestrip")
_CORNERS = 180  # of a circle, drawn as a polygon: a radius of 1000 pixels is off by 0.2


def labelme_shapes(data: Mapping[str, Any], where: str) -> tuple[dict[int, Drawing], frozenset[int]]:
    """The masks of the shapes, by their place, from 1, and those that are upright boxes.

    Points and lines cover nothing, and are passed over.

    Args:
        data: of the file.
        where: for errors.

    Raises:
        DiffDopeError: if a shape is of another kind, or its points are none.
    """
    height, width = data.get("imageHeight"), data.get("imageWidth")
    known = (height, width) if isinstance(height, int) and isinstance(width, int) else None
    masks: dict[int, Drawing] = {}
    boxes = set()
    for number, shape in enumerate(data["shapes"], 1):
        at = f"{where}, shape {number}"
        kind = (shape.get("shape_type") or "polygon") if isinstance(shape, Mapping) else None
        if kind in _NO_AREAS:
            continue
        if kind not in _AREAS:
            raise expected(at, f"a shape of the kinds {', '.join(_AREAS)}", repr(kind))
        points = points_of(shape.get("points"), 2, at)
        if kind == "mask":
            masks[number] = partial(_pasted, shape.get("mask"), points, known, at)
        elif kind == "rectangle" and len(points) in (2, 4) and _upright(points):
            masks[number] = partial(_boxed, points, known, at)
            boxes.add(number)
        else:
            masks[number] = partial(_filled, _circle(points) if kind == "circle" else points, known, at)
    return masks, frozenset(boxes)


def _upright(points: NDArray[np.float64]) -> bool:
    """Whether two corners are told, or four of which each side is level or plumb."""
    if len(points) == 2:
        return True
    sides = np.abs(points - np.roll(points, 1, axis=0))
    return bool((sides.min(axis=1) < 0.5).all())  # pixels


def _boxed(points: NDArray[np.float64], known: Size | None, where: str, given: Size | None) -> Bool:
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return mask_of_box((x0, y0, x1 - x0, y1 - y0), known_size(known or given, where), where)


def _filled(corners: NDArray[np.float64], known: Size | None, where: str, given: Size | None) -> Bool:
    return mask_of_polygons([corners], known_size(known or given, where), where)


def _circle(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of a middle and a point on it."""
    middle, edge = points[:2]
    angles = np.arange(_CORNERS) * (2.0 * math.pi / _CORNERS)
    return np.asarray(middle + np.linalg.norm(edge - middle) * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def _pasted(packed: Any, points: NDArray[np.float64], known: Size | None, where: str, given: Size | None) -> Bool:
    """The mask whose crop is stored, at the pixel of its first point, which is the top-left one."""
    if not isinstance(packed, str):
        raise expected(f"{where}, mask", "an image in base64", type(packed).__name__)
    crop, size = picture_of_base64(packed, f"{where}, mask"), known_size(known or given, where)
    x, y = np.rint(points.min(axis=0)).astype(int).tolist()
    rows, columns = crop.shape
    if not (x >= 0 and y >= 0 and x + columns <= size[1] and y + rows <= size[0]):
        wanted = f"a crop of the {size[1]} x {size[0]} image"
        raise expected(f"{where}, mask", wanted, f"{columns} x {rows} pixels at {x}, {y}")
    mask = np.zeros(size, bool)
    mask[y : y + rows, x : x + columns] = crop
    return mask
