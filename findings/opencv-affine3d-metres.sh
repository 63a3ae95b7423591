#!/usr/bin/env bash
# opencv-python-headless 5.0.0.93: estimateAffine3D takes every outlier in metres, and its rigid form answers for another size.
#
# cv2.estimateAffine3D(source, target) is RANSAC with a threshold of 3, in the unit of the points. In metres, nothing of a room is
# an outlier: with 30 % of 200 matches wrong, all 200 are "inliers", and the "motion" is an affine map whose determinant is far
# from 1. In millimetres the same call is right. The form that is to give a rigid motion, chosen by force_rotation=True, is
# chosen by that word alone: estimateAffine3D(source, target, True) is taken for the other one, with True for its output
# array, and returns three things. The named one returns R and t in a matrix, and a scale beside it, for scale * R @ p + t. With R
# and t as a pose, without the scale, an object 0.2 m wide at 1 m, with noise of 5 mm, is 5 mm off where a fit without a scale
# is 0.9 mm off: t has made good what the scale has done to 1 m. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

print("opencv-python-headless", cv2.__version__)
R = cv2.Rodrigues(np.array([0.3, 0.5, -0.2]))[0]
T = np.array([0.1, 0.2, 0.8])
rng = np.random.default_rng(0)
source = rng.uniform(-0.1, 0.1, (200, 3))
target = source @ R.T + T
target[:60] += rng.uniform(-0.3, 0.3, (60, 3))
for unit, of in (("m", 1.0), ("mm", 1000.0)):
    found, matrix, inliers = cv2.estimateAffine3D(of * source, of * target)
    size, off = np.linalg.det(matrix[:, :3]), 1e3 / of * np.linalg.norm(matrix[:, 3] - of * T)
    print(f"in {unit}: {int(inliers.sum())} inliers of 140, determinant {size:.3f}, origin {off:.2f} mm off")
    assert found
    if unit == "m":
        assert inliers.sum() == 200 and abs(size - 1.0) > 0.5 and off > 20.0
    else:
        assert inliers.sum() == 140 and abs(size - 1.0) < 1e-4 and off < 0.01

answers = {"True": cv2.estimateAffine3D(source, target, True), "named": cv2.estimateAffine3D(source, target, force_rotation=True)}
print("things returned:", {name: len(answer) for name, answer in answers.items()})
assert [len(answer) for answer in answers.values()] == [3, 2] and isinstance(answers["named"][1], float)


def kabsch(a, b):
    """The rigid motion alone."""
    u, _, vt = np.linalg.svd((b - b.mean(0)).T @ (a - a.mean(0)))
    turn = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    return turn, b.mean(0) - turn @ a.mean(0)


errors = {"rotation and translation of force_rotation": [], "a fit without a scale": []}
scales = []
for _ in range(200):
    # A face of an object at 1 m, seen from two places; both see it with noise along the axis.
    face = np.column_stack([rng.uniform(-0.1, 0.1, (100, 2)), 1.0 + 0.01 * rng.normal(size=100)])
    a, b = face.copy(), face @ R.T + T
    a[:, 2] += 0.005 * rng.normal(size=100)
    b += 0.005 * rng.normal(size=(100, 3))
    matrix, scale = cv2.estimateAffine3D(a, b, force_rotation=True)
    scales.append(abs(scale - 1.0))
    middle = face.mean(0)
    plain = kabsch(a, b)
    errors["rotation and translation of force_rotation"].append(matrix[:, :3] @ middle + matrix[:, 3] - (R @ middle + T))
    errors["a fit without a scale"].append(plain[0] @ middle + plain[1] - (R @ middle + T))
median = {name: 1e3 * float(np.median(np.linalg.norm(error, axis=1))) for name, error in errors.items()}
print(f"scale off 1 by {100 * np.median(scales):.2f} % (median); the object's middle is off by (mm):", median)
assert median["rotation and translation of force_rotation"] > 3.0 and median["a fit without a scale"] < 1.5
print("as found: in metres nothing is an outlier, and the translation is that of another size")
PYTHON
