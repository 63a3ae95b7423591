#!/usr/bin/env bash
# robosuite 1.5.2: mat2euler(euler2mat(angles)) is another attitude, and points beside the picture are at its border.
#
# transform_utils is copied into many programs of robot learning. euler2mat takes "(r,p,y) angles" and mat2euler gives
# "(r,p,y)". The first turns about axes that turn along, x first; the second reads angles about axes that stay, x first:
# (17, -29, 46) degrees come back as (-9, -32, 44), and a demonstration that is saved as angles and played again holds
# the object 25 degrees otherwise. With one angle alone, as in a test, both agree. quat2axisangle of a quaternion whose
# w is negative, which is the same attitude, is nearly a whole turn: a step of 0.1 rad is one of -6.18, which a
# controller that takes differences follows the long way round. project_points_from_world_to_camera of camera_utils
# gives (row, column), which it says, and pulls what is outside of the picture to its border, which it does not: a
# corner of a box 1 m beside the picture is "seen" in its last column, so that a pose from such pixels, or a mask, is
# wrong without a word. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  robosuite==1.5.2 mujoco==3.10.0 h5py==3.16.0 scipy==1.17.1 numpy==1.26.4
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

import numpy as np
from robosuite.utils import camera_utils, transform_utils
from scipy.spatial.transform import Rotation

print("robosuite", version("robosuite"))
DEGREES = np.array([17.0, -29.0, 46.0])
matrix = transform_utils.euler2mat(np.radians(DEGREES))
back = transform_utils.mat2euler(matrix)
off = (Rotation.from_matrix(transform_utils.euler2mat(back)).inv() * Rotation.from_matrix(matrix)).magnitude()
print(f"{DEGREES.tolist()} come back as {np.degrees(back).round(1).tolist()}: {np.degrees(off):.0f} degrees off")
assert np.allclose(matrix, Rotation.from_euler("XYZ", DEGREES, degrees=True).as_matrix(), atol=1e-6)
assert np.allclose(back, Rotation.from_matrix(matrix).as_euler("xyz"), atol=1e-6)
assert np.degrees(off) > 15.0
for axis in np.eye(3):
    assert np.allclose(transform_utils.mat2euler(transform_utils.euler2mat(0.4 * axis)), 0.4 * axis, atol=1e-6)
for function in (transform_utils.euler2mat, transform_utils.mat2euler):
    assert "(r,p,y)" in function.__doc__

step = Rotation.from_rotvec([0.1, 0.0, 0.0]).as_quat()
turns = [transform_utils.quat2axisangle(sign * step)[0] for sign in (1.0, -1.0)]
print("axis and angle of a quaternion and of its negative:", np.round(turns, 3).tolist())
assert np.isclose(turns[0], 0.1) and np.isclose(turns[1], 0.1 - 2.0 * np.pi)

K = np.array([[300.0, 0.0, 160.0, 0.0], [0.0, 300.0, 120.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
points = np.array([[0.1, 0.05, 1.0], [1.5, 0.05, 1.0]])  # in the camera, which looks along z
pixels = camera_utils.project_points_from_world_to_camera(points, K, camera_height=240, camera_width=320)
print("rows and columns:", pixels.tolist(), "; the second point is at column", 300.0 * 1.5 + 160.0)
assert pixels.tolist() == [[135, 190], [135, 319]]
assert not re.search("clip|border|outside", camera_utils.project_points_from_world_to_camera.__doc__)
print("as found: there and back is another attitude")
PYTHON
