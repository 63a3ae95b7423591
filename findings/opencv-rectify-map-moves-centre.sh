#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: without a new camera matrix, undistort keeps K, initUndistortRectifyMap moves its centre.
#
# To undistort one picture there is cv2.undistort; for a film one makes the map once, with initUndistortRectifyMap, and calls
# remap, which is what undistort does inside. The last argument of both, a new camera matrix, may be None. undistort then
# keeps K. The map keeps fx and fy and puts the principal point into the middle of the picture, (W - 1) / 2 and (H - 1) / 2;
# cv2.undistortPoints, third of the family, gives no pixels at all but x / z. Whoever goes on with K after remap is off by the
# distance of the principal point from the middle, here 19.5 and 20.5 pixels, which is 2.4 cm each at 0.7 m, everywhere alike:
# so nothing looks distorted, and the poses of all objects are shifted. getOptimalNewCameraMatrix is not involved, nor any
# distortion: the coefficients are zero. With K given as the new matrix all agree. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("OpenCV", cv2.__version__)
WIDTH, HEIGHT = 640, 480
K = np.array([[600.0, 0.0, 300.0], [0.0, 600.0, 260.0], [0.0, 0.0, 1.0]])
UNDISTORTED = np.zeros(5)
SEEN = np.array([400.0, 200.0])  # column and row of the only bright pixel
picture = np.zeros((HEIGHT, WIDTH), np.float32)
picture[200, 400] = 1.0


def place(image):
    """The middle of what is bright, column and row."""
    rows, columns = np.nonzero(image > 0)
    weights = image[rows, columns]
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


def mapped(new_matrix):
    maps = cv2.initUndistortRectifyMap(K, UNDISTORTED, None, new_matrix, (WIDTH, HEIGHT), cv2.CV_32FC1)
    return place(cv2.remap(picture, *maps, cv2.INTER_LINEAR))


kept = place(cv2.undistort(picture, K, UNDISTORTED, None, None))
moved, told = mapped(None), mapped(K)
points = cv2.undistortPoints(SEEN.reshape(1, 1, 2), K, UNDISTORTED)[0, 0]
print(f"a point at {SEEN.tolist()}: undistort {kept.tolist()}; map and remap {moved.tolist()}; with K named {told.tolist()}")
print("undistortPoints:", points.tolist())
middle = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
assert np.allclose(kept, SEEN) and np.allclose(told, SEEN)
assert np.allclose(moved - SEEN, middle - K[:2, 2], atol=1e-3)
assert np.allclose(points, (SEEN - K[:2, 2]) / 600.0)
print("as found: by the map, the principal point is in the middle of the picture")
PYTHON
