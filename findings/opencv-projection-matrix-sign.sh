#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: decomposeProjectionMatrix gives half of all cameras upside down, as P's sign means something to it.
#
# P = K [R | t] is known up to a factor, so P and -P are one camera. From points it is found by the DLT, whose answer is a
# singular vector: its sign is chance. decomposeProjectionMatrix takes what it gets. Of -P, R is a proper rotation that is
# half a turn about the camera's axis from the true one, K's lower right corner is negative, and K divided by that corner,
# as one does, has negative focal lengths, with the right principal point. Whoever knows K and wants the pose alone sees
# none of it: of 200 cameras from exact points, about every second R is 180 degrees off, and all others are right to a
# thousandth. What is called "translation vector T" is no t either, but the place of the camera, -R.T @ t, as four numbers
# that are not divided by the last, so that its sign is chance too. P times the sign of det(P[:, :3]), before it is called,
# is the cure. RQDecomp3x3 has the same. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("opencv-python-headless", cv2.__version__)
rng = np.random.default_rng(0)
K = np.array([[600.0, 0.0, 331.7], [0.0, 610.0, 232.4], [0.0, 0.0, 1.0]])
t = np.array([0.1, 0.05, 0.8])


def dlt(points, pixels):
    """P (3, 4) of length 1 from points (N, 3) and pixels (N, 2)."""
    rows = []
    for point, (u, v) in zip(np.column_stack([points, np.ones(len(points))]), pixels):
        rows += [[*point, 0, 0, 0, 0, *(-u * point)], [0, 0, 0, 0, *point, *(-v * point)]]
    return np.linalg.svd(np.array(rows))[2][-1].reshape(3, 4)


def degrees(R, true):
    return np.degrees(np.linalg.norm(cv2.Rodrigues(R @ true.T)[0]))


off, negative = [], []
for _ in range(200):
    R = cv2.Rodrigues(rng.normal(size=3))[0]
    points = rng.uniform(-0.1, 0.1, (20, 3))
    pixels = (points @ R.T + t) @ K.T
    P = dlt(points, pixels[:, :2] / pixels[:, 2:])
    intrinsics, rotation, place = cv2.decomposeProjectionMatrix(P)[:3]
    negative.append(np.linalg.det(P[:, :3]) < 0.0)
    off.append(degrees(rotation, R))
    assert abs(np.linalg.det(rotation) - 1.0) < 1e-6  # a rotation, so nothing to be suspicious of
    focal = np.diag(intrinsics / intrinsics[2, 2])[:2] * (-1.0 if negative[-1] else 1.0)
    assert np.allclose(focal, [600.0, 610.0], atol=0.01) and (intrinsics[2, 2] < 0.0) == negative[-1]
    assert np.allclose(place[:3] / place[3], -(R.T @ t)[:, None], atol=1e-6)
    mended = cv2.decomposeProjectionMatrix(P * np.sign(np.linalg.det(P[:, :3])))
    assert degrees(mended[1], R) < 1e-3 and mended[0][2, 2] > 0.0
    turned = cv2.RQDecomp3x3(P[:, :3])[2]
    assert np.allclose(turned, rotation, atol=1e-6)
off, negative = np.array(off), np.array(negative)
print(f"200 cameras by the DLT: R is up to {off[~negative].max():.4f} degrees off in {(~negative).sum()}, "
      f"and {off[negative].min():.3f} or more in {negative.sum()}")
assert off[~negative].max() < 1e-3 and off[negative].min() > 179.9 and 50 < negative.sum() < 150
print("as found: P and -P are two cameras to it")
PYTHON
