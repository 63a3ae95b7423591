"""Masks as annotation tools, detectors and networks write them, and as people give boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.capture import read_capture
from diffdope.io.frames import ImageFolders
from diffdope.io.masks import MaskFile, looks_inverted, read_labels, read_mask
from diffdope.io.regions import mask_of_box, mask_of_polygons
from diffdope.scene.observation import Observation

SIZE = (80, 100)
CAMERA = {"cam_K": [100, 0, 49.5, 0, 100, 39.5, 0, 0, 1]}
# pycocotools 2.0.11: `encode` of a[20:50, 30:70] = 1 but for a[25:30, 35:40]; `merge(frPyObjects([POLYGON], 80, 100))`.
SQUARE = "d[2n0b100000000WOcN?]1AcN?]1AcN?]1AcN?]1AcN?]1:0000000000000000000000000000000000000000000000000000000000\\Z2"
POLYGON = [10.5, 12.0, 60.2, 15.3, 70.0, 50.0, 30.0, 44.0, 12.0, 60.0]
POLYGON_RLE = (
    "lk0o0a1`0@00O1O1O1O2N1O1O1O100O1O1O1O1O1O1O10000010O0000000000001O0000000000010O00000000001O00000000000103L3M4L3M4L4"
    "L3N3L3M`Y2"
)


def square() -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[20:50, 30:70] = True
    mask[25:30, 35:40] = False
    return mask


def written(folder: Path, content: Any, name: str = "mask.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


RLE = {"size": list(SIZE), "counts": SQUARE}


@pytest.mark.parametrize(
    "content",
    [
        RLE,
        {"segmentation": RLE, "bbox": [30, 20, 40, 30]},
        [{"segmentation": RLE, "area": 1175}],  # Segment Anything
        [{"scene_id": 2, "image_id": 7, "category_id": 1, "score": 0.9, "segmentation": RLE}],  # BOP
        {
            "images": [{"id": 7, "height": 80, "width": 100}],
            "annotations": [{"id": 1, "image_id": 7, "segmentation": RLE}],
        },
    ],
)
def test_run_lengths(tmp_path: Path, content: Any) -> None:
    path = written(tmp_path, content)
    assert np.array_equal(read_mask(path), square())
    assert read_labels(path) == []
    if isinstance(content, dict) and "images" in content:  # the only image, whatever its number elsewhere
        assert np.array_equal(read_mask(path, image_id=3), square())


def test_polygons_agree_with_cocos_own_but_for_the_border(tmp_path: Path) -> None:
    ours = mask_of_polygons([POLYGON], SIZE, "polygon")
    theirs = read_mask(written(tmp_path, {"size": list(SIZE), "counts": POLYGON_RLE}))
    assert abs(int(ours.sum()) - int(theirs.sum())) < 10  # of 1865
    assert np.logical_xor(ours, theirs).sum() < 20
    exact = np.zeros(SIZE, bool)
    exact[20:50, 30:70] = True
    assert np.array_equal(mask_of_polygons([[30, 20, 70, 20, 70, 50, 30, 50]], SIZE, "p"), exact)
    assert np.array_equal(mask_of_polygons([[[70, 50], [70, 20], [30, 20], [30, 50]]], SIZE, "p"), exact)


def test_annotations_of_several_images_and_objects(tmp_path: Path) -> None:
    images = [{"id": 4, "file_name": "a/000004.jpg", "height": 80, "width": 100}, {"id": 5, "file_name": "000005.jpg"}]
    square_ = [30, 20, 70, 20, 70, 50, 30, 50]
    notes = [
        {"id": 11, "image_id": 4, "segmentation": [square_]},
        {"id": 12, "image_id": 4, "segmentation": [POLYGON]},
        {"id": 13, "image_id": 5, "segmentation": [square_]},
    ]
    path = written(tmp_path, {"images": images, "annotations": notes})
    assert MaskFile(path, image_id=4).labels() == [11, 12]
    assert MaskFile(path).labels(picture="x/000004.png") == [11, 12]
    assert read_mask(path, label=11, image_id=4).sum() == 1200
    assert MaskFile(path).read(size=SIZE, picture="000005.png").pixels.sum() == 1200
    with pytest.raises(DiffDopeError, match="mask: expected one object, got the labels 11, 12 in .*--mask-id"):
        read_mask(path, image_id=4)
    with pytest.raises(DiffDopeError, match="mask: expected one of the labels 11, 12 of .*, got 13"):
        read_mask(path, label=13, image_id=4)
    with pytest.raises(DiffDopeError, match="image_id: expected one of the images 4, 5 of .*, got none chosen; give"):
        read_mask(path, label=11)
    with pytest.raises(DiffDopeError, match="expected a picture beside it that tells the size of the mask"):
        read_mask(path, image_id=5)


def test_labelme(tmp_path: Path) -> None:
    shapes = [
        {"label": "cup", "points": [[30, 20], [70, 20], [70, 50], [30, 50]], "shape_type": "polygon"},
        {"label": "box", "points": [[70, 50], [30, 20]], "shape_type": "rectangle"},
    ]
    path = written(tmp_path, {"version": "5.0", "shapes": shapes, "imageHeight": 80, "imageWidth": 100})
    assert read_labels(path) == [1, 2]
    assert read_mask(path, label=1).sum() == read_mask(path, label=2).sum() == 1200


def test_yolo_boxes_and_polygons(tmp_path: Path) -> None:
    corners = "0.30 0.25 0.70 0.25 0.70 0.625 0.30 0.625"
    lines = ["0 0.5 0.4375 0.4 0.375", "3 0.5 0.4375 0.4 0.375 0.93", f"0 {corners}", f"0 {corners} 0.8"]
    path = written(tmp_path, "\n".join(lines) + "\n", "frame.txt")
    exact = np.zeros(SIZE, bool)
    exact[20:50, 30:70] = True
    assert read_labels(path) == [1, 2, 3, 4]
    for label in (1, 2, 3, 4):
        read = MaskFile(path, label).read(size=SIZE)
        assert np.array_equal(read.pixels, exact)
        assert bool(read.notes) == (label < 3)
    for line in ("0 0.5 0.5", "0 300 200 40 30", "cup 0.5 0.5 0.1 0.1"):
        with pytest.raises(DiffDopeError, match="line 1: expected .*class x y w"):
            read_mask(written(tmp_path, line, "bad.txt"), size=SIZE)


def test_what_networks_save(tmp_path: Path) -> None:
    probability = np.where(square(), 0.8, 0.3).astype(np.float32)
    logits = np.log(probability / (1 - probability))
    for name, array in {
        "probability": probability, "probability16": probability.astype(np.float16), "batch": probability[None, None],
        "logits": logits, "byte": 255 * square().astype(np.float32), "bool": square(),
    }.items():  # fmt: skip
        np.save(tmp_path / f"{name}.npy", array)
        read = MaskFile(tmp_path / f"{name}.npy").read()
        assert np.array_equal(read.pixels, square()), name
        assert any("logits" in note for note in read.notes) == (name == "logits")
    np.save(tmp_path / "several.npy", np.stack([np.zeros(SIZE, bool), square(), square()]))
    assert read_labels(tmp_path / "several.npy") == [1, 2, 3]
    assert np.array_equal(read_mask(tmp_path / "several.npy", label=2), square())
    with pytest.raises(DiffDopeError, match="mask: expected one of the 3 masks in .*, got none chosen; .*--mask-id"):
        read_mask(tmp_path / "several.npy")
    np.savez_compressed(tmp_path / "mask.npz", mask=square(), score=np.ones(3))
    assert np.array_equal(read_mask(tmp_path / "mask.npz"), square())


def test_an_inverted_mask_is_recognised(tmp_path: Path) -> None:
    exact = np.zeros(SIZE, bool)
    exact[20:50, 30:70] = True
    path = tmp_path / "m.png"
    Image.fromarray((~exact).astype(np.uint8) * 255).save(path)
    with pytest.raises(DiffDopeError, match="got all of the picture's border and 85 % of it.*it looks inverted: give"):
        read_mask(path)
    assert np.array_equal(read_mask(path, inverted=True), exact)
    assert np.array_equal(read_mask(path, inverted=False), ~exact)
    Image.fromarray(exact.astype(np.uint8) * 255).save(path)
    assert np.array_equal(read_mask(path), exact)
    full = np.ones(SIZE, bool)
    half = full.copy()
    half[:, 50:] = False
    assert not looks_inverted(full) and not looks_inverted(half) and not looks_inverted(exact)
    camera = read_capture(written(tmp_path, CAMERA, "c.json"), mask=path).camera
    seen = Observation(camera, mask=~exact)
    assert any("it looks inverted" in note for note in seen.notes)
    assert not seen.with_mask(exact).notes


def test_a_box_in_place_of_a_mask(tmp_path: Path) -> None:
    camera = written(tmp_path, CAMERA, "c.json")
    Image.new("RGB", (100, 80)).save(tmp_path / "p.png")
    capture = read_capture(camera, rgb=tmp_path / "p.png", box=(30, 20, 40, 30))
    assert capture.mask is not None and capture.mask.sum() == 1200 and capture.mask[20:50, 30:70].all()
    assert any("the mask is a box" in note for note in capture.notes)
    assert mask_of_box((-10, -10, 20, 20), SIZE).sum() == 100  # the part inside the image
    for box in ((0, 0, 0, 5), (200, 0, 5, 5), (0, 0, np.nan, 5), ("a", 0, 1, 1), (1, 2, 3)):
        with pytest.raises(DiffDopeError, match="box: expected"):
            mask_of_box(box, SIZE)  # type: ignore[arg-type]
    with pytest.raises(DiffDopeError, match="box: expected a box or a mask, got both"):
        read_capture(camera, rgb=tmp_path / "p.png", mask=tmp_path / "p.png", box=(1, 1, 5, 5))
    with pytest.raises(DiffDopeError, match="images: expected --rgb or --depth beside --box"):
        read_capture(camera, box=(1, 1, 5, 5))


def test_frames_with_labels_of_yolo(tmp_path: Path) -> None:
    for kind in ("rgb", "labels"):
        (tmp_path / kind).mkdir()
    for k in range(3):
        Image.new("RGB", (100, 80)).save(tmp_path / "rgb" / f"{k}.png")
        written(tmp_path / "labels", "0 0.5 0.4375 0.4 0.375\n", f"{k}.txt")
    frames = ImageFolders({"rgb": tmp_path / "rgb", "mask": tmp_path / "labels"})
    assert [frame.mask.sum() for frame in frames.read()] == [1200] * 3  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "content",
    [
        "{", "3", '"text"', "[]", "[[1, 2]]", '[{"a": 1}]', '{"segmentation": "x"}', '{"annotations": [3]}',
        '{"size": [80, 100], "counts": [1, 2]}', '{"size": ["a", 1], "counts": [1]}',
        '{"size": [-1, -1], "counts": [1]}',
        '{"shapes": [{"shape_type": "circle"}]}', '{"size": [80, 100], "counts": ["a"]}',
        '{"segmentation": {"size": [80, 100], "counts": "\\u00ff\\u00ff"}}',
        '{"size": [1000000, 1000000], "counts": [1]}',
        '{"segmentation": [["a", 1, 2, 3, 4, 5]]}', '{"bbox": [1, 2, "x", 4]}', '{"shapes": [3]}',
    ],
)  # fmt: skip
def test_what_is_no_mask(tmp_path: Path, content: str) -> None:
    with pytest.raises(DiffDopeError):
        read_mask(written(tmp_path, content), size=SIZE)
