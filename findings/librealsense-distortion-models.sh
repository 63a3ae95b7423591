#!/usr/bin/env bash
# pyrealsense2 2.59.1.11053: the names of librealsense's distortion models do not say what its functions do.
#
# inverse_brown_conrady is documented as Brown-Conrady that "undistorts image instead of distorting it". But
# rs2_project_point_to_pixel distorts with its coefficients, and rs2_deproject_pixel_to_point takes that back: it is OpenCV's
# model but for the order of its terms, which is a hundredth of a pixel here, and a program that takes the documentation's
# word bends the picture the other way, which is 24 pixels in a corner. modified_brown_conrady projects by the very same
# formula, but is not taken back: deprojecting leaves its coefficients out, with no error, and a point at 1 m comes back two
# centimetres aside. Only brown_conrady is OpenCV's model both ways. The coefficients here are made up, of a mild wide angle;
# no camera is needed. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pyrealsense2==2.59.1.11053 opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cv2
import numpy as np
import pyrealsense2 as rs

print("pyrealsense2", version("pyrealsense2"), "opencv-python-headless", version("opencv-python-headless"))
K = np.array([[640.0, 0.0, 640.0], [0.0, 640.0, 360.0], [0.0, 0.0, 1.0]])
COEFFICIENTS = np.array([-0.06, 0.06, 0.002, -0.001, -0.02])
POINT = np.array([0.8, 0.5, 1.0])
ZERO = np.zeros(3)


def camera(model):
    made = rs.intrinsics()
    made.width, made.height, made.model = 1280, 720, getattr(rs.distortion, model)
    made.fx, made.fy, made.ppx, made.ppy = 640.0, 640.0, 640.0, 360.0
    made.coeffs = COEFFICIENTS.tolist()
    return made


forward = cv2.projectPoints(POINT[None], ZERO, ZERO, K, COEFFICIENTS)[0].ravel()
# As documented: the polynomial leads from the pixel to the point, so the pixel is the one that it leads to this point.
plain = POINT[:2].copy()
for _ in range(100):
    pixel = cv2.projectPoints(np.array([[*plain, 1.0]]), ZERO, ZERO, K, COEFFICIENTS)[0].ravel()
    plain += POINT[:2] - (pixel - K[:2, 2]) / 640.0
backward = 640.0 * plain + K[:2, 2]
print(f"a point at {POINT.tolist()} m by OpenCV: {forward.round(2).tolist()}; undistorted: {backward.round(2).tolist()}")

from_opencv, back = {}, {}
for model in ("brown_conrady", "inverse_brown_conrady", "modified_brown_conrady"):
    pixel = np.array(rs.rs2_project_point_to_pixel(camera(model), POINT.tolist()))
    again = np.array(rs.rs2_deproject_pixel_to_point(camera(model), pixel.tolist(), 1.0))
    from_opencv[model], back[model] = np.linalg.norm(pixel - forward), 1e3 * np.linalg.norm(again - POINT)
    print(
        f"{model}: {pixel.round(2).tolist()}, {from_opencv[model]:.3f} pixels from OpenCV, "
        f"{np.linalg.norm(pixel - backward):.1f} from undistorting; comes back {back[model]:.2f} mm aside"
    )
assert from_opencv["brown_conrady"] < 0.01 and back["brown_conrady"] < 0.05
assert from_opencv["inverse_brown_conrady"] == from_opencv["modified_brown_conrady"]
assert 0.003 < from_opencv["inverse_brown_conrady"] < 0.1 and back["inverse_brown_conrady"] < 0.05
assert np.linalg.norm(forward - backward) > 15.0
assert back["modified_brown_conrady"] > 10.0
print("as found: the inverse model distorts, and the modified one is not taken back")
PYTHON
