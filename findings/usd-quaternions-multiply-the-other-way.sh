#!/usr/bin/env bash
# usd-core 26.11: products of Gf.Rotation and of its quaternions are in opposite orders.
#
# Poses of nested parts are put together with Gf. Points are rows there, so of matrices the child's comes first, child *
# parent, which is well known of USD, and Gf.Rotation follows it: child * parent is the rotation in the world. A
# Gf.Rotation is made of a quaternion, and gives it by GetQuat; orient of a prim, which simulators write, is one. But of
# quaternions, Gf.Quatd and all its likes, child * parent is the other product, parent first: for turns of 40 degrees
# about x and 60 about z it is 39 degrees off, and looks like any other rotation. Where both turn about one axis, or one
# does not turn, as in a first test, the two agree. The help of the Python module has no word of either order.
# parent * child of quaternions is right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check usd-core==26.11 scipy==1.17.1 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pxr import Gf, Usd, UsdGeom
from scipy.spatial.transform import Rotation

print("usd-core", version("usd-core"))
PARENT, CHILD = Gf.Rotation((0.0, 0.0, 1.0), 60.0), Gf.Rotation((1.0, 0.0, 0.0), 40.0)
stage = Usd.Stage.CreateInMemory()
for path, rotation in (("/arm", PARENT), ("/arm/tool", CHILD)):
    UsdGeom.Xform.Define(stage, path).AddOrientOp().Set(Gf.Quatf(rotation.GetQuat()))
world = UsdGeom.Xformable(stage.GetPrimAtPath("/arm/tool")).ComputeLocalToWorldTransform(Usd.TimeCode.Default())


def turned(value):
    """For points as columns."""
    if isinstance(value, Gf.Matrix4d):
        return Rotation.from_matrix(np.array(value)[:3, :3].T)
    value = value.GetQuat() if isinstance(value, Gf.Rotation) else value
    return Rotation.from_quat([*value.GetImaginary(), value.GetReal()])


def off(value):
    return np.degrees((turned(world).inv() * turned(value)).magnitude())


assert off(Gf.Matrix4d(CHILD, Gf.Vec3d(0.0)) * Gf.Matrix4d(PARENT, Gf.Vec3d(0.0))) < 1e-3
print(f"Gf.Rotation, child * parent: {off(CHILD * PARENT):.1f} degrees off; parent * child: {off(PARENT * CHILD):.1f}")
assert off(CHILD * PARENT) < 1e-3 and off(PARENT * CHILD) > 30.0
for kind in (Gf.Quatd, Gf.Quatf, Gf.Quaternion):
    if kind is Gf.Quaternion:
        parent, child = PARENT.GetQuaternion(), CHILD.GetQuaternion()
    else:
        parent, child = kind(PARENT.GetQuat()), kind(CHILD.GetQuat())
    ways = off(child * parent), off(parent * child)
    print(f"{kind.__name__}, child * parent: {ways[0]:.1f} degrees off; parent * child: {ways[1]:.1f}")
    assert off(parent * child) < 1e-3 and off(child * parent) > 30.0
both = Gf.Rotation((0.0, 0.0, 1.0), 25.0)
apart = turned(both * PARENT).inv() * turned(both.GetQuat() * PARENT.GetQuat())
assert apart.magnitude() < 1e-6  # about one axis
for type_ in (Gf.Rotation, Gf.Quatd):
    assert not type_.__mul__.__doc__
print("as found: rotations row by row, quaternions column by column")
PYTHON
