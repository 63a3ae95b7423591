#!/usr/bin/env bash
# lensfunpy 1.18.0 (lensfun 0.3.4): a picture whose distortion is taken out has another focal length, by up to 8 %.
#
# lensfun's profiles stand in for a calibration of telephones, drones and compact cameras. Undistorted with OpenCV, the
# middle of a picture stays as it is and its borders move, so K keeps its f. With a lensfun Modifier and scale 1.0, the
# middle is resized as well: most profiles are polynomials that keep a circle near the border. K of the corrected
# picture is not that of the photograph: its f is 5 % longer for an iPhone XS and a Mavic Air, 5 % shorter for a Phantom
# 4 Pro (FC6310) and 8 % for an RX100 VI at its widest. An f in pixels that was worked out of the focal length and the
# sensor's width, and is used with the corrected picture, places an object too near or too far by the same, 5 to 8 cm at
# 1 m. Neither the Modifier nor the lens says the number, nor does the help. It is what the map of
# apply_geometry_distortion does to the distance of two pixels beside the middle: f of the picture is f divided by it.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  lensfunpy==1.18.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'

import cv2
import lensfunpy
import numpy as np

print("lensfunpy", lensfunpy.__version__, "lensfun", ".".join(str(part) for part in lensfunpy.lensfun_version[:3]))
NEAR = 20  # pixels to either side of the middle
base = lensfunpy.Database()
FOUND = {
    "iPhone XS": (4032, 3024, 0.956),
    "Mavic Air FC2103": (4056, 3040, 0.953),
    "FC6310": (5472, 3648, 1.054),
    "DSC-RX100M6": (5472, 3648, 1.083),
}


def growth(source):
    """How many pixels of the photograph there are to one of the corrected picture, in its middle, both ways."""
    row, column = source.shape[0] // 2, source.shape[1] // 2
    across = source[row, column + NEAR, 0] - source[row, column - NEAR, 0]
    upwards = source[row + NEAR, column, 1] - source[row - NEAR, column, 1]
    return np.array([across, upwards]) / (2.0 * NEAR)


for model, (width, height, expected) in FOUND.items():
    camera = next(item for item in base.cameras if item.model == model)
    lens = base.find_lenses(camera)[0]
    assert lens.type == lensfunpy.LensType.RECTILINEAR  # so no other projection is asked for
    modifier = lensfunpy.Modifier(lens, camera.crop_factor, width, height)
    modifier.initialize(
        lens.min_focal, 4.0, 1000.0, scale=1.0, pixel_format=np.float32, flags=lensfunpy.ModifyFlags.DISTORTION
    )
    found = growth(modifier.apply_geometry_distortion())
    print(f"{model} at {lens.min_focal:.2f} mm: f times {1.0 / found[0]:.3f} in the corrected picture")
    assert np.allclose(found, expected, atol=0.003) and np.ptp(found) < 2e-3

K = np.array([[3000.0, 0.0, 2016.0], [0.0, 3000.0, 1512.0], [0.0, 0.0, 1.0]])
maps = cv2.initUndistortRectifyMap(K, np.array([-0.2, 0.05, 0.0, 0.0]), None, K, (4032, 3024), cv2.CV_32FC2)
print("OpenCV:", growth(maps[0]).round(4).tolist())
assert np.allclose(growth(maps[0]), 1.0, atol=1e-3)
print("as found: what is corrected has another f")
PYTHON
