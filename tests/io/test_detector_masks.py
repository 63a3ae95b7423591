"""Masks as servers of detectors answer, and as CVAT and LabelMe write them."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.masks import MaskFile
from tests.oracle.files import written

SIZE = (60, 80)
BOX = [[20.0, 10.0], [50.0, 10.0], [50.0, 30.0], [20.0, 30.0]]
FLAT = [value for corner in BOX for value in corner]
SHARES = [[x / 80, y / 60] for x, y in BOX]


def mask(*, hole: bool = True) -> np.ndarray:
    pixels = np.zeros(SIZE, bool)
    pixels[10:30, 20:50] = True
    pixels[20:25, 30:35] = not hole
    return pixels


def other() -> np.ndarray:
    pixels = np.zeros(SIZE, bool)
    pixels[40:50, 5:15] = True
    return pixels


def runs(pixels: np.ndarray) -> dict[str, Any]:
    flat = pixels.T.ravel()
    ends = np.flatnonzero(np.diff(flat.astype(int))) + 1
    return {"size": list(pixels.shape), "counts": np.diff(np.r_[0, ends, flat.size]).tolist()}


def png(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(np.uint8(255 * pixels)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def read(path: Path, label: int | None = None) -> np.ndarray:
    return MaskFile(path, label).read(size=SIZE, picture="a.jpg").pixels


SEVERAL: dict[str, Any] = {
    "run lengths": {"masks": [runs(mask()), runs(other())], "scores": [0.9, 0.8]},
    "records": {"masks": [{"segmentation": runs(mask()), "bbox": [20, 10, 30, 20]}, {"segmentation": runs(other())}]},
    "base64": {"masks": [png(mask()), "data:image/png;base64," + png(other())]},
    "pixels": {"masks": np.stack([mask(), other()]).astype(int).tolist()},
    "truth values": {"masks": np.stack([mask(), other()]).tolist()},
    "pixels alone": np.stack([mask(), other()]).astype(int).tolist(),
    "probabilities": {"masks": np.stack([0.7 * mask(), 0.1 + 0.5 * other()]).tolist()},
    "layers of one": {"masks": [[mask().tolist()], [other().tolist()]]},
    "by name": {"masks": {"cup": runs(mask()), "box": runs(other())}},
    "MMDetection": {"labels": [1, 2], "bboxes": [[20, 10, 50, 30], [5, 40, 15, 50]],
                    "masks": [runs(mask()), runs(other())]},
    "Hugging Face": [{"label": "cup", "score": 0.9, "mask": png(mask())}, {"label": "box", "mask": png(other())}],
}  # fmt: skip


@pytest.mark.parametrize("name", SEVERAL)
def test_several_masks_of_an_answer(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "masks.json", SEVERAL[name])
    assert MaskFile(path).labels(picture="a.jpg") == [1, 2]
    assert np.array_equal(read(path, 1), mask()) and np.array_equal(read(path, 2), other())
    with pytest.raises(DiffDopeError, match="expected one object, got the labels 1, 2"):
        read(path)


@pytest.mark.parametrize(
    "content",
    [{"mask": runs(mask())}, {"mask": png(mask())}, {"masks": mask().astype(int).tolist()}, mask().astype(int).tolist(),
     [{"segmentation": png(mask())}], {"masks": [runs(mask())]}, {"masks": runs(mask())}],
)  # fmt: skip
def test_one_mask_of_an_answer(tmp_path: Path, content: Any) -> None:
    path = written(tmp_path / "mask.json", content)
    assert MaskFile(path).labels() == []
    assert np.array_equal(read(path), mask())


@pytest.mark.parametrize(
    "content",
    [{"masks": [[FLAT]]}, {"masks": [FLAT]}, {"masks": [BOX]}, {"masks": [SHARES]}, {"segmentation": SHARES},
     {"predictions": [{"x": 35, "y": 20, "width": 9, "height": 9, "points": [{"x": x, "y": y} for x, y in BOX]}],
      "image": {"width": "80", "height": "60"}}],
)  # fmt: skip
def test_polygons_of_an_answer(tmp_path: Path, content: Any) -> None:
    assert np.array_equal(read(written(tmp_path / "mask.json", content)), mask(hole=False))


SEGMENTS = {"x": [x for x, _ in BOX], "y": [y for _, y in BOX]}
CORNERS = {"x1": 20, "y1": 10, "x2": 50, "y2": 30}
BOXES: dict[str, Any] = {
    "Grounded SAM 2": {"annotations": [{"bbox": [20, 10, 50, 30]}], "box_format": "xyxy", "img_width": 80,
                       "img_height": 60},
    "torchvision, told": {"boxes": [[20, 10, 50, 30]], "box_format": "xyxy"},
    "middles, told": {"boxes": [[35, 20, 30, 20]], "box_format": "cxcywh"},
    "Detectron2": [{"bbox": [20, 10, 50, 30], "bbox_mode": 0}],
    "Detectron2, COCO's": [{"bbox": [20, 10, 30, 20], "bbox_mode": "BoxMode.XYWH_ABS"}],
    "Hugging Face": [{"label": "cup", "box": {"xmin": 20, "ymin": 10, "xmax": 50, "ymax": 30}}],
    "ultralytics's server": {"images": [{"results": [{"name": "cup", "box": CORNERS}]}], "metadata": {}},
    "Roboflow": {"predictions": [{"x": 35, "y": 20, "width": 30, "height": 20}], "image": {"width": 80, "height": 60}},
}  # fmt: skip


@pytest.mark.parametrize("name", BOXES)
def test_boxes_of_an_answer(tmp_path: Path, name: str) -> None:
    found = MaskFile(written(tmp_path / "boxes.json", BOXES[name])).read(size=SIZE, picture="a.jpg")
    assert np.array_equal(found.pixels, mask(hole=False))
    assert any("the mask is a box" in note for note in found.notes)


def labelme(**shape: Any) -> dict[str, Any]:
    return {"imagePath": "a.jpg", "imageHeight": 60, "imageWidth": 80, "shapes": [shape]}


def test_shapes_of_labelme(tmp_path: Path) -> None:
    crop = png(mask()[10:30, 20:50])
    path = written(tmp_path / "a.json", labelme(shape_type="mask", points=[[20, 10], [49, 29]], mask=crop))
    assert np.array_equal(read(path), mask())
    for kind in ("rectangle", "rotation"):
        path = written(tmp_path / "a.json", labelme(shape_type=kind, points=BOX))
        assert np.array_equal(read(path), mask(hole=False))
    path = written(tmp_path / "a.json", labelme(shape_type="circle", points=[[40, 30], [40, 20]]))
    rows, columns = np.mgrid[:60, :80] + 0.5
    assert np.logical_xor(read(path), np.hypot(rows - 30, columns - 40) <= 10).sum() <= 4
    marked = labelme(shape_type="polygon", points=BOX)
    marked["shapes"].insert(0, {"shape_type": "point", "points": [[3, 3]]})
    assert np.array_equal(read(written(tmp_path / "a.json", marked)), mask(hole=False))


CVAT = (
    '<annotations><version>1.1</version><image id="0" name="b.jpg" width="80" height="60"/>'
    '<image id="1" name="in/a.jpg" width="80" height="60">{}</image></annotations>'
)
ROWS = mask()[10:30, 20:50].ravel()
COUNTS = np.diff(np.r_[0, 0, np.flatnonzero(np.diff(ROWS.astype(int))) + 1, ROWS.size]).tolist()


@pytest.mark.parametrize(
    ("shape", "hole"),
    [
        ('<polygon label="cup" points="20.0,10.0;50.0,10.0;50.0,30.0;20.0,30.0"/>', False),
        ('<box label="cup" xtl="20" ytl="10" xbr="50" ybr="30"/>', False),
        ('<box label="cup" xtl="25" ytl="5" xbr="45" ybr="35" rotation="90"/>', False),
        (f'<mask label="cup" rle="{", ".join(map(str, COUNTS))}" left="20" top="10" width="30" height="20"/>', True),
    ],
)
def test_shapes_of_cvat(tmp_path: Path, shape: str, hole: bool) -> None:
    path = written(tmp_path / "annotations.xml", CVAT.format(f'<points points="1,1"/>{shape}'))
    found = MaskFile(path).read(size=SIZE, picture="a.jpg")
    assert np.array_equal(found.pixels, mask(hole=hole))
    assert bool(found.notes) == (shape.startswith("<box") and "rotation" not in shape)
    with pytest.raises(DiffDopeError, match=r"shapes of the picture c.jpg, once, got those of b.jpg, in/a.jpg"):
        MaskFile(path).read(size=SIZE, picture="c.jpg")


def test_turned_ellipse_of_cvat(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xml", CVAT.format('<ellipse cx="40" cy="30" rx="20" ry="5" rotation="90"/>'))
    rows, columns = np.mgrid[:60, :80] + 0.5
    inside = ((rows - 30) / 20) ** 2 + ((columns - 40) / 5) ** 2 <= 1
    assert np.logical_xor(read(path), inside).sum() <= 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", {"boxes": [[20, 10, 50, 30]], "labels": [1]}, 'four numbers of a box are, got none; write "box_fo'),
        ("a.json", {"boxes": [[20, 10, 50, 30]], "box_format": "yxyx"}, "xyxy, xywh or cxcywh, in pixels, got 'yxyx'"),
        ("a.json", {"boxes": [[20, 10, 50]], "box_format": "xyxy"}, "boxes 1: expected a box of four numbers, got"),
        ("a.json", [{"bbox": [1, 2, 3, 4], "bbox_mode": 4}], "its format: expected xyxy, xywh or cxcywh"),
        ("a.json", {"masks": ["iVBORw0KGgo="]}, r"segmentation: expected an image in"),
        ("a.json", {"masks": ["not base64!"]}, "segmentation: expected an image in base64, got 'not base64!'"),
        ("a.json", {"objects": [1], "info": {}}, "got keys objects, info; export as COCO's JSON, or as images"),
        ("a.json", labelme(shape_type="mask", points=[[60, 50], [9, 9]], mask=png(np.ones((59, 79)))), "at 9, 9"),
        ("a.json", labelme(shape_type="mask", points=[[1, 1], [2, 2]]), "an image in base64, got NoneType"),
        ("a.json", {"images": [{}, {}], "metadata": {}}, "expected the answer of one picture, got 2; send one"),
        ("a.xml", CVAT.format('<mask rle="1, 2" left="0" top="0" width="3" height="3"/>'), "runs that add up to 3 x 3"),
        ("a.xml", CVAT.format('<box xtl="1" ytl="1" xbr="9" ybr="9" rotation="a"/>'), "expected numbers rotation, got"),
        ("a.xml", CVAT.format('<polygon points="1,1;2,2"/>'), "of three corners or more, got '1,1;2,2'"),
    ],
)  # fmt: skip
def test_what_is_no_answer(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        read(written(tmp_path / name, content))
