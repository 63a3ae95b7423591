"""Masks that a detector found: BOP's JSON of 2D detections, with COCO run lengths, or boxes alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_number, expected
from diffdope.io.json_files import field_of, integer_field, read_json
from diffdope.io.regions import mask_of_box
from diffdope.io.rle import decode_rle


@dataclass(frozen=True)
class Detection:
    """One detected object; its mask stays packed until it is asked for. Of some, only a box is known."""

    number: int
    scene_id: int
    im_id: int
    obj_id: int
    score: float
    segmentation: Any
    bbox: Any
    where: str

    def mask(self, size: Callable[[], tuple[int, int]]) -> NDArray[np.bool_]:
        """Mask (H, W): of a box, all pixels in it.

        Args:
            size: gives (height, width) of the image, which boxes do not have.

        Raises:
            DiffDopeError: if run lengths or box are broken.
        """
        if self.segmentation is None:
            return mask_of_box(self.bbox, size(), f"{self.where}, bbox")
        return decode_rle(self.segmentation, f"{self.where}, segmentation")


def read_detections(path: str | Path) -> dict[tuple[int, int], tuple[Detection, ...]]:
    """Detections by (scene, image), of one file, or of all *.json of a folder in the order of their names.

    Raises:
        DiffDopeError: if a file is no list of detections or one lacks a key: file and entry are named.
    """
    path = Path(path)
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise expected("masks", f"a JSON file of detections in {path}", "none")
    found: dict[tuple[int, int], list[Detection]] = {}
    for file in files:
        entries = read_json(file)
        if not isinstance(entries, list):
            raise expected(str(file), "a list of detections", type(entries).__name__)
        for number, entry in enumerate(entries):
            detection = _detection(entry, f"{file}, entry {number}", found)
            found[detection.scene_id, detection.im_id].append(detection)
    return {key: tuple(values) for key, values in found.items()}


def _detection(entry: Any, where: str, found: dict[tuple[int, int], list[Detection]]) -> Detection:
    scene_id, im_id = integer_field(entry, "scene_id", where), integer_field(entry, "image_id", where)
    number = len(found.setdefault((scene_id, im_id), []))
    boxed = entry.get("segmentation") is None and "bbox" in entry
    segmentation = None if boxed else field_of(entry, "segmentation", where)
    return Detection(
        number, scene_id, im_id, integer_field(entry, "category_id", where),
        check_number(f"{where}, score", entry.get("score", 1.0)), segmentation, entry.get("bbox"), where,
    )  # fmt: skip
