#!/usr/bin/env bash
# opencv-contrib-python-headless 5.0.0.93: `ppf_match_3d` clusters poses within an absolute distance, whatever the unit.
#
# `PPF3DDetector(relativeSamplingStep, relativeDistanceStep)` calls its steps relative, but poses of a match are put
# together when their translations are closer than a length that does not scale with the model. An object of 12 cm, its
# points given in metres, matches with one pose, the average of all that got votes, and 4 mm off; the same points in
# millimetres with about a hundred poses, one of the first five right to a tenth of a millimetre. On real scenes the
# average is centimetres off. Give millimetres. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-contrib-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import cv2
import numpy as np

cv2.setNumThreads(1)
rng = np.random.default_rng(0)


def box(low, high, count):
    """Points on the sides of a box with outward normals, (6 count, 6)."""
    low, high = np.array(low), np.array(high)
    found = []
    for axis in range(3):
        for side, sign in ((low, -1.0), (high, 1.0)):
            points, normals = rng.uniform(low, high, (count, 3)), np.zeros((count, 3))
            points[:, axis], normals[:, axis] = side[axis], sign
            found.append(np.hstack([points, normals]))
    return np.concatenate(found)


# Three boxes of different sizes, 12 cm long: no two sides are alike.
model = np.concatenate([
    box((-0.06, -0.03, -0.02), (0.06, 0.03, 0.01), 60),
    box((-0.05, -0.02, 0.01), (-0.01, 0.01, 0.05), 40),
    box((0.02, 0.005, 0.01), (0.05, 0.025, 0.03), 40),
])
R, _ = cv2.Rodrigues(np.array([0.4, -0.7, 0.3]))
t = np.array([0.02, -0.03, 0.6])
scene = np.hstack([model[:, :3] @ R.T + t, model[:, 3:] @ R.T])


def matched(unit):
    """Clusters, and the mean distance in mm of the model in the best of five poses, from the true one."""
    scaled = [np.hstack([of[:, :3] * unit, of[:, 3:]]).astype(np.float32) for of in (model, scene)]
    detector = cv2.ppf_match_3d.PPF3DDetector(0.05, 0.05)
    detector.trainModel(scaled[0])
    poses = detector.match(scaled[1], 0.2, 0.05)
    errors = [
        1e3 * np.linalg.norm(model[:, :3] @ p.pose[:3, :3].T + p.pose[:3, 3] / unit - scene[:, :3], axis=1).mean()
        for p in poses[:5]
    ]
    return len(poses), min(errors)


print("opencv-contrib-python-headless", cv2.__version__)
metres, millimetres = matched(1.0), matched(1000.0)
for name, (count, error) in (("metres", metres), ("millimetres", millimetres)):
    print(f"{name}: {count} clusters, the best of the first five is {error:.1f} mm off")
assert metres[0] < 0.2 * millimetres[0], (metres, millimetres)
assert millimetres[1] < 0.1 and metres[1] > 2.0, (metres, millimetres)
print("as found: the same points give other poses in metres than in millimetres")
PYTHON
