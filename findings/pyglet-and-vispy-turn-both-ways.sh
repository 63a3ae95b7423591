#!/usr/bin/env bash
# pyglet 2.1.19 and vispy 0.17.0: one axis and angle turns one way as a matrix and the other way as a quaternion.
#
# Both are what Python draws 3D in windows with, and both have the rotation of an axis and angle as a matrix and as a
# quaternion that becomes a matrix of the same type. pyglet: Mat4.from_rotation, applied as pyglet applies it (matrix @
# vector), turns as everywhere else; Quaternion.to_mat4 and to_mat3 of the same turn, applied in the same way, go
# backwards. An object whose pose is drawn by its quaternion, the usual way to keep one, is turned by 2 x its angle
# against where it is, and its position is right. vispy: util.transforms.rotate and translate are for points as rows,
# and MatrixTransform multiplies so; Quaternion.get_matrix is for columns, and a MatrixTransform of it turns backwards,
# while the same quaternion's rotate_point does not. Neither's help says so. A test with half a turn, or none, sees
# nothing. The conjugate in pyglet, and the transpose in vispy, are right. No window is opened here. Fails if any of
# this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyglet==2.1.19 vispy==0.17.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pyglet.math import Mat4, Quaternion, Vec3, Vec4
from scipy.spatial.transform import Rotation
from vispy.util import transforms
from vispy.util.quaternion import Quaternion as Turn
from vispy.visuals.transforms import MatrixTransform

print(*(f"{name} {version(name)}" for name in ("pyglet", "vispy", "scipy")))
rng = np.random.default_rng(0)
ANGLE = np.radians(40.0)
axis = rng.normal(size=3)
axis /= np.linalg.norm(axis)
true = Rotation.from_rotvec(ANGLE * axis)
points = rng.normal(size=(20, 3))


def told(name, apply, expected):
    """Whether all points are where a rotation takes them, and the angle from the true rotation."""
    found = Rotation.align_vectors(np.array([apply(point)[:3] for point in points]), points)[0]
    off = np.degrees((true.inv() * found).magnitude())
    print(f"{name}: {off:.1f} degrees off")
    assert (expected.inv() * found).magnitude() < 1e-6, name


w, x, y, z = (float(number) for number in true.as_quat(scalar_first=True))
q = Quaternion(w, x, y, z)
turned = Mat4.from_rotation(ANGLE, Vec3(*axis))
told("pyglet, Mat4.from_rotation @ Vec4", lambda p: turned @ Vec4(*p, 1.0), true)
told("pyglet, Quaternion.to_mat4 @ Vec4", lambda p: q.to_mat4() @ Vec4(*p, 1.0), true.inv())
told("pyglet, Quaternion.to_mat3 @ Vec3", lambda p: q.to_mat3() @ Vec3(*p), true.inv())
told("pyglet, Quaternion.conjugate().to_mat4 @ Vec4", lambda p: q.conjugate().to_mat4() @ Vec4(*p, 1.0), true)
moved = Mat4.from_translation(Vec3(1.0, 2.0, 3.0))
assert tuple(moved @ Vec4(0.0, 0.0, 0.0, 1.0))[:3] == (1.0, 2.0, 3.0)

turn = Turn.create_from_axis_angle(float(ANGLE), *(float(number) for number in axis))
by_rotate = MatrixTransform(transforms.rotate(np.degrees(ANGLE), axis))
by_quaternion = MatrixTransform(np.array(turn.get_matrix()))
transposed = MatrixTransform(np.array(turn.get_matrix()).T)
told("vispy, MatrixTransform(transforms.rotate)", lambda p: by_rotate.map(p[None])[0], true)
told("vispy, MatrixTransform(Quaternion.get_matrix)", lambda p: by_quaternion.map(p[None])[0], true.inv())
told("vispy, its transpose", lambda p: transposed.map(p[None])[0], true)
told("vispy, Quaternion.rotate_point", lambda p: np.array(turn.rotate_point(p)), true)
assert np.allclose(
    MatrixTransform(transforms.translate((1.0, 2.0, 3.0))).map([[0.0, 0.0, 0.0]])[0, :3], (1.0, 2.0, 3.0)
)
print("as found: the quaternion's matrix is the inverse")
PYTHON
