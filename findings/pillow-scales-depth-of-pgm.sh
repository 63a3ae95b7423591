#!/usr/bin/env bash
# pillow 13.0.0, imageio 2.38.1, scikit-image 0.26.0: depth of a PGM is multiplied by 16, or 6.55; OpenCV's is not.
#
# PGM says in its header which value is the largest, and 16 bits with any largest value up to 65535 are valid: 10000 of
# a camera that measures 10 m, 4095 of one with 12 bits, 2047 of the first Kinect's disparity. Pillow multiplies all
# values by 65535 over that number, and rounds them: a depth of 800 mm is one of 5243 or of 12803. imageio and
# scikit-image read with Pillow and give the same. OpenCV gives 800. A file that says 65535 comes out equal in all, so a
# test with one is right. What is read looks like depth, is of the right type, and is in proportion, so that a scene is
# only larger and farther away; it is 8 bits as well (a mask whose values are 0 to 100 comes as 0 to 255). Fails if any
# of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pillow==13.0.0 imageio==2.38.1 scikit-image==0.26.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cv2
import imageio.v3 as iio
import numpy as np
import skimage.io
from PIL import Image

for package in ("pillow", "imageio", "scikit-image", "opencv-python-headless"):
    print(package, version(package))
DEPTH = np.array([[0, 300, 800], [1000, 1500, 2000]])
READERS = {
    "Pillow": lambda name: np.asarray(Image.open(name)),
    "imageio": iio.imread,
    "scikit-image": skimage.io.imread,
    "OpenCV": lambda name: cv2.imread(name, cv2.IMREAD_UNCHANGED),
}


def written(values, largest):
    """A binary PGM; two bytes a pixel, the higher first, if the largest value needs them."""
    with open("depth.pgm", "wb") as file:
        file.write(f"P5\n{values.shape[1]} {values.shape[0]}\n{largest}\n".encode())
        file.write(values.astype(">u2" if largest > 255 else "u1").tobytes())
    return "depth.pgm"


for largest in (65535, 10000, 4095, 2047, 100):
    values = DEPTH if largest > 255 else DEPTH // 20
    name = written(values, largest)
    whole = 65535 if largest > 255 else 255
    for reader, read in READERS.items():
        got = np.asarray(read(name))
        factor = 1.0 if reader == "OpenCV" else whole / largest
        print(f"largest value {largest}, {reader}: {values[0, 2]} comes as {got[0, 2]}, times {factor:.2f}")
        assert got.shape == values.shape and np.abs(got - factor * values).max() <= 1.0
print("as found: the largest value is made that of the type, but not by OpenCV")
PYTHON
