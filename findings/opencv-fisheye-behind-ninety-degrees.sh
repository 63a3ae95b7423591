#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: cv2.fisheye puts what is more than 90 degrees off the axis on the other side.
#
# The model of cv2.fisheye is one of the angle to the axis, made for lenses of 180 degrees and more, and COLMAP, Kalibr and
# ROS use the same four coefficients. But cv2.fisheye.projectPoints takes the angle from x / z: a point 100 degrees to the
# right, which such a lens sees at the right border, gets a finite pixel on the left half, where another one is that is 80
# degrees to the left. No NaN and no error says so. The way back, undistortPoints, takes a pixel that is farther than 1.57
# focal lengths from the centre for one at about that distance, here 88 degrees off the axis, so that all of the border has
# nearly one direction, some of it in front of the camera too. Points behind a camera have to be told by their angle before
# they are projected. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cv2
import numpy as np

print("opencv-python-headless", version("opencv-python-headless"))
# A lens of 200 degrees: with 300 pixels a radian, the picture's circle has a radius of 524 pixels.
K = np.array([[300.0, 0.0, 540.0], [0.0, 300.0, 540.0], [0.0, 0.0, 1.0]])
COEFFICIENTS = np.array([0.01, -0.002, 0.0005, 0.0])


def by_angle(degrees):
    """Where the model puts a direction so far to the right of the axis: 540 + 300 theta_d (equidistant, odd polynomial)."""
    theta = np.radians(degrees)
    return 540.0 + 300.0 * theta * (1.0 + sum(k * theta ** (2 * i + 2) for i, k in enumerate(COEFFICIENTS)))


def projected(degrees):
    theta = np.radians(degrees)
    point = np.array([[[np.sin(theta), 0.0, np.cos(theta)]]])
    return float(cv2.fisheye.projectPoints(point, np.zeros(3), np.zeros(3), K, COEFFICIENTS)[0].ravel()[0])


def direction(column):
    """x / z of a pixel of the middle row."""
    return float(cv2.fisheye.undistortPoints(np.array([[[column, 540.0]]]), K, COEFFICIENTS).ravel()[0])


for degrees in (30, 60, 85, 89, 91, 95, 100):
    here, there = by_angle(degrees), projected(degrees)
    back, expected = direction(here), np.tan(np.radians(degrees))
    print(
        f"{degrees:3} degrees to the right: column {here:6.1f} by the model, {there:6.1f} by OpenCV; "
        f"back x / z = {back:.2f} for {expected:.2f}"
    )
    if degrees < 90:
        assert np.isclose(here, there), degrees
    else:
        assert np.isfinite(there) and np.isclose(there, projected(degrees - 180)) and there < 540.0 < here, degrees
    far = here - 540.0 > 300.0 * np.pi / 2.0
    assert far == (degrees > 86), degrees
    if far:
        assert 33.0 < back < 39.0 and not np.isclose(back, expected, rtol=0.2), degrees
    else:
        assert np.isclose(back, expected, rtol=1e-3), degrees
print("as found: beyond 90 degrees there is a finite pixel, on the wrong side, and the border has nearly one direction")
PYTHON
