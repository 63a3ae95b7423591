"""What servers and libraries of detection answer, as annotations of COCO: {"segmentation": ..., "bbox": ...}.

| answer | of |
|---|---|
| {"masks": [...]}, {"mask": ...}, also in a list | servers of Segment Anything and others |
| {"boxes" or "bboxes": [...], "box_format": "xyxy"} | torchvision, Transformers, MMDetection |
| {"annotations": [...], "box_format": "xyxy", "img_width", "img_height"} | Grounded SAM 2 |
| "bbox_mode" in an annotation | Detectron2 |

Four numbers are a corner and a size in COCO, and two corners elsewhere. Both may be boxes of one picture, so of answers
that do not say which they are none is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diffdope.error_kinds import unknown_keys
from diffdope.errors import expected
from diffdope.io.packed_masks import rows_of_pixels

MASKS, BOXES, FORMATS = ("masks", "mask", "segmentations"), ("boxes", "bboxes"), ("box_format", "bbox_format")
_LEFT_TOP = ("xywh", "ltwh", "xywh_abs", "1")
_CORNERS = ("xyxy", "ltrb", "x1y1x2y2", "pascal_voc", "xyxy_abs", "0")
_MIDDLES = ("cxcywh", "xcycwh")


def annotations_of(data: Any, where: str) -> Any:
    """The annotations of an answer; what is no such answer as it is.

    Args:
        data: of the file.
        where: for errors.

    Raises:
        DiffDopeError: if it has boxes alone and does not say what their numbers are, or they are none.
    """
    if isinstance(data, list) and data and all(isinstance(one, Mapping) and "mask" in one for one in data):
        return [{"segmentation": one["mask"]} for one in data]  # a pipeline of Hugging Face, masks in base64
    if not isinstance(data, Mapping):
        rows = rows_of_pixels(data)
        return data if rows is None else [{"segmentation": one.tolist()} for one in _layers(rows)]
    for name in MASKS:
        if data.get(name) is not None:
            return [_annotation(one) for one in _several(data[name])]
    for name in BOXES:
        if isinstance(data.get(name), list):
            stated = next((data[key] for key in FORMATS if key in data), None)
            if stated is None:
                cure = 'write "box_format": "xyxy" beside them, or "xywh" where the last two are width and height'
                raise expected(f"{where}, {name}", "a word on what the four numbers of a box are", "none", cure)
            return [{"bbox": as_coco(one, stated, f"{where}, {name} {k}")} for k, one in enumerate(data[name], 1)]
    return data


def check_keys(data: Mapping[str, Any], where: str) -> None:
    """Refuses a JSON object that is neither an answer, nor an annotation, nor run lengths.

    Raises:
        DiffDopeError: if it is none.
    """
    if not {"segmentation", "bbox", "counts"} & set(data):
        wanted = "annotations of COCO, shapes of LabelMe, masks, run lengths, or what else docs/files.md lists"
        raise unknown_keys(where, wanted, data, "export as COCO's JSON, or as images")


def stated_boxes(data: Mapping[str, Any], where: str) -> list[Any]:
    """The annotations of a data set, their boxes as COCO has them where it says that they are something else.

    Args:
        data: the data set.
        where: for errors.

    Raises:
        DiffDopeError: if what it says is unknown, or a box is none.
    """
    stated = next((data[name] for name in FORMATS if name in data), None)
    return [one if stated is None else _with_box(one, stated, where, n) for n, one in enumerate(data["annotations"], 1)]


def box_of(entry: Mapping[str, Any], where: str) -> Any:
    """The box of an annotation as COCO has it: x, y, width, height.

    Args:
        entry: the annotation; Detectron2's says what its numbers are (`bbox_mode`).
        where: for errors.

    Raises:
        DiffDopeError: if that is unknown.
    """
    return entry["bbox"] if "bbox_mode" not in entry else as_coco(entry["bbox"], entry["bbox_mode"], where)


def as_coco(box: Any, stated: object, where: str) -> list[float]:
    """A box of any kind as x, y of its top-left corner, width, height.

    Args:
        box: four numbers.
        stated: what they are.
        where: for errors.

    Raises:
        DiffDopeError: if that is unknown, or they are no four numbers.
    """
    word = str(stated).lower().rpartition(".")[2]
    try:
        a, b, c, d = (float(one) for one in box)
    except (TypeError, ValueError, OverflowError) as error:
        raise expected(where, "a box of four numbers", repr(box)[:60]) from error
    if word in _LEFT_TOP:
        return [a, b, c, d]
    if word in _CORNERS:
        return [a, b, c - a, d - b]
    if word in _MIDDLES:
        return [a - c / 2, b - d / 2, c, d]
    raise expected(f"{where}: its format", "xyxy, xywh or cxcywh, in pixels", repr(stated))


def size_of(data: Mapping[str, Any]) -> tuple[int, int] | None:
    """The size (height, width) that Grounded SAM 2 states of its picture."""
    sides = data.get("img_height"), data.get("img_width")
    return (sides[0], sides[1]) if isinstance(sides[0], int) and isinstance(sides[1], int) else None


def _with_box(entry: Any, stated: object, where: str, number: int) -> Any:
    if not isinstance(entry, Mapping) or "bbox" not in entry:
        return entry
    return {**entry, "bbox": as_coco(entry["bbox"], stated, f"{where}, annotation {number}, bbox")}


def _several(value: Any) -> Sequence[Any]:
    """The masks of an answer, which may be one."""
    if isinstance(value, str) or (isinstance(value, Mapping) and {"size", "counts"} <= set(value)):
        return [value]
    if isinstance(value, Mapping):  # by name
        return list(value.values())
    rows = rows_of_pixels(value)
    if rows is not None:
        return [layer.tolist() for layer in _layers(rows)]
    if isinstance(value, list) and value and isinstance(value[0], int | float):
        return [value]
    return value if isinstance(value, list) else [value]


def _layers(rows: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    return list(rows) if rows.ndim == 3 else [rows]


def _annotation(value: Any) -> Mapping[str, Any]:
    of_object = isinstance(value, Mapping) and not {"size", "counts"} <= set(value)
    if of_object and "mask" in value:
        return {"segmentation": value["mask"]}
    return value if of_object else {"segmentation": value}
