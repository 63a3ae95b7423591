"""Masks in the JSON of Supervisely, V7 Darwin and ISAT."""

from __future__ import annotations

import base64
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.masks import MaskFile
from tests.io.test_detector_masks import BOX, SIZE, mask, other, runs
from tests.oracle.files import written

HOLE = [[30.0, 20.0], [35.0, 20.0], [35.0, 25.0], [30.0, 25.0]]
OTHER = [[5.0, 40.0], [15.0, 40.0], [15.0, 50.0], [5.0, 50.0]]
AS_STATED = {"height": 60, "width": 80}


def read(path: Path, label: int | None = None) -> np.ndarray:
    return MaskFile(path, label).read(size=SIZE, picture="a.jpg").pixels


def packed(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(zlib.compress(file.getvalue())).decode()


def rgba(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(np.uint8(255 * pixels)[..., None], 4, axis=2)


def inner(corners: list[list[float]]) -> list[list[float]]:
    """Corners of an outline as the middles of its outermost pixels, which is how Supervisely draws."""
    x, y = np.transpose(corners)
    return [[min(a, x.max() - 1), min(b, y.max() - 1)] for a, b in corners]


def xy(corners: list[list[float]]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in corners]


def supervisely(*objects: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", "tags": [], "size": AS_STATED, "objects": list(objects)}


def darwin(*annotations: dict[str, Any]) -> dict[str, Any]:
    item = {"name": "a.jpg", "slots": [{"slot_name": "0", **AS_STATED}]}
    return {"version": "2.0", "item": item, "annotations": list(annotations)}


def isat(*objects: dict[str, Any]) -> dict[str, Any]:
    return {"info": {"description": "ISAT", "name": "a.jpg", **AS_STATED}, "objects": list(objects)}


def bitmap(pixels: np.ndarray, **origin: Any) -> dict[str, Any]:
    return {"geometryType": "bitmap", "bitmap": {"data": packed(pixels), "origin": [20, 10], **origin}}


CROP = mask()[10:30, 20:50]
WITH_HOLE: dict[str, Any] = {
    "bitmap of one bit": supervisely(bitmap(CROP)),
    "bitmap with alpha": supervisely(bitmap(rgba(CROP))),
    "bitmap beside a point": supervisely({"geometryType": "point", "points": {}}, bitmap(CROP)),
    "Darwin 2.0": darwin({"name": "cup", "polygon": {"paths": [xy(BOX), xy(HOLE)]}, "bounding_box": {"x": 20}}),
    "Darwin 1.0": {
        "image": {"filename": "a.jpg", **AS_STATED},
        "annotations": [{"name": "cup", "polygon": {"path": xy(BOX), "additional_paths": [xy(HOLE)]}}],
    },
    "ISAT": isat(
        {"category": "__background__", "group": 1, "segmentation": HOLE, "layer": 2.0},
        {"category": "cup", "group": 1, "segmentation": BOX, "layer": 1.0, "bbox": [20, 10, 50, 30]},
    ),
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "bitmap": supervisely(bitmap(np.ones((20, 30), bool))),
    "rectangle": supervisely({"geometryType": "rectangle", "points": {"exterior": [[49, 29], [20, 10]]}}),
    "Darwin's box": darwin({"name": "cup", "bounding_box": {"x": 20, "y": 10, "w": 30, "h": 20}}),
    "two polygons of a group": isat(
        {"category": "cup", "group": 1, "segmentation": [[20, 10], [40, 10], [40, 30], [20, 30]]},
        {"category": "cup", "group": 1, "segmentation": [[35, 10], [50, 10], [50, 30], [35, 30]]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_HOLE)
def test_masks_with_a_hole(tmp_path: Path, name: str) -> None:
    assert np.array_equal(read(written(tmp_path / "a.json", WITH_HOLE[name])), mask())


@pytest.mark.parametrize("name", WHOLE)
def test_masks_without(tmp_path: Path, name: str) -> None:
    found = MaskFile(written(tmp_path / "a.json", WHOLE[name])).read(size=SIZE, picture="a.jpg")
    assert np.array_equal(found.pixels, mask(hole=False))
    assert any("is a box" in note for note in found.notes) == (name in ("rectangle", "Darwin's box"))


def test_polygons_of_supervisely_are_drawn_through_the_middles_of_pixels(tmp_path: Path) -> None:
    points = {"exterior": inner(BOX), "interior": []}
    found = read(written(tmp_path / "a.json", supervisely({"geometryType": "polygon", "points": points})))
    assert not (found & ~mask(hole=False)).any() and np.logical_xor(found, mask(hole=False)).sum() <= 30 + 20


def test_annotations_of_coco_beside_one_image_are_no_darwins(tmp_path: Path) -> None:
    image = {"image_id": 3, "file_name": "a.jpg", **AS_STATED}
    data = {"image": image, "annotations": [{"id": 7, "segmentation": runs(mask()), "bbox": [20, 10, 30, 20]}]}
    assert np.array_equal(read(written(tmp_path / "a.json", data)), mask())


@pytest.mark.parametrize(
    "data",
    [
        supervisely(bitmap(CROP), bitmap(np.ones((10, 10), bool), origin=[5, 40])),
        darwin({"polygon": {"paths": [xy(BOX), xy(HOLE)]}}, {"polygon": {"paths": [xy(OTHER)]}}),
        isat({"group": 1, "segmentation": BOX, "layer": 1}, {"group": 2, "segmentation": OTHER, "layer": 3},
             {"group": 1, "segmentation": HOLE, "layer": 2, "category": "__background__"}),
    ],
)  # fmt: skip
def test_of_several_one_is_chosen(tmp_path: Path, data: dict[str, Any]) -> None:
    path = written(tmp_path / "a.json", data)
    assert np.array_equal(read(path, 1), mask()) and np.array_equal(read(path, 2), other())
    with pytest.raises(DiffDopeError, match="one object, got the labels 1, 2"):
        read(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (supervisely(bitmap(CROP, origin=[60, 50])), "object 1, bitmap: expected a crop of the 80 x 60 image, got"),
        (supervisely(bitmap(CROP, data="eJw=")), "bitmap: expected "),
        (supervisely(bitmap(CROP, origin=None)), "a PNG, compressed by zlib, in base64, and its origin"),
        (supervisely({"geometryType": "cup"}), "geometryType bitmap, polygon or rectangle, got 'cup'"),
        (supervisely({"geometryType": "rectangle", "points": {"exterior": 3}}), "object 1: expected"),
        (darwin({"mask": {}}), "a polygon or a bounding_box, got keys mask; export masks as polygons"),
        (darwin({"polygon": {"paths": [3]}}), "expected a path"),
        (darwin({"polygon": {"paths": 3}}), "object 1: expected a list of paths, got 3"),
        (darwin({"bounding_box": {"x": 3}}), "x, y, width, height in pixels"),
        (isat({"segmentation": 3, "group": 1}), "an object with a segmentation"),
        (isat({"segmentation": BOX, "category": "__background__"}), "an object, got none"),
        (isat(3), "an object with a segmentation"),  # type: ignore[arg-type]
        (supervisely(3), "object 1: expected an object, got int"),  # type: ignore[arg-type]
        (supervisely(), "an object, got none"),
    ],
)  # fmt: skip
def test_what_is_damaged(tmp_path: Path, data: dict[str, Any], message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        read(written(tmp_path / "a.json", data))
