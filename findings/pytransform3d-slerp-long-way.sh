#!/usr/bin/env bash
# pytransform3d 3.17.0 (and scipy 1.17.1): between two attitudes three degrees apart, quaternion_slerp may be half a turn away from both.
#
# A quaternion and its negative are one attitude. quaternion_from_matrix of nearly the same matrices gives now one and now the
# other, and quaternion_slerp goes from one to the other on the sphere of quaternions the long way round, unless shortest_path=True: the
# middle of 7 of 1000 pairs that are some degrees apart is about 180 degrees from both, a frame of a film that is upside down between
# two good ones. scipy's Slerp goes the short way, and so does pq_slerp of pytransform3d itself, which is the same for poses.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pytransform3d==3.17.0 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pytransform3d.rotations import quaternion_from_matrix, quaternion_slerp
from pytransform3d.transformations import pq_from_transform, pq_slerp
from scipy.spatial.transform import Rotation, Slerp

print("pytransform3d", version("pytransform3d"))
rng = np.random.default_rng(0)
NUMBER = 3000


def off(first, middle):
    return np.degrees((first.inv() * Rotation.from_quat(middle, scalar_first=True)).magnitude())


def pose(attitude):
    matrix = np.eye(4)
    matrix[:3, :3] = attitude.as_matrix()
    return matrix


found = {"quaternion_slerp": [], "quaternion_slerp, shortest_path": [], "pq_slerp": [], "scipy": []}
apart = []
for _ in range(NUMBER):
    first = Rotation.random(rng=rng)
    second = first * Rotation.from_rotvec(0.03 * rng.normal(size=3))
    q, p = (quaternion_from_matrix(attitude.as_matrix()) for attitude in (first, second))
    apart.append(np.degrees((first.inv() * second).magnitude()))
    found["quaternion_slerp"].append(off(first, quaternion_slerp(q, p, 0.5)))
    found["quaternion_slerp, shortest_path"].append(off(first, quaternion_slerp(q, p, 0.5, shortest_path=True)))
    found["pq_slerp"].append(off(first, pq_slerp(pq_from_transform(pose(first)), pq_from_transform(pose(second)), 0.5)[3:]))
    middle = Slerp([0.0, 1.0], Rotation.concatenate([first, second]))(0.5)
    found["scipy"].append(off(first, middle.as_quat(scalar_first=True)))
apart = np.array(apart)
print(f"{NUMBER} pairs, {apart.mean():.1f} degrees apart in the mean, {apart.max():.1f} at most")
wrong = {}
for name, angles in found.items():
    right = np.isclose(angles, apart / 2, atol=1e-4)
    wrong[name] = int((~right).sum())
    print(f"{name}: the middle is not between them in {wrong[name]} pairs, and {np.max(angles):.1f} degrees away at most")
    assert right.all() or np.min(np.array(angles)[~right]) > 170.0
assert 5 <= wrong["quaternion_slerp"] <= 60
assert wrong["quaternion_slerp, shortest_path"] == wrong["pq_slerp"] == wrong["scipy"] == 0
print("as found: the long way round")
PYTHON
