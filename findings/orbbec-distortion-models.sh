#!/usr/bin/env bash
# pyorbbecsdk2 2.1.2 (Orbbec SDK 2.9.3): every model of distortion is undone, as if it were one, and only that one is applied.
#
# transformation3dto2d and 2dto2d take points and pixels of depth to pixels of colour, with K, the distortion and its model for each
# camera. BROWN_CONRADY is applied with k1 to k6 and p1, p2, as OpenCV's model of 8. BROWN_CONRADY_K6, whose name promises just
# that, KANNALA_BRANDT4 and two more give the pixel of a lens without distortion, with no warning: 9 pixels off near a corner
# for a usual lens of k1 to k6, 36 for a mild fisheye. Backwards, of the camera that a pixel comes from, the distortion is
# undone whatever the model is, with the formula of the first, for KANNALA_BRANDT4 too; so a pixel that goes from a camera to the
# same camera, 0 mm away, ends elsewhere. BROWN_CONRADY, too, leaves p1 and p2 out where k1 to k6 are 0. 2dto3d takes no distortion.
# Writing BROWN_CONRADY over a lens's BROWN_CONRADY_K6 before the calls is a cure. No device is needed. Fails if this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
# Its dependencies are those of its examples.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
  pyorbbecsdk2==2.1.2 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cv2
import numpy as np
import pyorbbecsdk as ob

print("pyorbbecsdk2", version("pyorbbecsdk2"), "of SDK", ob.get_version())
K = np.array([[500.0, 0.0, 319.5], [0.0, 500.0, 239.5], [0.0, 0.0, 1.0]])
POINT = np.array([250.0, 180.0, 500.0])  # mm, as the SDK has it
NAMES = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")  # in OpenCV's order
LENS = np.array([0.45, -2.6, 0.0005, -0.0002, 1.5, 0.33, -2.42, 1.42])
FISHEYE = np.array([-0.05, 0.01, 0.0, 0.0])  # k1 to k4 of the angle

camera = ob.OBCameraIntrinsic()
camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height = K[0, 0], K[1, 1], K[0, 2], K[1, 2], 640, 480
still = ob.OBExtrinsic()
still.rot, still.transform = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)


def lens(model, **coefficients):
    distortion = ob.OBCameraDistortion()
    distortion.model = getattr(ob.OBCameraDistortionModel, model)
    for name, value in coefficients.items():
        setattr(distortion, name, float(value))
    return distortion


def pixel(distortion, point=POINT):
    found = ob.transformation3dto2d(ob.OBPoint3f(*point), camera, distortion, still)
    return np.array([found.x, found.y])


def across(at, source, target):
    """Of a pixel, in a camera at the same place with another lens."""
    found = ob.transformation2dto2d(ob.OBPoint2f(*at), POINT[2], camera, source, camera, target, still)
    return np.array([found.x, found.y])


def by_opencv(coefficients):
    return cv2.projectPoints(POINT[None], np.zeros(3), np.zeros(3), K, coefficients)[0].ravel()


plain = by_opencv(np.zeros(8))
of_lens = dict(zip(NAMES, LENS))
true = by_opencv(LENS)
bent = cv2.fisheye.projectPoints(POINT[None, None], np.zeros(3), np.zeros(3), K, FISHEYE)[0].ravel()
print(f"without distortion {plain.round(2)}; with k1 to k6, p1, p2 by OpenCV {true.round(2)}; fisheye by OpenCV {bent.round(2)}")
none = lens("NONE")
for model in ("BROWN_CONRADY", "BROWN_CONRADY_K6", "MODIFIED_BROWN_CONRADY", "INVERSE_BROWN_CONRADY", "KANNALA_BRANDT4"):
    distortion = lens(model, **of_lens)
    found, moved = pixel(distortion), across(plain, none, distortion)
    back, same = across(true, distortion, none), across(true, distortion, distortion)
    print(
        f"{model}: projected {found.round(2)}, undone {back.round(2)}; "
        f"from the camera to itself {true.round(2)} comes to {same.round(2)}"
    )
    applied = model == "BROWN_CONRADY"
    assert np.allclose(found, true if applied else plain, atol=0.02) and np.allclose(moved, found, atol=0.02)
    assert np.allclose(back, plain, atol=0.02) and np.allclose(same, true if applied else plain, atol=0.02)
print(f"off by {np.linalg.norm(plain - true):.1f} pixels, for the fisheye by {np.linalg.norm(plain - bent):.1f}")
fisheye = lens("KANNALA_BRANDT4", k1=FISHEYE[0], k2=FISHEYE[1])
assert np.allclose(pixel(fisheye), plain, atol=0.02) and np.linalg.norm(plain - bent) > 30.0
assert np.linalg.norm(across(bent, fisheye, none) - plain) > 10.0
alone, beside = pixel(lens("BROWN_CONRADY", p1=0.01)), pixel(lens("BROWN_CONRADY", k1=-0.1, p1=0.01))
print(f"BROWN_CONRADY with p1 alone: {alone.round(2)}, for {by_opencv(np.array([0, 0, 0.01, 0])).round(2)} by OpenCV")
assert np.allclose(alone, plain, atol=0.01) and np.allclose(beside, by_opencv(np.array([-0.1, 0, 0.01, 0])), atol=0.01)
print("as found: one of five is applied, and all are undone as that one")
PYTHON
