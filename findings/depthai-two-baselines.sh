#!/usr/bin/env bash
# depthai 3.12.0: a stereo pair has two baselines, and K of another size is that of another picture than described.
#
# A calibration of OAK cameras holds the translation that was calibrated and that of the design. getCameraExtrinsics gives the first by
# default, getCameraTranslationVector and getBaselineDistance of the same two cameras the second. A pair that was calibrated at 73.1 mm
# and drawn at 75 has points 2.6 % too far if depth is made of disparity with getBaselineDistance, and a translation that is not
# that of its matrix. getCameraIntrinsics for another size is said to scale to the larger and crop what remains, as the camera
# does with pictures by default. Of 1280 x 800, 1280 x 720 is cropped; 640 x 480 and 640 x 640 are scaled to the smaller, and the
# principal point is as though bars were put above and below: f is 400 and not 480, or 640. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check depthai==3.12.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import depthai
import numpy as np

print("depthai", version("depthai"))
left, right = depthai.CameraBoardSocket.CAM_B, depthai.CameraBoardSocket.CAM_C
WIDTH, HEIGHT, FOCAL, CX, CY = 1280, 800, 800.0, 639.5, 399.5
calibration = depthai.CalibrationHandler()
for socket in (left, right):
    calibration.setCameraIntrinsics(socket, [[FOCAL, 0.0, CX], [0.0, FOCAL, CY], [0.0, 0.0, 1.0]], WIDTH, HEIGHT)
# In centimetres, the unit of all of these unless another is asked for: as calibrated, and as designed.
calibration.setCameraExtrinsics(right, left, np.eye(3).tolist(), [-7.31, 0.05, 0.02], [-7.5, 0.0, 0.0])

matrix = np.array(calibration.getCameraExtrinsics(right, left))
vector = np.array(calibration.getCameraTranslationVector(right, left))
length = calibration.getBaselineDistance(right, left)
print(f"translation of the matrix {matrix[:3, 3].round(2).tolist()} cm, of the vector {vector.round(2).tolist()} cm")
print(f"baseline {length:.2f} cm")
assert np.allclose(matrix[:3, 3], [-7.31, 0.05, 0.02], atol=1e-5)
assert np.allclose(vector, [-7.5, 0.0, 0.0], atol=1e-5) and np.isclose(length, 7.5)
asked = calibration.getBaselineDistance(right, left, useSpecTranslation=False)
assert np.isclose(asked, np.linalg.norm(matrix[:3, 3]), atol=1e-5)
print(f"baseline with useSpecTranslation=False: {asked:.2f} cm")


def scaled(factor, width, height):
    """f, cx and cy of a picture that is scaled by this factor about its upper left, and cropped, or filled up, about its middle."""
    return FOCAL * factor, CX * factor + (width - WIDTH * factor) / 2, CY * factor + (height - HEIGHT * factor) / 2


for width, height, cropped in ((1280, 720, True), (640, 400, True), (640, 480, False), (640, 640, False)):
    K = np.array(calibration.getCameraIntrinsics(left, width, height))  # keepAspectRatio is True
    larger, smaller = (scaled(which(width / WIDTH, height / HEIGHT), width, height) for which in (max, min))
    got = K[0, 0], K[0, 2], K[1, 2]
    print(f"{width} x {height}: f, cx, cy = {np.round(got, 2).tolist()}; scaled to the larger and cropped {np.round(larger, 2).tolist()}")
    assert np.isclose(K[0, 0], K[1, 1])
    assert np.allclose(got, larger if cropped else smaller, atol=0.01), (got, larger, smaller)
    assert cropped == np.allclose(got, larger, atol=0.01)
print("as found: design here and calibration there, bars and not a crop")
PYTHON
