#!/usr/bin/env bash
# opencv-python-headless 4.14.0.94: pictures are warped in steps of 1/32 of a pixel, and not at all by less than 1/64.
#
# Pose is refined on pictures by small motions: the picture is warped by a guess, compared, and the guess is moved on,
# by a derivative that is taken as a difference. warpAffine, warpPerspective and remap, with INTER_LINEAR or
# INTER_CUBIC, on float pictures as on bytes, round the place that each pixel is read at to 1/32 of a pixel. A shift of
# 0.015 pixels returns the very same picture, one of 0.02 is one of 0.03125. So of a function of pose that goes through
# a warp, the derivative by differences of 0.01 pixels is 0, or three times too large where a step is crossed; and no
# answer is better than the step. A turn of 0.01 degrees leaves nine tenths of a picture of 200 x 200 as they were. The
# help of the three speaks of floating-point maps; that fixed-point ones lose digits is said of convertMaps.
# getRectSubPix is exact. OpenCV 5.0 reads at the place itself with INTER_LINEAR and INTER_CUBIC, so numbers differ by
# which version is installed. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==4.14.0.94 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cv2
import numpy as np

print("opencv-python-headless", version("opencv-python-headless"))
SIZE = 200
columns, rows = np.meshgrid(np.arange(SIZE, dtype=np.float64), np.arange(SIZE, dtype=np.float64))
ramp = columns.astype(np.float32)  # its value is the place that was read


def affine(picture, matrix, flags):
    return cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=flags | cv2.WARP_INVERSE_MAP)


def perspective(picture, matrix, flags):
    matrix = np.vstack([matrix, [0.0, 0.0, 1.0]])
    return cv2.warpPerspective(picture, matrix, (SIZE, SIZE), flags=flags | cv2.WARP_INVERSE_MAP)


def remap(picture, matrix, flags):
    places = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.transpose(matrix)
    return cv2.remap(picture, places[..., 0].astype(np.float32), places[..., 1].astype(np.float32), flags)


def shift(pixels):
    return np.array([[1.0, 0.0, pixels], [0.0, 1.0, 0.0]])


at = (SIZE // 2, SIZE // 2)
for pixels, expected in ((0.005, 0.0), (0.015, 0.0), (0.02, 1 / 32), (0.03, 1 / 32), (0.1, 3 / 32), (0.26, 8 / 32)):
    moved = [float(warp(ramp, shift(pixels), cv2.INTER_LINEAR)[at]) - at[1] for warp in (affine, perspective, remap)]
    patch = float(cv2.getRectSubPix(ramp, (1, 1), (at[1] + pixels, at[0]))[0, 0] - ramp[at])
    print(f"a shift of {pixels}: warpAffine, warpPerspective, remap {moved}, getRectSubPix {patch:.4f}")
    assert np.allclose(moved, expected, atol=1e-4) and np.isclose(patch, pixels, atol=1e-4)

texture = (np.sin(0.3 * columns) * np.cos(0.2 * rows)).astype(np.float32)
for picture in (texture, np.round(127.0 + 120.0 * texture).astype(np.uint8)):
    for warp in (affine, perspective, remap):
        for flags in (cv2.INTER_LINEAR, cv2.INTER_CUBIC):
            assert np.array_equal(warp(picture, shift(0.015), flags)[5:-5, 5:-5], picture[5:-5, 5:-5])
slopes = [
    float(np.subtract(*(affine(ramp, shift(x + h), cv2.INTER_LINEAR)[at] for h in (0.005, -0.005))) / 0.01)
    for x in (0.0, 1 / 64, 1 / 32, 0.1)
]
print("slope of the ramp, 1, by steps of 0.01 pixels at shifts of 0, 1/64, 1/32, 0.1:", np.round(slopes, 3).tolist())
assert np.allclose(slopes, [0.0, 3.125, 0.0, 0.0], atol=0.01)

turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), 0.01, 1.0)
same = float(np.mean(affine(texture, turn, cv2.INTER_LINEAR)[5:-5, 5:-5] == texture[5:-5, 5:-5]))
print(f"a turn of 0.01 degrees leaves {100 * same:.0f} % of the pixels as they were")
assert 0.85 < same < 0.95
print("as found: steps of 1/32 of a pixel")
PYTHON
