#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93 and pycocotools 2.0.11: masks shrink and shift on their way through a COCO polygon.
#
# The usual way from a mask to a `segmentation` of COCO is cv2.findContours. Its points are the middles of the outermost
# pixels, and cv2.fillPoly gives the same mask back, as it draws the border too. pycocotools fills what lies within the line,
# on pixels whose corners are whole numbers: a row and a column are lost on the right and below. A square of 10 x 10 pixels
# comes back as 9 x 9; a disc of 21 pixels with an IoU of 0.87 and its centre half a pixel and more to the upper left. Adding
# 0.5 to the points moves the loss to the other sides and does not mend it. RLE (mask.encode) is exact.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 pycocotools==2.0.11 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cv2
import numpy as np
from pycocotools import mask as coco

print("opencv-python-headless", version("opencv-python-headless"), "pycocotools", version("pycocotools"))
SIZE = 120
rows, columns = np.mgrid[:SIZE, :SIZE]


def centre(mask):
    return np.array([columns[mask > 0].mean(), rows[mask > 0].mean()])


def ways(mask):
    """Masks that come back by each way."""
    (contour,), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)

    def by_polygon(shift):
        points = contour.reshape(1, -1) + shift
        return coco.decode(coco.merge(coco.frPyObjects(points.tolist(), SIZE, SIZE)))

    return {
        "cv2.fillPoly": cv2.fillPoly(np.zeros_like(mask), [contour], 1),
        "polygon": by_polygon(0.0),
        "polygon + 0.5": by_polygon(0.5),
        "RLE": coco.decode(coco.encode(np.asfortranarray(mask))),
    }


def compared(mask):
    """The IoU with a mask and the shift of its centre, of what comes back by each way."""
    found = {}
    for way, back in ways(mask).items():
        iou, shift = (mask & back).sum() / (mask | back).sum(), centre(back) - centre(mask)
        found[way] = iou, shift
        print(f"  {way:13}: {int(back.sum()):4} pixels, IoU {iou:.3f}, centre moved by {shift.round(2).tolist()}")
    return found


square = np.zeros((SIZE, SIZE), np.uint8)
square[50:60, 50:60] = 1
print("a square of 10 x 10, 100 pixels:")
found = compared(square)
assert ways(square)["polygon"].sum() == 81 and np.allclose(found["polygon"][1], -0.5)
for radius in (10, 40):
    disc = ((columns - 60) ** 2 + (rows - 60) ** 2 <= radius**2).astype(np.uint8)
    print(f"a disc of {2 * radius + 1} pixels across, {int(disc.sum())} pixels:")
    found = compared(disc)
    assert found["cv2.fillPoly"][0] == found["RLE"][0] == 1.0
    assert found["polygon"][0] < (0.90 if radius == 10 else 0.98) and (found["polygon"][1] < -0.4).all()
    assert found["polygon + 0.5"][0] < 1.0 and (found["polygon + 0.5"][1] > 0.2).all()
print("as found: a mask of OpenCV is smaller and aside when pycocotools fills its contour")
PYTHON
