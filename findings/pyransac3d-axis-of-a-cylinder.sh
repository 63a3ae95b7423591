#!/usr/bin/env bash
# pyransac3d 0.7.0: the axis of a cylinder is degrees off for points without noise, its radius right to 1 %.
#
# Cylinder.fit is to find "the parameters (axis and radius) defining a cylinder", for a can or a pipe in a cloud. A
# RANSAC with points that are exact should end with the exact axis and all points as inliers. Here the axis of each
# trial is the normal of the plane through three points, which is the cylinder's axis only if all three happen to lie at
# one height. So the best of 1000 trials is 1 to 6 degrees off, for a can of 33 mm radius, with 60 to 100 % of the
# points within 2 mm; more trials help slowly, and nothing is fitted to the inliers afterwards. The radius is right to 1
# %, so the answer looks good. Sphere, Circle and Plane of the same package are exact. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyransac3d==0.7.0 scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import random
from importlib.metadata import version

import numpy as np
import pyransac3d
from scipy.spatial.transform import Rotation

print("pyransac3d", version("pyransac3d"))
RADIUS, HEIGHT, NUMBER, WITHIN, TRIALS = 0.033, 0.12, 1000, 0.002, 1000
angles, radii, shares = [], [], []
for k in range(8):
    rng = np.random.default_rng(k)
    random.seed(k)
    np.random.seed(k)
    around, up = rng.uniform(0.0, 2.0 * np.pi, NUMBER), rng.uniform(-HEIGHT / 2.0, HEIGHT / 2.0, NUMBER)
    turned = Rotation.random(rng=rng)
    points = turned.apply(np.column_stack([RADIUS * np.cos(around), RADIUS * np.sin(around), up])) + [0.1, 0.2, 0.8]
    centre, axis, radius, inliers = pyransac3d.Cylinder().fit(points, WITHIN, TRIALS)
    angles.append(np.degrees(np.arccos(min(1.0, abs(turned.apply([0.0, 0.0, 1.0]) @ axis)))))
    radii.append(radius)
    shares.append(len(inliers) / NUMBER)
print(f"axis {np.round(angles, 1).tolist()} degrees off")
print(f"radius {1e3 * min(radii):.1f} to {1e3 * max(radii):.1f} mm of {1e3 * RADIUS:.1f}")
print(f"inliers {min(shares):.0%} to {max(shares):.0%}")
assert 2.0 < np.mean(angles) < 6.0 and min(angles) > 0.2 and max(angles) > 4.0
assert np.allclose(radii, RADIUS, rtol=0.02) and min(shares) < 0.7

rng = np.random.default_rng(0)
ball = rng.normal(size=(NUMBER, 3))
ball = RADIUS * ball / np.linalg.norm(ball, axis=1, keepdims=True) + [0.1, 0.2, 0.8]
centre, radius, inliers = pyransac3d.Sphere().fit(ball, WITHIN, TRIALS)
away = np.linalg.norm(np.asarray(centre) - [0.1, 0.2, 0.8])
print(f"a ball: {1e3 * away:.3f} mm off, {len(inliers) / NUMBER:.0%} inliers")
assert away < 1e-6 and len(inliers) == NUMBER
print("as found: three points of a cylinder's side do not tell its axis")
PYTHON
