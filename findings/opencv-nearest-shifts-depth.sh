#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: depth that is made smaller with INTER_NEAREST is moved against its photograph.
#
# Depth must not be mixed over edges, so photographs are made smaller by INTER_AREA and depth by INTER_NEAREST. The first
# has the middle of each new pixel in the middle of the k x k that it replaces; the second takes the first of them, the upper
# left, and so looks (k - 1) / 2 old pixels aside. With k = 4 and a focal length of 600 at 1 m, all of the points are 2.5 mm to
# the right and below, in x and in y: a plane seen at 50 degrees is off by 2 mm everywhere, to one side, and not as noise.
# INTER_NEAREST_EXACT, and Pillow's NEAREST, take the middle: nothing is left for odd k, and half an old pixel, to the other
# side, for even k. A matrix with cx / k and cy / k in place of (cx + 0.5) / k - 0.5 fits INTER_NEAREST. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np
from PIL import Image

print("opencv-python-headless", cv2.__version__)
F, CX, CY, WIDTH, HEIGHT = 600.0, 359.5, 239.5, 720, 480
slant = np.radians(50.0)
NORMAL, MIDDLE = np.array([-np.sin(slant), 0.0, -np.cos(slant)]), np.array([0.0, 0.0, 1.0])


def rays(width, height, f, cx, cy):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([(columns - cx) / f, (rows - cy) / f, np.ones((height, width))], axis=-1)


def smaller(image, k, how):
    size = (WIDTH // k, HEIGHT // k)
    if how == "Pillow's NEAREST":
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.NEAREST))
    return cv2.resize(image, size, interpolation=getattr(cv2, how))


depth = ((NORMAL @ MIDDLE) / (rays(WIDTH, HEIGHT, F, CX, CY) @ NORMAL)).astype(np.float32)
columns = np.tile(np.arange(WIDTH, dtype=np.float32), (HEIGHT, 1))
for k in (2, 3, 4, 8):
    middle = k * np.arange(WIDTH // k) + (k - 1) / 2
    assert np.allclose(smaller(columns, k, "INTER_AREA"), middle)
    fits = rays(WIDTH // k, HEIGHT // k, F / k, (CX + 0.5) / k - 0.5, (CY + 0.5) / k - 0.5)
    other = rays(WIDTH // k, HEIGHT // k, F / k, CX / k, CY / k)
    for how in ("INTER_NEAREST", "INTER_NEAREST_EXACT", "Pillow's NEAREST"):
        aside = float(np.unique(smaller(columns, k, how) - middle).item())  # old pixels
        small = smaller(depth, k, how)[..., None]
        off, mended = (1e3 * (small * by - MIDDLE) @ NORMAL for by in (fits, other))
        near = (abs(small[..., 0] - 1.0) < 0.1)  # about 1 m
        print(
            f"k = {k}, {how}: taken {aside:+.1f} old pixels aside, {abs(aside) / F * 1e3:.2f} mm at 1 m; "
            f"points {off[near].min():+.2f} to {off[near].max():+.2f} mm from the plane"
        )
        if how == "INTER_NEAREST":
            assert aside == -(k - 1) / 2 and np.abs(mended).max() < 0.01
        else:
            assert aside == (0.0 if k % 2 else 0.5)
        expected = 1e3 * abs(aside) / F * np.sin(slant)
        assert np.allclose(np.abs(off[near]), expected, rtol=0.15, atol=0.01)
        assert aside == 0.0 or np.ptp(np.sign(off[near])) == 0
print("as found: the nearest neighbour is the first of each square")
PYTHON
