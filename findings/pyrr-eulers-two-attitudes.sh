#!/usr/bin/env bash
# pyrr 0.10.3: the matrix and the quaternion of the same roll, pitch and yaw are two attitudes, and a matrix has two products.
#
# euler.create(roll, pitch, yaw) names the angles. quaternion.create_from_eulers turns by roll about x, by pitch about
# y, by yaw about z; matrix33.create_from_eulers, and Matrix44.from_eulers, by PITCH about z and by YAW about y. Each
# alone is a rotation, so nothing looks amiss: of 10, 20 and 30 degrees the two are 20 degrees apart; where pitch and
# yaw are 0 they agree. A matrix that is made of a quaternion turns columns as the quaternion does, M @ v; but
# apply_to_vector, and * of Matrix33 and Vector3, multiply from the left, v @ M, which is the inverse rotation. So q * v
# and q.matrix33 * v are two places. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyrr==0.10.3 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pyrr
from scipy.spatial.transform import Rotation

print("pyrr", version("pyrr"))
rng = np.random.default_rng(0)
for roll, pitch, yaw in (*np.radians([[10.0, 20.0, 30.0], [40.0, 0.0, 0.0]]), *rng.uniform(-1.0, 1.0, (5, 3))):
    eulers = pyrr.euler.create(roll=roll, pitch=pitch, yaw=yaw)
    of_quaternion = Rotation.from_quat(pyrr.quaternion.create_from_eulers(eulers))
    matrices = pyrr.matrix33.create_from_eulers(eulers), np.array(pyrr.Matrix44.from_eulers(eulers))[:3, :3]
    assert np.allclose(*matrices)
    of_matrix = Rotation.from_matrix(matrices[0])
    apart = np.degrees((of_quaternion * of_matrix.inv()).magnitude())
    angles = np.degrees([roll, pitch, yaw]).round(1).tolist()
    print(f"roll, pitch, yaw of {angles} degrees: {apart:.1f} degrees apart")
    assert np.allclose(of_quaternion.as_matrix(), Rotation.from_euler("XYZ", [roll, pitch, yaw]).as_matrix())
    assert np.allclose(of_matrix.as_matrix(), Rotation.from_euler("YZX", [yaw, pitch, roll]).as_matrix())
    assert (apart < 1e-5) == (pitch == yaw == 0.0)

turn, point = Rotation.from_euler("xyz", [0.3, 0.5, 0.7]), np.array([1.0, 2.0, 3.0])
quaternion = pyrr.Quaternion(turn.as_quat())
matrix = quaternion.matrix33
places = {
    "quaternion * vector": np.array(quaternion * pyrr.Vector3(point)),
    "matrix * vector": np.array(matrix * pyrr.Vector3(point)),
    "matrix33.apply_to_vector": pyrr.matrix33.apply_to_vector(np.array(matrix), point),
    "np.array(matrix) @ vector": np.array(matrix) @ point,
}
for name, place in places.items():
    inverse = not np.allclose(place, turn.apply(point))
    print(f"{name}: {place.round(3).tolist()}, {'the inverse rotation' if inverse else 'as the quaternion has it'}")
    assert np.allclose(place, turn.apply(point, inverse=inverse))
    assert inverse == (name in ("matrix * vector", "matrix33.apply_to_vector"))
print("as found: pitch and yaw change places, and so do the sides of a product")
PYTHON
