"""Masks as annotation tools, detectors and networks write them, and as people give boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.capture import read_capture
from diffdope.io.frames import ImageFolders
from diffdope.io.masks import MaskFile, looks_inverted, read_labels, read_mask
from diffdope.io.regions import mask_of_box, mask_of_polygons
from diffdope.scene.observation import Observation
from tests.oracle.files import written

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
    path = written(tmp_path / "mask.json", content)
    assert np.array_equal(read_mask(path), square())
    assert read_labels(path) == []
    if isinstance(content, dict) and "images" in content:  # the only image, whatever its number elsewhere
        assert np.array_equal(read_mask(path, image_id=3), square())


def test_polygons_agree_with_cocos_own_but_for_the_border(tmp_path: Path) -> None:
    ours = mask_of_polygons([POLYGON], SIZE, "polygon")
    theirs = read_mask(written(tmp_path / "mask.json", {"size": list(SIZE), "counts": POLYGON_RLE}))
    assert abs(int(ours.sum()) - int(theirs.sum())) < 10  # of 1865
    assert np.logical_xor(ours, theirs).sum() < 20
    exact = np.zeros(SIZE, bool)
    exact[20:50, 30:70] = True
    assert np.array_equal(mask_of_polygons([[30, 20, 70, 20, 70, 50, 30, 50]], SIZE, "p"), exact)
    assert np.array_equal(mask_of_polygons([[[70, 50], [70, 20], [30, 20], [30, 50]]], SIZE, "p"), exact)


def test_polygons_with_corners_at_halves_do_not_depend_on_where_they_are() -> None:
    """No rounding to even numbers, which puts one of two neighbours a pixel aside."""
    masks = []
    for left in (20.5, 21.5):
        right = left + 6.0
        masks.append(mask_of_polygons([[left, 30.5, right, 30.5, right, 36.5, left, 36.5]], SIZE, "polygon"))
    assert masks[0].sum() == 36
    assert np.array_equal(masks[1], np.roll(masks[0], 1, axis=1))


def test_annotations_of_several_images_and_objects(tmp_path: Path) -> None:
    images = [{"id": 4, "file_name": "a/000004.jpg", "height": 80, "width": 100}, {"id": 5, "file_name": "000005.jpg"}]
    square_ = [30, 20, 70, 20, 70, 50, 30, 50]
    notes = [
        {"id": 11, "image_id": 4, "segmentation": [square_]},
        {"id": 12, "image_id": 4, "segmentation": [POLYGON]},
        {"id": 13, "image_id": 5, "segmentation": [square_]},
    ]
    path = written(tmp_path / "mask.json", {"images": images, "annotations": notes})
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


@pytest.mark.parametrize("ids, labels", [((0, 1), [0, 1]), ((0, 0), [1, 2]), ((7, 7), [1, 2])])
def test_annotations_whose_ids_begin_at_0_or_are_all_alike(
    tmp_path: Path, ids: tuple[int, int], labels: list[int]
) -> None:  # fmt: skip
    """Two objects with one id were one object, the last."""
    notes = [
        {"id": key, "image_id": 0, "segmentation": [corners]}
        for key, corners in zip(ids, ([30, 20, 70, 20, 70, 50, 30, 50], POLYGON), strict=True)
    ]
    path = written(tmp_path / "mask.json", {"images": [{"id": 0, "height": 80, "width": 100}], "annotations": notes})
    assert read_labels(path) == labels
    assert read_mask(path, label=labels[0]).sum() == 1200 != read_mask(path, label=labels[1]).sum()
    with pytest.raises(DiffDopeError, match="expected one object, got the labels"):
        read_mask(path)


def test_labelme(tmp_path: Path) -> None:
    shapes = [
        {"label": "cup", "points": [[30, 20], [70, 20], [70, 50], [30, 50]], "shape_type": "polygon"},
        {"label": "box", "points": [[70, 50], [30, 20]], "shape_type": "rectangle"},
    ]
    path = written(tmp_path / "mask.json", {"version": "5.0", "shapes": shapes, "imageHeight": 80, "imageWidth": 100})
    assert read_labels(path) == [1, 2]
    assert read_mask(path, label=1).sum() == read_mask(path, label=2).sum() == 1200


def test_yolo_boxes_and_polygons(tmp_path: Path) -> None:
    corners = "0.30 0.25 0.70 0.25 0.70 0.625 0.30 0.625"
    lines = ["0 0.5 0.4375 0.4 0.375", "3 0.5 0.4375 0.4 0.375 0.93", f"0 {corners}", f"0 {corners} 0.8"]
    path = written(tmp_path / "frame.txt", "\n".join(lines) + "\n")
    exact = np.zeros(SIZE, bool)
    exact[20:50, 30:70] = True
    assert read_labels(path) == [1, 2, 3, 4]
    for label in (1, 2, 3, 4):
        read = MaskFile(path, label).read(size=SIZE)
        assert np.array_equal(read.pixels, exact)
        assert bool(read.notes) == (label < 3)
    for line in ("0 0.5 0.5", "0 300 200 40 30", "cup 0.5 0.5 0.1 0.1"):
        with pytest.raises(DiffDopeError, match="line 1: expected .*class x y w"):
            read_mask(written(tmp_path / "bad.txt", line), size=SIZE)


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
    camera = read_capture(written(tmp_path / "c.json", CAMERA), mask=path).camera
    seen = Observation(camera, mask=~exact)
    assert any("it looks inverted" in note for note in seen.notes)
    assert not seen.with_mask(exact).notes


def test_a_box_in_place_of_a_mask(tmp_path: Path) -> None:
    camera = written(tmp_path / "c.json", CAMERA)
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
        written(tmp_path / "labels" / f"{k}.txt", "0 0.5 0.4375 0.4 0.375\n")
    frames = ImageFolders({"rgb": tmp_path / "rgb", "mask": tmp_path / "labels"})
    assert [frame.mask.sum() for frame in frames.read()] == [1200] * 3  # type: ignore[union-attr]


def test_frames_with_boxes_of_voc(tmp_path: Path) -> None:
    for kind in ("rgb", "masks", "boxes"):
        (tmp_path / kind).mkdir()
    for k in range(2):
        Image.new("RGB", (100, 80)).save(tmp_path / "rgb" / f"{k}.png")
        Image.fromarray(np.uint8(255 * square())).save(tmp_path / "masks" / f"{k}.png")
        for kind in ("masks", "boxes"):
            written(tmp_path / kind / f"{k}.xml", VOC.format(VOC_BOX))
    written(tmp_path / "masks" / "meta.yaml", "a: 1\n")
    for kind, count in (("masks", square().sum()), ("boxes", 1200)):  # beside images, texts are none
        frames = ImageFolders({"rgb": tmp_path / "rgb", "mask": tmp_path / kind})
        assert [frame.mask.sum() for frame in frames.read()] == [count] * 2  # type: ignore[union-attr]


VOC = (
    "<annotation><filename>p.png</filename><size><width>100</width><height>80</height><depth>3</depth></size>{}"
    "</annotation>"
)
VOC_BOX = "<object><name>a</name><bndbox><xmin>31</xmin><ymin>21</ymin><xmax>70</xmax><ymax>50</ymax></bndbox></object>"
STUDIO = {"original_width": 100, "original_height": 80}
PERCENT = {"x": 30.0, "y": 25.0, "width": 40.0, "height": 37.5, "rotation": 0}
CORNERS = {"x1": 30.0, "y1": 20.0, "x2": 70.0, "y2": 50.0}
RECT = {"shape_attributes": {"name": "rect", "x": 30, "y": 20, "width": 40, "height": 30}}
AROUND = {"position": {"x": 50.0, "y": 35.0}, "theta": 0.0}
BOXES: dict[str, tuple[str, Any]] = {
    "Pascal VOC": ("p.xml", VOC.format(VOC_BOX)),
    "YOLOv5's table": ("p.csv", "xmin,ymin,xmax,ymax,confidence,class,name\n30,20,70,50,0.9,0,cup\n"),
    "table of middles": ("p.csv", "name;x_center;y_center;width;height\na;50;35;40;30\n"),
    "table of shares": ("p.csv", "ImageID,XMin,XMax,YMin,YMax\np,0.3,0.7,0.25,0.625\nq,0,1,0,1\n"),
    "Label Studio": ("s.json", [{"data": {"image": "/data/upload/1/ab-p.png"}, "annotations": [
        {"result": [{"type": "rectanglelabels", "value": PERCENT, **STUDIO}]}]}]),
    "Label Studio's short form": ("s.json", [{"image": "ab-p.png", "label": [PERCENT | STUDIO]}]),
    "VIA": ("v.json", {"p.png123": {"filename": "p.png", "regions": [RECT]},
                       "q.png1": {"filename": "q.png", "regions": []}}),
    "CreateML": ("c.json", [{"image": "p.png", "annotations": [
        {"label": "a", "coordinates": {"x": 50, "y": 35, "width": 40, "height": 30}}]}]),
    "ultralytics": ("u.json", [{"name": "cup", "class": 0, "confidence": 0.9, "box": CORNERS}]),
    "Detection2DArray": ("d.json", {"detections": [{"bbox": {"center": AROUND, "size_x": 40.0, "size_y": 30.0}}]}),
    "Detection2DArray of ROS 1": (
        "d.yaml", "detections: [{bbox: {center: {x: 50, y: 35, theta: 0}, size_x: 40, size_y: 30}}]\n---\n"),
    "YOLO with a track": ("p.txt", "0 0.5 0.4375 0.4 0.375 0.93 12\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOXES)
def test_boxes_of_other_tools(tmp_path: Path, name: str) -> None:
    mask = MaskFile(written(tmp_path / BOXES[name][0], BOXES[name][1])).read(size=SIZE, picture="p.png")
    whole = np.zeros(SIZE, bool)
    whole[20:50, 30:70] = True
    assert np.array_equal(mask.pixels, whole)
    assert any("the mask is a box" in note for note in mask.notes)


def test_outlines_of_other_tools(tmp_path: Path) -> None:
    corners = [[30.0, 20.0], [70.0, 20.0], [70.0, 50.0]]
    expected = mask_of_polygons([corners], SIZE, "test")
    x, y = map(list, zip(*corners, strict=True))
    points = [[a, b / 0.8] for a, b in corners]  # percent of 100 x 80 pixels
    shape = {"name": "polygon", "all_points_x": x, "all_points_y": y}
    for content in (
        [{"image": "p.png", "label": [{"points": points, **STUDIO}]}],
        {"p": {"filename": "p.png", "regions": [{"shape_attributes": shape}]}},
        [{"box": CORNERS, "segments": {"x": x, "y": y}}],
    ):
        read = MaskFile(written(tmp_path / "mask.json", content)).read(size=SIZE, picture="p.png")
        assert np.array_equal(read.pixels, expected) and not read.notes
    turned = PERCENT | STUDIO | {"rotation": 90.0}  # about its top-left corner, clockwise: to the left of it, below
    read = MaskFile(written(tmp_path / "mask.json", [{"image": "p.png", "label": [turned]}])).read(size=SIZE)
    assert np.array_equal(np.argwhere(read.pixels)[[0, -1]], [[20, 0], [59, 29]])


def test_boxes_of_several_pictures_go_by_their_names(tmp_path: Path) -> None:
    table = written(tmp_path / "d.csv", "image,left,top,width,height\na.png,1,2,3,4\nb.png,5,6,7,8\nb.png,1,1,2,2\n")
    assert MaskFile(table).read(size=SIZE, picture="a.png").pixels.sum() == 12
    assert MaskFile(table, 2).read(size=SIZE, picture="b.png").pixels.sum() == 4
    assert MaskFile(table).labels(picture="b.png") == [1, 2]
    for picture, named in (("c.png", "c.png"), (None, r"\(none was named\)")):
        with pytest.raises(DiffDopeError, match=f"objects of the picture {named}, got those of a.png, b.png"):
            MaskFile(table).read(size=SIZE, picture=picture)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.csv", "x,y,w,h\n1,2,3,4\n", "a box's corner or its middle: name them left, top, or x_center, y_center"),
        ("d.csv", "1,2,3,4\n", "expected a heading with xmin, ymin, xmax, ymax"),
        ("d.csv", "", "got an empty file"),
        ("d.csv", "left,top,width,height\n1,2,a,4\n", "line 2: expected numbers left, top, width, height, got 1, 2, a"),
        ("d.csv", "left,top,width,height\n", "expected an object, got none in"),
        ("d.xml", VOC.format(""), "nothing is marked, or was detected, there"),
        ("d.xml", "<annotations/>", "expected CVAT's XML for images, <image>, got none; export as CVAT for images"),
        ("d.xml", "<a/>", "expected XML of Pascal VOC: <annotation>, got <a>; export as COCO"),
        ("d.xml", VOC.format("<object><bndbox><xmin>a</xmin></bndbox></object>"), "object 1: expected numbers xmin"),
        ("d.xml", "<annotation", "expected XML of Pascal VOC"),
        ("d.txt", "", "expected an object, got none in"),
        ("d.txt", "0 50 35 40 30\n", "divide x by the picture's width"),
        ("d.txt", "0 0.5 0.4375 0.4 0.375 0.93 1\n", "7 numbers that end with 1; leave out the track's number"),
        ("d.json", [{"image": "p", "label": [{"type": "keypointlabels", **STUDIO}]}], "got keypointlabels; ex"),
        ("d.json", [{"image": "p", "label": [PERCENT | {"original_width": 1e400, "original_height": 9}]}], "size, "),
        ("d.json", {"p": {"regions": [{"shape_attributes": {"name": "circle"}}]}}, "a rect or a polygon, got 'circle'"),
        ("d.json", {"detections": [{"bbox": {"size_x": 1}}]}, "expected numbers size_x, size_y"),
        ("d.json", {"images": [{"id": 1, "height": 10**6, "width": 10**6}],
                    "annotations": [{"id": 1, "image_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]]}]},
         "expected the size of a picture, at most 1000000000 pixels, got 1000000 x 1000000"),
        ("d.yaml", "a: 1\n---\nb: 2\n", "expected one message of ROS, got 2; keep that of the photograph"),
    ],
)  # fmt: skip
def test_what_is_no_box(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        MaskFile(written(tmp_path / name, content)).read(size=SIZE, picture="p.png")


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
        read_mask(written(tmp_path / "mask.json", content), size=SIZE)


def brushed(alpha: NDArray[Any], block: int, word: int = 8) -> list[int]:
    """Label Studio's brush, written by its own description: blocks of as many values, single ones where they differ."""
    values = np.repeat(alpha.ravel(), 4)
    bits = f"{len(values):032b}{word - 1:05b}" + "".join(f"{width - 1:04b}" for width in (3, 4, 8, 16))
    for first in range(0, len(values), block):
        part = values[first : first + block]
        same = (part == part[0]).all()
        bits += f"{int(same)}11{len(part) - 1:016b}" + "".join(f"{v:0{word}b}" for v in (part[:1] if same else part))
    bits += "0" * (-len(bits) % 8)
    return [int(bits[k : k + 8], 2) for k in range(0, len(bits), 8)]


