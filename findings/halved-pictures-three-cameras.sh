#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93 and scipy 1.17.1: a picture of half the size has another camera for each function that halves.
#
# A pyramid for pose or flow needs K beside each level. cv2.resize (INTER_LINEAR, INTER_AREA) keeps the picture's outer border, so
# the pixel i of the half is at 2 i + 0.5 of the whole, and cx is (cx + 0.5) / 2 - 0.5. cv2.pyrDown, with which most build a
# pyramid, is at 2 i: cx / 2. scipy.ndimage.zoom keeps the centres of the outermost pixels on one another: for 640 columns it is
# at 639 / 319 i, so that not even fx is halved (it is 0.16 % less), unless grid_mode=True. Three times halved by pyrDown with the
# K of resize is 3.5 pixels of the whole off, and all of one level alike, as a pose that is shifted. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np
import scipy
from scipy import ndimage

print("OpenCV", cv2.__version__, "SciPy", scipy.__version__)
WIDTH, HEIGHT = 640, 480
whole = np.tile(np.arange(WIDTH, dtype=np.float32), (HEIGHT, 1))  # each pixel holds its column
half = (WIDTH // 2, HEIGHT // 2)


def line(image):
    """Where columns of the half lie in the whole: the step, and the place of column 0, away from the border."""
    step, first = np.polyfit(np.arange(100, 220), image[image.shape[0] // 2, 100:220], 1)
    return round(float(step), 5), abs(round(float(first), 3))


found = {
    "resize, INTER_LINEAR": line(cv2.resize(whole, half, interpolation=cv2.INTER_LINEAR)),
    "resize, INTER_AREA": line(cv2.resize(whole, half, interpolation=cv2.INTER_AREA)),
    "pyrDown": line(cv2.pyrDown(whole)),
    "zoom": line(ndimage.zoom(whole, 0.5, order=1)),
    "zoom, grid_mode": line(ndimage.zoom(whole, 0.5, order=1, grid_mode=True, mode="nearest")),
}
for name, (step, first) in found.items():
    print(f"{name}: column i is at {step} i + {first}")
assert found["resize, INTER_LINEAR"] == found["resize, INTER_AREA"] == found["zoom, grid_mode"] == (2.0, 0.5)
assert found["pyrDown"] == (2.0, 0.0)
assert np.allclose(found["zoom"], ((WIDTH - 1) / (WIDTH // 2 - 1), 0.0), atol=1e-3)
small = whole
for _ in range(3):
    small = cv2.pyrDown(small)
# Of an eighth, resize has its column 20 at 8 * 20 + 3.5.
apart = 8 * 20 + 3.5 - float(small[30, 20])
print(f"halved three times: pyrDown and resize are {apart:.2f} columns of the whole apart")
assert abs(apart - 3.5) < 1e-3
print("as found: three cameras for one half")
PYTHON
