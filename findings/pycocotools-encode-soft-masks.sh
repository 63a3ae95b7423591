#!/usr/bin/env bash
# pycocotools 2.0.11: mask.encode takes every change of value for a border, so masks with soft edges or labels come back as others.
#
# It wants uint8 in Fortran's order, and says no more; what is not zero might be expected to be the mask, as anywhere else. Its runs
# go from one change of the value to the next, down the columns, whatever the values are, and each change turns what is mask into
# what is not. A renderer's or a resized mask has a soft edge of several greys: a disc of 749 pixels comes back as 96 specks
# of it, and mask.area says 96, though mask.toBbox still has the right box. Of a label image whose instance 2 lies below its
# instance 1, both come back in every second column, and in the others so does the background around them. Nothing is said. With
# two values, 0 and 255 too, all is right: (mask > 0) before it is the cure. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pycocotools import mask as coco

print("pycocotools", version("pycocotools"))


def there_and_back(picture):
    """The mask that comes back, and the run lengths' own area and box."""
    runs = coco.encode(np.asfortranarray(picture))
    return coco.decode(runs) > 0, int(coco.area(runs)), coco.toBbox(runs).tolist()


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


rows, columns = np.mgrid[:60, :80]
cover = np.clip(15.5 - np.hypot(columns - 40, rows - 30), 0.0, 1.0)  # the share of a pixel that a disc covers, roughly
soft = (255 * cover).astype(np.uint8)
true = soft > 0
back, area, box = there_and_back(soft)
print(f"a disc with a soft edge: {true.sum()} pixels, back {back.sum()}, IoU {iou(back, true):.2f}; area {area}, box {box}")
assert iou(back, true) < 0.2 and area == back.sum() and box == [25.0, 15.0, 31.0, 31.0]
for name, hard in (("0 and 1", true.astype(np.uint8)), ("0 and 255", 255 * true.astype(np.uint8))):
    back, _area, _box = there_and_back(hard)
    print(f"the same of {name}: IoU {iou(back, true):.2f}")
    assert (back == true).all()

labels = np.zeros((60, 80), np.uint8)
labels[10:30, 10:40], labels[30:50, 10:40] = 1, 2
back, _area, _box = there_and_back(labels)
shares = {label: float(back[:, 10:40][labels[:, 10:40] == label].mean()) for label in (0, 1, 2)}
print("a label image: of its columns with labels, the share of each that comes back:", shares)
assert shares == {0: 0.5, 1: 0.5, 2: 0.5}
print("as found: only pictures of two values come back")
PYTHON
