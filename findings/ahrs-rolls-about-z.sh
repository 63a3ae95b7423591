#!/usr/bin/env bash
# ahrs 0.4.0: roll, pitch and yaw given to Quaternion and to DCM are two attitudes: the matrix rolls about z and yaws about x.
#
# Both classes take rpy=[roll, pitch, yaw], radians, and both call them so. Quaternion(rpy=...) is Rz(yaw) Ry(pitch)
# Rx(roll), as ROS, URDF and aviation have it. DCM(rpy=...) is Rz(roll) Ry(pitch) Rx(yaw): the first angle is about z.
# For 10, 20 and 30 degrees the attitudes are 33 degrees apart; with roll equal to yaw they are one, so a test with
# equal angles shows nothing. An IMU's attitude that goes to a matrix by angles and to a filter by a quaternion, as of a
# camera on a drone, is of two bodies. DCM(euler=("xyz", ...)) is about axes that turn with the body (scipy's "XYZ"),
# where small letters stand for fixed ones elsewhere. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ahrs==0.4.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from ahrs import DCM, Quaternion
from scipy.spatial.transform import Rotation

print("ahrs", version("ahrs"))
rng = np.random.default_rng(0)
cases = [*np.radians([[10.0, 20.0, 30.0], [10.0, 20.0, 10.0], [25.0, 0.0, 0.0], [0.0, 25.0, 0.0]]), *rng.uniform(-1.2, 1.2, (5, 3))]
for roll, pitch, yaw in cases:
    w, x, y, z = np.array(Quaternion(rpy=np.array([roll, pitch, yaw])))
    of_quaternion = Rotation.from_quat([x, y, z, w])
    of_matrix = Rotation.from_matrix(np.array(DCM(rpy=np.array([roll, pitch, yaw]))))
    apart = np.degrees((of_quaternion * of_matrix.inv()).magnitude())
    angles = np.degrees([roll, pitch, yaw]).round(1).tolist()
    print(f"roll, pitch, yaw of {angles} degrees: {apart:.1f} degrees apart")
    assert np.allclose(of_quaternion.as_matrix(), Rotation.from_euler("ZYX", [yaw, pitch, roll]).as_matrix())
    assert np.allclose(of_matrix.as_matrix(), Rotation.from_euler("ZYX", [roll, pitch, yaw]).as_matrix())
    assert (apart < 1e-5) == bool(np.isclose(roll, yaw))
    turned = np.array(DCM(euler=("xyz", [roll, pitch, yaw])))
    assert np.allclose(turned, Rotation.from_euler("XYZ", [roll, pitch, yaw]).as_matrix())
print("as found: rpy means two things")
PYTHON
