#!/usr/bin/env bash
# opencv-contrib-python-headless 5.0.0.93: cv2.rapid, which tracks by edges, returns the pose it was given.
#
# rapid() and Rapid.compute() take rvec and tvec, the pose in the last frame, and return a ratio, rvec and tvec. As
# flat arrays of 3, which the rest of OpenCV takes, or as 1 x 3, they come back as they were: edges are looked for, all
# lines find one, and what is learned of the pose is dropped. A film of a box that moves by 2 mm a frame gives the
# first pose ten times over, the first four with a ratio of 1.0. As arrays of 3 x 1 they follow. The help has them as
# "initial solution", with no word of a shape. Nor is the ratio, which is said to be that of lines that "could be
# extracted and matched", a confidence: in a picture of noise it is 1.0 as well, with a pose that is 10 degrees from
# the start after ten calls, since each line takes its steepest step, however slight. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-contrib-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import itertools

import cv2
import numpy as np

cv2.setNumThreads(1)
print("opencv-contrib-python-headless", cv2.__version__)
K = np.array([[600.0, 0.0, 320.0], [0.0, 600.0, 240.0], [0.0, 0.0, 1.0]])
corners = np.array(list(itertools.product((-0.5, 0.5), repeat=3))) * [0.10, 0.08, 0.06]
sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
triangles = np.array([t for a, b, c, d in sides for t in ((a, b, c), (a, c, d))], np.int32)
for a, b, c in corners[triangles]:
    assert np.cross(b - a, c - a) @ (a + b + c) > 0.0  # outwards
corners = corners.astype(np.float32)
TURN, START = np.array([0.5, 0.4, 0.1]), np.array([0.0, 0.0, 0.5])
STEP = np.array([0.002, 0.0, 0.0])
rng = np.random.default_rng(0)


def seen(place):
    """The box, bright before a dark ground."""
    pixels = cv2.projectPoints(corners, TURN, place, K, None)[0].reshape(-1, 2)
    picture = np.full((480, 640, 3), 60, np.uint8)
    outline = np.round(cv2.convexHull(pixels.astype(np.float32)) * 16).astype(np.int32)
    cv2.fillConvexPoly(picture, outline, (200, 200, 200), cv2.LINE_AA, shift=4)
    return cv2.GaussianBlur(picture, (0, 0), 1.0)


def by_function(picture, r, t):
    for _ in range(4):
        ratio, r, t, _ = cv2.rapid.rapid(picture, 100, 20, corners, triangles, K, r, t)
    return ratio, r, t


def by_tracker(picture, r, t):
    return cv2.rapid.Rapid_create(corners, triangles).compute(picture, 100, 20, K, r, t, (3, 4, 1e-6))


for name, way in (("rapid", by_function), ("Rapid.compute", by_tracker)):
    for shape in ((3,), (1, 3), (3, 1)):
        r, t, ratios = TURN.copy().reshape(shape), START.copy().reshape(shape), []
        for frame in range(1, 11):
            ratio, r, t = way(seen(START + frame * STEP), r, t)
            ratios.append(ratio)
        went = 1e3 * (np.ravel(t) - START)[0]
        low, high = min(ratios), max(ratios)
        print(f"{name}, arrays of {shape}: {went:.1f} mm of 20.0 in ten frames, ratio {low:.2f} to {high:.2f}")
        if shape == (3, 1):
            assert abs(went - 20.0) < 1.5
        else:
            assert np.array_equal(np.ravel(t), START) and np.array_equal(np.ravel(r), TURN) and min(ratios[:4]) > 0.95

noise = cv2.GaussianBlur(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), (0, 0), 1.5)
r, t = TURN.reshape(3, 1).copy(), START.reshape(3, 1).copy()
for _ in range(10):
    ratio, r, t, _ = cv2.rapid.rapid(noise, 100, 20, corners, triangles, K, r, t)
turned = np.degrees(np.linalg.norm(cv2.Rodrigues(cv2.Rodrigues(r)[0] @ cv2.Rodrigues(TURN)[0].T)[0]))
print(f"noise: ratio {ratio:.2f}, {turned:.0f} degrees from the start")
assert ratio > 0.95 and turned > 5.0
print("as found: the pose is not the tracker's unless it is a column")
PYTHON
