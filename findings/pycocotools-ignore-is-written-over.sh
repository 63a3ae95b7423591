#!/usr/bin/env bash
# pycocotools 2.0.11: "ignore" is read and written over by "iscrowd", so hidden objects count as missed.
#
# Objects that are hidden are in the ground truth of detection and segmentation all the same; files in COCO's format
# that are made for poses, those of BOP's data sets among them, mark them by "ignore": true, so that a method is rated
# neither for finding nor for missing them. COCOeval has the word: it takes "ignore" of an annotation, or 0 where there
# is none, and in the next step puts "iscrowd" in its place. Of ten objects, five of them hidden, a method that finds
# just the five that can be seen, to the pixel, has an AP of 0.50; with "iscrowd": 1 in place of "ignore", 1.0. One
# that finds the hidden ones too is rated above it. No word is said. It is the caller's own file that is written over:
# saved after evaluate(), every "ignore" in it is false. Boxes and masks alike. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import contextlib
import io
from importlib.metadata import version

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

print("pycocotools", version("pycocotools"))
NUMBER, SIDE = 10, 50


def outline(i):
    x = 60 * i
    return [[x, 10, x + SIDE, 10, x + SIDE, 10 + SIDE, x, 10 + SIDE]]


def rated(kind, marked, found):
    """AP of detections of the objects in found, and what is left of the marks, where every second object is hidden."""
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 1, "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "mug"}],
        "annotations": [
            {"id": i + 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": SIDE * SIDE}
            | {"bbox": [60 * i, 10, SIDE, SIDE], "segmentation": outline(i)}
            | (marked if i % 2 else {})
            for i in range(NUMBER)
        ],
    }
    results = [
        {"image_id": 1, "category_id": 1, "score": 0.9}
        | ({"bbox": [60 * i, 10, SIDE, SIDE]} if kind == "bbox" else {"segmentation": outline(i)})
        for i in found
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        if kind == "segm":
            for result in results:
                result["segmentation"] = truth.annToRLE({"image_id": 1, "segmentation": result["segmentation"]})
        rating = COCOeval(truth, truth.loadRes(results), kind)
        rating.evaluate()
        rating.accumulate()
        rating.summarize()
    left = sum(bool(annotation["ignore"]) for annotation in truth.dataset["annotations"])
    return float(rating.stats[0]), left


seen, everything = range(0, NUMBER, 2), range(NUMBER)
for kind in ("bbox", "segm"):
    print(kind)
    answers = {}
    for name, marked in (("no mark", {}), ('"ignore": true', {"ignore": True}), ('"iscrowd": 1', {"iscrowd": 1})):
        answers[name] = rated(kind, marked, seen), rated(kind, marked, everything)
        (few, left), (all_, _) = answers[name]
        print(f"  {name}: AP {few:.2f} of the five that are seen, {all_:.2f} of all ten; {left} marks are left")
    assert answers['"ignore": true'] == answers["no mark"]
    (few, left), (all_, _) = answers['"ignore": true']
    assert abs(few - 0.505) < 0.001 and all_ > 0.999 and left == 0
    assert answers['"iscrowd": 1'][0][0] > 0.999 and answers['"iscrowd": 1'][1][0] > 0.999
print("as found: the mark makes no difference")
PYTHON
