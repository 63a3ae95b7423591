#!/usr/bin/env bash
# pycolmap 4.2.1: a pose's covariance has rotations by half, and is the same for noise of 0.02 and of 0.5 pixels.
#
# estimate_and_refine_absolute_pose(..., return_covariance=True) is PnP that also says how sure it is. COLMAP's header
# says of the covariance that its rotation is an axis and angle; the help of Python says nothing. Its rotations are
# steps of a quaternion, which are half the angle: of points without noise, the covariance is exactly that of J'J for
# pixels of standard deviation 1 in the translation, and a quarter of it in the rotation, half of it where both meet.
# And the standard deviation is 1 pixel whatever the residuals are: for noise of 0.02, 0.1 and 0.5 pixels the answer is
# nearly the same, and what the poses really scatter by is 25 times apart; with 2 pixels, wrong matches down-weighted,
# rotations are said to be three times as sure as they are. So neither the size of the numbers nor their ratio is one
# to fuse with another measurement or to draw. Rotations times 2, and all by the residuals' variance, is the cure.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycolmap==4.2.1 scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import numpy as np
import pycolmap
from scipy.spatial.transform import Rotation

print("pycolmap", version("pycolmap"))
rng = np.random.default_rng(0)
F, MIDDLE, RUNS = 500.0, np.array([320.0, 240.0]), 200
camera = pycolmap.Camera(model="PINHOLE", width=640, height=480, params=[F, F, *MIDDLE])
points = rng.uniform(-0.1, 0.1, (40, 3))  # metres
R, T = Rotation.random(rng=1), np.array([0.02, -0.03, 0.8])


def seen(turn, shift):
    """Pixels of the points, of a pose that is turned (a vector of radians, in the camera) and shifted."""
    there = (Rotation.from_rotvec(turn) * R).apply(points) + T + shift
    return F * there[:, :2] / there[:, 2:] + MIDDLE


def found(sigma):
    answer = pycolmap.estimate_and_refine_absolute_pose(
        seen(np.zeros(3), np.zeros(3)) + sigma * rng.normal(size=(40, 2)), points, camera, return_covariance=True
    )
    pose = answer["cam_from_world"]
    turn = (Rotation.from_matrix(pose.rotation.matrix()) * R.inv()).as_rotvec()
    return np.concatenate([turn, pose.translation - T]), answer["covariance"]


steps = 1e-6 * np.eye(6)
jacobian = np.column_stack(
    [(seen(step[:3], step[3:]) - seen(-step[:3], -step[3:])).ravel() / 2e-6 for step in steps]
)
of_one_pixel = np.linalg.inv(jacobian.T @ jacobian)
off, covariance = found(0.0)
ratio = covariance / of_one_pixel
print(f"no noise, against 1 pixel: rotation {ratio[0, 0]:.4f}, both {ratio[0, 4]:.4f}, translation {ratio[4, 4]:.4f}")
halves = np.diag([0.5, 0.5, 0.5, 1.0, 1.0, 1.0])
scale = np.sqrt(np.diag(of_one_pixel))
assert np.abs(off).max() < 1e-6
right = halves @ of_one_pixel @ halves
assert np.allclose(covariance / np.outer(scale, scale), right / np.outer(scale, scale), atol=1e-3)

told, real = {}, {}
for sigma in (0.02, 0.1, 0.5, 2.0):
    errors, covariances = zip(*(found(sigma) for _ in range(RUNS)), strict=True)
    told[sigma] = np.sqrt(np.diag(np.mean(covariances, axis=0)))
    real[sigma] = np.sqrt(np.mean(np.square(errors), axis=0))
    for what, k, unit, to in (("turn", slice(0, 3), "degrees", 180.0 / np.pi), ("shift", slice(3, 6), "mm", 1e3)):
        said, is_ = (to * np.linalg.norm(some[sigma][k]) for some in (told, real))
        print(f"noise of {sigma} pixels: {what} {said:.4f} {unit} by the covariance, {is_:.4f} by {RUNS} poses")
assert np.all(told[0.5] < 1.3 * told[0.02]) and np.all(real[0.5] > 20.0 * real[0.02])
assert np.all(told[0.02] > 20.0 * real[0.02] * np.diag(halves))
assert np.all(told[2.0][:3] < 0.5 * real[2.0][:3])
assert not re.search("axis|angle|quaternion|pixel|sigma", pycolmap.estimate_and_refine_absolute_pose.__doc__)
print("as found: half angles, of one pixel")
PYTHON
