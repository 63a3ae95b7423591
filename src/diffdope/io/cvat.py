"""Masks of CVAT's own XML for images: polygons, boxes, ellipses, and run lengths within a box, row by row."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, some_of
from diffdope.io.numbers import is_number
from diffdope.io.regions import mask_of_box, mask_of_polygons

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Bool = NDArray[np.bool_]
F64 = NDArray[np.float64]
Size = tuple[int, int]
Drawing = Callable[[Size | None], Bool]

_CORNERS = 180  # of an ellipse, drawn as a polygon
_LARGEST = 1 << 28  # pixels: no camera has as many


def cvat_shapes(root: Element, where: str, picture: str | None) -> tuple[dict[int, Drawing], frozenset[int]]:
    """The masks of a picture's shapes, by their place, from 1, and those that are upright boxes.

    Points, lines and cuboids cover nothing that could be a mask, and are passed over.

    Args:
        root: <annotations>.
        where: for errors.
        picture: name of the photograph's file, by which it is found among several.

    Raises:
        DiffDopeError: if the picture is not there, or a shape's numbers are none.
    """
    images = root.findall("image")
    if not images:
        raise expected(where, "CVAT's XML for images, <image>", "none", "export as CVAT for images, or as COCO's JSON")
    image = _chosen(images, where, picture)
    size = _size_of(image, where)
    masks: dict[int, Drawing] = {}
    boxes = set()
    for shape in image:
        number, make = len(masks) + 1, _DRAWN.get(shape.tag)
        if make is None:
            continue
        at = f"{where}, {shape.tag} {number}"
        masks[number] = partial(make, shape, size, at)
        if shape.tag == "box" and not _rotation_deg(shape, at):
            boxes.add(number)
    return masks, frozenset(boxes)


def _chosen(images: list[Element], where: str, picture: str | None) -> Element:
    if len(images) == 1:
        return images[0]
    stem = PurePosixPath(picture).stem if picture else None
    names = [(one.get("name") or "").replace("\\", "/") for one in images]
    same = [one for one, name in zip(images, names, strict=True) if PurePosixPath(name).stem == stem]
    if len(same) != 1:
        wanted = f"shapes of the picture {picture or '(none was named)'}, once"
        raise expected(where, wanted, f"those of {some_of(names)}", "leave the others out")
    return same[0]


def _size_of(image: Element, where: str) -> Size:
    height, width = (image.get(name) or "" for name in ("height", "width"))
    if not (height.isdecimal() and width.isdecimal() and 0 < int(height) * int(width) <= _LARGEST):
        raise expected(where, "width and height of the image, in pixels", f"{width!r} and {height!r}")
    return int(height), int(width)


def _numbers(shape: Element, names: str, where: str) -> list[float]:
    words = [shape.get(name) or "" for name in names.split()]
    if not all(map(is_number, words)):
        raise expected(where, f"numbers {names.replace(' ', ', ')}", ", ".join(words))
    return [float(word) for word in words]


def _rotation_deg(shape: Element, where: str) -> float:
    return _numbers(shape, "rotation", where)[0] if shape.get("rotation") else 0.0


def _turned(corners: F64, middle: F64, shape: Element, where: str) -> F64:
    """Corners about the middle, turned clockwise on the screen by `rotation`, degrees."""
    angle = math.radians(_rotation_deg(shape, where))
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(middle + corners @ np.array([[c, s], [-s, c]]))


def _polygon(shape: Element, size: Size, where: str, given: Size | None) -> Bool:
    words = (shape.get("points") or "").replace(";", ",").split(",")
    if len(words) < 6 or len(words) % 2 or not all(map(is_number, words)):
        raise expected(where, 'points "x,y;x,y;..." of three corners or more', repr(shape.get("points"))[:60])
    return mask_of_polygons([[float(word) for word in words]], size, where)


def _box(shape: Element, size: Size, where: str, given: Size | None) -> Bool:
    x0, y0, x1, y1 = _numbers(shape, "xtl ytl xbr ybr", where)
    if not _rotation_deg(shape, where):
        return mask_of_box((x0, y0, x1 - x0, y1 - y0), size, where)
    half = np.array([x1 - x0, y1 - y0]) / 2.0
    corners = half * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return mask_of_polygons([_turned(corners, np.array([x0, y0]) + half, shape, where)], size, where)


def _ellipse(shape: Element, size: Size, where: str, given: Size | None) -> Bool:
    cx, cy, rx, ry = _numbers(shape, "cx cy rx ry", where)
    angles = np.arange(_CORNERS) * (2.0 * math.pi / _CORNERS)
    corners = np.stack([rx * np.cos(angles), ry * np.sin(angles)], axis=1)
    return mask_of_polygons([_turned(corners, np.array([cx, cy]), shape, where)], size, where)


def _runs(shape: Element, size: Size, where: str, given: Size | None) -> Bool:
    """Counts of 0, of 1, of 0, ... of the box's pixels, row by row."""
    left, top, width, height = (int(one) for one in _numbers(shape, "left top width height", where))
    words = [word.strip() for word in (shape.get("rle") or "").split(",")]
    runs = np.array([int(word) if word.isdecimal() and len(word) < 10 else -1 for word in words])
    fits = left >= 0 and top >= 0 and width > 0 and height > 0 and left + width <= size[1] and top + height <= size[0]
    if not fits or (runs < 0).any() or runs.sum() != width * height:
        wanted = f"runs that add up to {width} x {height} pixels within the {size[1]} x {size[0]} image"
        raise expected(f"{where}, rle", wanted, repr(shape.get("rle"))[:60])
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(
        height, width
    )
    return mask


_DRAWN: dict[str, Callable[[Element, Size, str, Size | None], Bool]] = {
    "polygon": _polygon, "box": _box, "ellipse": _ellipse, "mask": _runs,
}  # fmt: skip
