#!/usr/bin/env bash
# pillow 13.0.0: depth of 16 bits that is rotated or warped with BILINEAR or BICUBIC comes back as numbers below 256.
#
# A depth image opened from its PNG has the mode I;16. Image.rotate, and Image.transform with AFFINE, PERSPECTIVE and EXTENT, with which
# training data is turned and cut out, take every mode, say nothing of this one, and keep it: the answer is I;16, uint16, and of
# the right size. Its numbers are made of single bytes, high and low ones mixed: an object at 800 mm and a wall at 1200 mm are 18
# and 17 in the median, and no number is above 255, though nothing is moved at all. Taken for mm, all is within 26 cm; divided by the
# greatest value, it is a picture with noise. NEAREST, Image.resize with any filter, and turns by 180 degrees are right.
# convert("F") or convert("I") before, and all of them are. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import warnings

import numpy as np
import PIL
from PIL import Image

warnings.simplefilter("error")  # there is none
print("pillow", PIL.__version__)
# A near object before a wall.
mm = np.full((240, 320), 1200, np.uint16)
mm[60:180, 80:240] = 800
Image.fromarray(mm).save("depth.png")
depth = Image.open("depth.png")
assert depth.mode == "I;16" and np.array_equal(np.asarray(depth), mm)
INSIDE = (slice(100, 140), slice(140, 180))  # of the object, far from its border and the picture's
WALL = (slice(100, 140), slice(270, 300))

STAY = (1, 0, 0, 0, 1, 0)
WAYS = {
    "rotate by 10 degrees": lambda image, how: image.rotate(10.0, how),
    "transform, AFFINE that stays": lambda image, how: image.transform(image.size, Image.Transform.AFFINE, STAY, how),
    "transform, PERSPECTIVE that stays": lambda image, how: image.transform(
        image.size, Image.Transform.PERSPECTIVE, (*STAY, 0, 0), how
    ),
    "transform, EXTENT that stays": lambda image, how: image.transform(
        image.size, Image.Transform.EXTENT, (0, 0, *image.size), how
    ),
}
for name, way in WAYS.items():
    for how in (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC):
        answer = way(depth, how)
        turned = np.asarray(answer)
        assert answer.mode == "I;16" and turned.dtype == np.uint16 and turned.shape == mm.shape
        values = [int(np.median(turned[part])) for part in (INSIDE, WALL)]
        print(f"{name}, {how.name}: 800 and 1200 are {values[0]} and {values[1]}, the greatest is {turned.max()}")
        if how is Image.Resampling.NEAREST:
            assert values == [800, 1200]
        else:
            assert max(values) < 100 and turned.max() < 256
        for mode in ("F", "I"):
            right = np.asarray(way(depth.convert(mode), how))
            assert np.allclose([np.median(right[part]) for part in (INSIDE, WALL)], [800, 1200], atol=1)
larger = np.asarray(depth.resize((640, 480), Image.Resampling.BICUBIC))
assert larger[240, 320] == 800 and larger[240, 580] == 1200
assert np.array_equal(np.asarray(depth.rotate(180.0, Image.Resampling.BILINEAR)), mm[::-1, ::-1])
print("as found: 16 bits are turned one byte at a time")
PYTHON
