#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: disparity or depth of a PFM is divided by the number in its header.
#
# PFM is the float format of stereo: ground truth and results of disparity, and depth of some cameras and networks. Its
# third line is a number whose sign is the order of bytes and whose size is a scale, of the unit of the samples: 1 in
# most, 0.003922 (1 / 255) where a picture's range was written there, 0.001 where samples are millimetres. The usual few
# lines of Python, and Pillow, give the samples as they stand, and the scale beside them. cv2.imread gives them divided
# by it, with no word in its help: 10 pixels of disparity come as 2550, so what is 2 m away is 8 mm away. If the scale
# is what brings samples to the unit, as its name says, they had to be multiplied: then 1500 mm with a scale of 0.001
# are 1.5 m, and OpenCV has 1,500,000. What cv2.imwrite writes has a scale of 1, so a test that writes and reads is
# right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

print("OpenCV", cv2.__version__, "pillow", version("pillow"))
SAMPLES = np.linspace(10.0, 60.0, 48 * 64, dtype=np.float32).reshape(48, 64)

for scale in (-1.0, -0.003922, 0.003922, -0.001, -1000.0):
    order = "<f4" if scale < 0.0 else ">f4"
    Path("image.pfm").write_bytes(f"Pf\n64 48\n{scale}\n".encode() + SAMPLES[::-1].astype(order).tobytes())
    by_opencv = cv2.imread("image.pfm", cv2.IMREAD_UNCHANGED)
    picture = Image.open("image.pfm")
    by_pillow = np.asarray(picture)
    print(
        f"scale {scale}: samples 10 to 60; pillow {by_pillow.min():g} to {by_pillow.max():g}, "
        f"OpenCV {by_opencv.min():g} to {by_opencv.max():g}"
    )
    assert np.array_equal(by_pillow, SAMPLES) and np.isclose(picture.info["scale"], abs(scale))
    assert by_opencv.dtype == np.float32 and np.allclose(by_opencv, SAMPLES / abs(scale), rtol=1e-5)
assert cv2.imwrite("image.pfm", SAMPLES) and float(Path("image.pfm").read_bytes().split()[3]) == -1.0
assert np.array_equal(cv2.imread("image.pfm", cv2.IMREAD_UNCHANGED), SAMPLES)
assert not re.search("scale factor|PFM.{0,40}(divid|scal)", cv2.imread.__doc__, re.IGNORECASE)
print("as found: the samples are divided by the scale")
PYTHON
