"""Masks in text: COCO's run lengths and polygons, boxes and polygons of YOLO.

Boxes and outlines of other tools: `io/detections.py`. LabelMe: `io/labelme.py`; CVAT: `io/cvat.py`; Supervisely, V7 and
ISAT: `io/tool_shapes.py`; what servers of detectors answer: `io/detector_answers.py`, and the masks in it:
`io/packed_masks.py`.

An instance is known by its label: of COCO the annotation's `id`, where each has its own; else its place, from 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.error_kinds import unknown_keys
from diffdope.errors import expected, some_of
from diffdope.io.box_tables import StatedOutline, outlines_of_table, outlines_of_xml
from diffdope.io.cvat import cvat_shapes
from diffdope.io.detections import outlines_of
from diffdope.io.detector_answers import annotations_of, box_of, check_keys, size_of, stated_boxes
from diffdope.io.json_files import parse_json, read_text
from diffdope.io.labelme import labelme_shapes
from diffdope.io.packed_masks import known_size, unpacked
from diffdope.io.regions import mask_of_box, mask_of_polygons
from diffdope.io.tool_shapes import shapes_of_tool
from diffdope.io.yaml_files import parse_yaml

Bool = NDArray[np.bool_]
Size = tuple[int, int]
_USUAL = frozenset({".json", ".txt"})
ENDINGS = _USUAL | {".xml", ".csv", ".yaml", ".yml"}


@dataclass(frozen=True)
class Instances:
    """What a file says of an image: a mask of each label, drawn when asked for.

    Attributes:
        masks: label -> function of the image's (height, width) or None, which gives its mask (H, W).
        boxes: labels of which nothing but a box is known.
    """

    masks: Mapping[int, Callable[[Size | None], Bool]]
    boxes: frozenset[int] = frozenset()

    def mask(self, label: int | None, size: Size | None, where: str) -> Bool:
        """The mask of a label, which may be None where there is only one.

        Raises:
            DiffDopeError: if there is no such label, or several and none was chosen.
        """
        if label is None and len(self.masks) == 1:
            (label,) = self.masks
        if label is not None and label in self.masks:
            return self.masks[label](size)
        if not self.masks:
            raise expected("mask", "an object", f"none in {where}: nothing is marked, or was detected, there")
        listed = some_of(self.masks)
        if label is None:
            cure = "choose one by read_mask(..., label=) or --mask-id, or give a mask of that object alone"
            raise expected("mask", "one object", f"the labels {listed} in {where}", cure)
        raise expected("mask", f"one of the labels {listed} of {where}", label, "see --mask-id")


def mask_endings(listed: Iterable[Path], images: Collection[str]) -> frozenset[str]:
    """Endings of the masks among the files of a folder: .xml, .csv and .yaml are, if there are no others; beside those
    they say something of the folder.

    Args:
        listed: the files.
        images: endings of images.
    """
    usual = _USUAL | frozenset(images)
    return usual if any(path.suffix.lower() in usual for path in listed) else ENDINGS


def read_instances(path: Path, *, image_id: int | None = None, picture: str | None = None) -> Instances:
    """The instances of an image in a .json, .txt, .xml, .csv or .yaml file.

    Args:
        path: COCO (a data set, a list of annotations, one annotation, one segmentation), LabelMe, YOLO, or what
            `io/tool_shapes.py` and `io/detections.py` read.
        image_id: which image of a file of several.
        picture: name of the photograph's file, by which its image is found among several.

    Raises:
        DiffDopeError: if the file cannot be read, or is none of these.
    """
    text, where, ending = read_text(path, "mask"), f"mask file {path}", path.suffix.lower()
    if ending == ".txt":
        return _yolo(text, where)
    if ending == ".xml":
        return _of_xml(text, where, picture)
    if ending == ".csv":
        return _outlined(outlines_of_table(text, where, picture), where)
    if ending == ".json":
        data = parse_json(text, "mask", f"JSON in {path}")
    else:
        documents = parse_yaml(text, path, "mask")
        if len(documents) != 1:
            raise expected(where, "one message of ROS", f"{len(documents)}", "keep that of the photograph")
        data = documents[0]
    shapes = shapes_of_tool(data, where)
    if shapes is not None:
        return Instances(*shapes)
    outlines = outlines_of(data, where, picture)
    return _coco(data, where, image_id, picture) if outlines is None else _outlined(outlines, where)


def _of_xml(text: str, where: str, picture: str | None) -> Instances:
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise expected(where, "XML of Pascal VOC, or of CVAT", str(error)) from error
    if root.tag == "annotations":
        return Instances(*cvat_shapes(root, where, picture))
    return _outlined(outlines_of_xml(root, where), where)


def _outlined(outlines: list[StatedOutline], where: str) -> Instances:
    masks = {n: _drawing(one, f"{where}, object {n}") for n, one in enumerate(outlines, 1)}
    return Instances(masks, frozenset(n for n, one in enumerate(outlines, 1) if one.is_box))


def _drawing(outline: StatedOutline, where: str) -> Callable[[Size | None], Bool]:
    def drawn(given: Size | None) -> Bool:
        if outline.pixels is not None:
            return outline.pixels
        height, width = size = known_size(outline.size or given, where)
        corners = outline.corners * ([width, height] if outline.shares else [1.0, 1.0])
        if not outline.is_box:
            return mask_of_polygons([corners], size, where)
        (x0, y0), (x1, y1) = corners.tolist()
        return mask_of_box((x0, y0, x1 - x0, y1 - y0), size, where)

    return drawn


def _yolo(text: str, where: str) -> Instances:
    masks: dict[int, Callable[[Size | None], Bool]] = {}
    boxes = set()
    for number, line in enumerate((line for line in text.splitlines() if line.strip()), 1):
        at, words = f"{where}, line {number}", line.split()
        if len(words) == 7 and words[-1].isdecimal():
            words = _without_track(words, at)
        try:
            values = [float(word) for word in words]
        except ValueError as error:
            wanted = "numbers of YOLO between blanks: class x y width height, or class x1 y1 x2 y2 ..."
            raise expected(at, wanted, line[:60]) from error
        if len(values) < 5 or not all(-0.5 <= value <= 1.5 for value in values[1:]):
            wanted = "class x y width height, or class x1 y1 x2 y2 ..., as shares of the picture's size"
            cure = "divide x by the picture's width, y by its height" if max(values[1:], default=0.0) > 1.5 else ""
            raise expected(at, wanted, line[:60], cure)
        if len(values) in (5, 6):  # the sixth is a confidence
            masks[number] = _yolo_box(values[1:5], at)
            boxes.add(number)
        else:
            masks[number] = _yolo_polygon(values[1:] if len(values) % 2 else values[1:-1], at)
    return Instances(masks, frozenset(boxes))


def _without_track(words: list[str], where: str) -> list[str]:
    """A box with a confidence, of seven numbers that end with the number of a track; three corners end so at the
    border of the picture, too."""
    if int(words[-1]) > 1:
        return words[:-1]
    cure = "leave out the track's number, or write the corner's with a point: 1.0"
    raise expected(where, "a box, or the corners of a polygon", f"7 numbers that end with {words[-1]}", cure)


def _yolo_box(values: list[float], where: str) -> Callable[[Size | None], Bool]:
    def drawn(size: Size | None) -> Bool:
        height, width = known_size(size, where)
        x, y, w, h = values
        return mask_of_box(((x - w / 2) * width, (y - h / 2) * height, w * width, h * height), (height, width), where)

    return drawn


def _yolo_polygon(values: list[float], where: str) -> Callable[[Size | None], Bool]:
    def drawn(size: Size | None) -> Bool:
        height, width = known_size(size, where)
        return mask_of_polygons([np.reshape(values, (-1, 2)) * [width, height]], (height, width), where)

    return drawn


def _coco(data: Any, where: str, image_id: int | None, picture: str | None) -> Instances:
    size: Size | None = None
    if isinstance(data, dict) and isinstance(data.get("shapes"), list):
        return Instances(*labelme_shapes(data, where))
    if isinstance(data, dict) and isinstance(data.get("annotations"), list):
        images = [image for image in data.get("images", []) if isinstance(image, dict)]
        image_id, size = _image_of(images, image_id, picture)
        data, size = stated_boxes(data, where), size or size_of(data)
    data = annotations_of(data, where)
    if isinstance(data, dict):
        check_keys(data, where)
        data = [data] if "segmentation" in data or "bbox" in data else [{"segmentation": data}]
    if isinstance(data, list) and data and isinstance(data[0], list | float | int):
        data = [{"segmentation": data if isinstance(data[0], list) else [data]}]
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        wanted = "annotations of COCO, shapes of LabelMe, run lengths, or what else docs/files.md lists under masks"
        raise expected(where, wanted, type(data).__name__)
    entries = _of_image(data, image_id, where)
    masks: dict[int, Callable[[Size | None], Bool]] = {}
    boxes = set()
    ids = [entry.get("id") for entry in entries]
    named = all(isinstance(one, int) for one in ids) and len(set(ids)) == len(ids)  # some write 0 in all of them
    for number, entry in enumerate(entries, 1):
        label = int(entry["id"]) if named else number
        masks[label] = _annotation(entry, size, f"{where}, annotation {label}")
        if not entry.get("segmentation"):
            boxes.add(label)
    return Instances(masks, frozenset(boxes))


def _annotation(entry: Mapping[str, Any], size: Size | None, where: str) -> Callable[[Size | None], Bool]:
    def drawn(given: Size | None) -> Bool:
        segmentation, wanted = entry.get("segmentation"), size or given
        if segmentation:
            return unpacked(segmentation, wanted, f"{where}, segmentation")
        if "bbox" in entry:
            return mask_of_box(box_of(entry, f"{where}, bbox"), known_size(wanted, where), f"{where}, bbox")
        raise unknown_keys(where, "a segmentation or a bbox", entry)

    return drawn


def _image_of(
    images: list[dict[str, Any]], image_id: int | None, picture: str | None
) -> tuple[int | None, Size | None]:
    """Number and size of the image that is meant."""
    if image_id is None and picture is not None:
        stem = Path(picture).stem
        same = [one for one in images if Path(str(one.get("file_name", ""))).stem == stem]
        image_id = same[0].get("id") if len(same) == 1 else None
    if len(images) == 1:  # whatever number it has in other files
        image_id = images[0].get("id")
    entry = next((one for one in images if one.get("id") == image_id), None)
    if entry is None or not all(isinstance(entry.get(name), int) for name in ("height", "width")):
        return image_id, None
    return image_id, (entry["height"], entry["width"])


def _of_image(entries: list[dict[str, Any]], image_id: int | None, where: str) -> list[dict[str, Any]]:
    """Those of the image that is meant."""
    ids = {json.dumps(entry.get("image_id")): entry.get("image_id") for entry in entries}
    if len(ids) <= 1 and (image_id is None or next(iter(ids.values()), None) in (None, image_id)):
        return entries
    chosen = [entry for entry in entries if entry.get("image_id") == image_id]
    if image_id is None or not chosen:
        got = "none chosen" if image_id is None else image_id
        raise expected(
            "image_id", f"one of the images {some_of(ids.values())} of {where}", got, "give --image-id (image_id=)"
        )
    return chosen