@pytest.mark.parametrize("block", [1, 3, 10, 401, 65536])
def test_brushes_of_label_studio(tmp_path: Path, block: int) -> None:
    alpha = np.zeros(SIZE, np.uint8)
    alpha[20:50, 30:70], alpha[20, 30:70], alpha[49, 30:70] = 255, 127, 128  # the brush's border is soft
    one = {"format": "rle", "rle": brushed(alpha, block), "brushlabels": ["cup"]}
    task = {"data": {"image": "/data/upload/1/ab-p.png"}, "annotations": [
        {"result": [{"type": "brushlabels", "value": one, **STUDIO}]}]}  # fmt: skip
    read = MaskFile(written(tmp_path / "mask.json", [task])).read(size=SIZE, picture="p.png")
    assert np.array_equal(read.pixels, alpha >= 128) and not read.notes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rle: rle[:-9], "expected the bytes of Label Studio's brush for 100 x 80 pixels.*cut off"),
        (lambda rle: rle[:6], "100 x 80 pixels.*got 6 bytes"),
        (lambda rle: [0, 0, 0, 4, *rle[4:]], "got 4 values; original_width and original_height are the picture's"),
        (lambda rle: [*rle[:4], 255, *rle[5:]], "expected channels of 8 bits, got 32 bits"),
        (lambda rle: ["a"], "100 x 80 pixels"),
        (lambda rle: [], "got none"),
        (lambda rle: [256, *rle], "numbers that are no bytes"),
    ],
)
def test_brushes_that_are_none(tmp_path: Path, change: Any, message: str) -> None:
    rle = change(brushed(np.arange(8000, dtype=np.uint8).reshape(SIZE), 50))
    content = [{"image": "p.png", "label": [{"rle": rle, **STUDIO}]}]
    with pytest.raises(DiffDopeError, match=f"label 1, rle: .*{message}"):
        MaskFile(written(tmp_path / "mask.json", content)).read(size=SIZE, picture="p.png")
