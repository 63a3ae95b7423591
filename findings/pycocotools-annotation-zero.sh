#!/usr/bin/env bash
# pycocotools 2.0.11: the annotation whose id is 0 is never found, so perfect detections have an AP below 1.
#
# BOP's detections and segmentations are rated by COCO's AP, over files that one's own few lines write, and ids that are
# counted in Python begin at 0. Images and categories may have it. Of annotations, COCOeval notes the id of what a detection
# was matched with, and takes 0 for "with none": the object counts as missed, and the detection that lies exactly on it as a
# false alarm, here with the highest score. Of 2 objects, all found to the pixel, AP is 0.25, of 10 it is 0.81, of 100 0.98;
# with ids from 1 it is 1.0. An object that is alone in its category has 0. Which object it is, is chance, so two methods
# are not even rated alike. Boxes and masks alike; no check, in COCO() or in evaluate(), says so. faster-coco-eval 1.8.0
# answers the same, and warns of it. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycocotools==2.0.11 faster-coco-eval==1.8.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import contextlib
import io
import warnings
from importlib.metadata import version

import faster_coco_eval
import numpy as np
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

print("pycocotools", version("pycocotools"), "and faster-coco-eval", version("faster-coco-eval"))
DISC = np.asfortranarray((np.hypot(*np.mgrid[-60:60, -80:80]) < 30).astype(np.uint8))
OUTLINE = mask.encode(DISC)
OUTLINE["counts"] = OUTLINE["counts"].decode()
SEEN = {"bbox": mask.toBbox(OUTLINE).tolist(), "segmentation": OUTLINE}


def rating(number, first, kind, rate=COCOeval, read=COCO):
    """AP and AR (100 detections) where each of `number` pictures has one object, found exactly."""
    truth = [
        {"id": first + i, "image_id": i, "category_id": 0, "area": int(DISC.sum()), "iscrowd": 0, **SEEN}
        for i in range(number)
    ]
    # Scores differ, and that of the first picture is the highest.
    found = [{"image_id": i, "category_id": 0, "score": 1.0 - i / (2.0 * number), **SEEN} for i in range(number)]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = read()
        coco.dataset = {
            "images": [{"id": i, "width": 160, "height": 120} for i in range(number)],
            "categories": [{"id": 0, "name": "mug"}],
            "annotations": truth,
        }
        coco.createIndex()
        rated = rate(coco, coco.loadRes(found), kind)
        rated.evaluate()
        rated.accumulate()
        rated.summarize()
    return rated.stats[0], rated.stats[8]


warnings.simplefilter("error")  # there is none
for kind in ("bbox", "segm"):
    for number, worst in ((1, 0.01), (2, 0.3), (10, 0.9), (100, 0.995)):
        (ap, ar), (right, all_found) = rating(number, 0, kind), rating(number, 1, kind)
        print(f"{kind}, {number} of {number} found exactly: ids from 0, AP {ap:.3f}, AR {ar:.3f}; ids from 1, AP {right:.3f}")
        assert ap < worst and abs(ar - (number - 1) / number) < 1e-6
        assert right > 0.999 and all_found > 0.999
faster = {"rate": faster_coco_eval.COCOeval_faster, "read": faster_coco_eval.COCO}
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    (ap, _), (right, _) = rating(2, 0, "bbox", **faster), rating(2, 1, "bbox", **faster)
print(f"faster-coco-eval, bbox, 2 of 2 found exactly: ids from 0, AP {ap:.3f}; ids from 1, AP {right:.3f}")
assert ap < 0.3 and right > 0.999 and any("annotation id 0" in str(warning.message) for warning in warned)
print("as found: no annotation may have the id 0")
PYTHON
