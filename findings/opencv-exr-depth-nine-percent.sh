#!/usr/bin/env bash
# opencv-python-headless 4.14.0.94: depth of an EXR comes 9 % too far, or as 0.
#
# Blender and other renderers write depth to OpenEXR, mostly as R, G and B with the same numbers, or as one channel that
# is called Z. cv2.imread(file, cv2.IMREAD_ANYDEPTH) is how one has an image of any depth as one channel. Of three equal
# channels any mixture to grey is that number again; here it is 1.09 times as much, as the weights in the reader of EXR
# add up to 1.09 (0.64 for red, 0.30 and 0.15): a wall at 1 m is at 1.09 m, flat, without noise and float32, and an
# object is found 9 % too far. Of a PNG with three equal channels of 16 bits the same call gives the number. Of a file
# whose only channel is Z, an image of the right size comes with 0 everywhere, which is "no depth", by every flag; where
# X, Y and Z are the points, Y comes alone, as if it were a picture. Nothing is said of either. IMREAD_UNCHANGED and one
# of its channels is right for the first, and the module OpenEXR for the others. (5.0.0.93 was built without EXR: it
# gives None.) Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  opencv-python-headless==4.14.0.94 OpenEXR==3.5.3 numpy==2.4.6
cd "$work"
OPENCV_IO_ENABLE_OPENEXR=1 "$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np
import OpenEXR

print("OpenCV", cv2.__version__, "OpenEXR", OpenEXR.__version__)
DEPTH = np.linspace(0.5, 2.0, 48 * 64, dtype=np.float32).reshape(48, 64)  # metres
NOTHING = np.zeros_like(DEPTH)


def read(flag, **channels):
    """What OpenCV reads of a file with these channels, which OpenEXR reads as they were written."""
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, dict(channels)).write("image.exr")
    with OpenEXR.File("image.exr", separate_channels=True) as file:
        written = file.channels()
        for name, values in channels.items():
            assert np.array_equal(written[name].pixels, values), name
    return cv2.imread("image.exr", flag)


grey = read(cv2.IMREAD_ANYDEPTH, R=DEPTH, G=DEPTH, B=DEPTH)
print(f"R = G = B: 0.5 to 2 m come as {grey.min():.3f} to {grey.max():.3f} m; {grey.dtype} {grey.shape}")
assert grey.dtype == np.float32 and grey.shape == DEPTH.shape
assert np.allclose(grey, 1.09 * DEPTH, rtol=1e-3)
weights = []
for name in "RGB":
    channels = {other: DEPTH if other == name else NOTHING for other in "RGB"}
    weights.append(float(np.median(read(cv2.IMREAD_ANYDEPTH, **channels) / DEPTH)))
print("weights of R, G and B:", np.round(weights, 3).tolist(), "sum", round(sum(weights), 3))
assert abs(sum(weights) - 1.09) < 0.005
whole = read(cv2.IMREAD_UNCHANGED, R=DEPTH, G=DEPTH, B=DEPTH)
assert whole.shape == (48, 64, 3) and np.array_equal(whole[..., 0], DEPTH)

millimetres = np.round(1000.0 * DEPTH).astype(np.uint16)
assert cv2.imwrite("image.png", np.dstack([millimetres] * 3))
assert np.array_equal(cv2.imread("image.png", cv2.IMREAD_ANYDEPTH), millimetres)

for flag in (cv2.IMREAD_UNCHANGED, cv2.IMREAD_ANYDEPTH, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR):
    alone = read(flag, Z=DEPTH)
    assert alone.shape == DEPTH.shape and alone.dtype == np.float32 and not alone.any()
print("Z alone: an image of zeros")
points = read(cv2.IMREAD_UNCHANGED, X=DEPTH + 1.0, Y=DEPTH + 2.0, Z=DEPTH)
print(f"X, Y and Z: one channel, from {points.min():.1f} to {points.max():.1f}, which is Y")
assert points.shape == DEPTH.shape and np.array_equal(points, DEPTH + 2.0)
print("as found: 9 % too far, or nothing")
PYTHON
