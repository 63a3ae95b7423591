#!/usr/bin/env bash
# usd-core 26.11: between two frames, poses that are stored as matrices are no poses: objects shrink and come nearer.
#
# Simulators and film tools write the motion of cameras and objects as xformOp:transform, a matrix for each frame, and a
# stage answers for any time, linearly between frames. For attitudes stored as quaternions (xformOp:orient) it goes
# along the sphere, as one expects. Matrices are mixed entry by entry: half way between 0 and 120 degrees, what comes
# is a quarter turn's half size: lengths across the axis are times cos(60), 0.5. A turntable of 36 frames loses 0.4 %,
# 3.8 mm at a metre, one of 12 frames 3.4 %, and a camera that looks inwards from its circle is nearer by as much, with
# an axis that has another length, so all that is computed with its inverse is too large. A depth camera of 30 frames
# and a film of 24 are read at such times as a rule. GetLocalTransformation, XformCache and a Camera's GetCamera do so,
# with no warning; the angle between the frames is halved well, so pictures look right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check usd-core==26.11 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pxr import Gf, Usd, UsdGeom

print("usd-core", version("usd-core"))
UP = Gf.Vec3d(0.0, 0.0, 1.0)
stage = Usd.Stage.CreateInMemory()
UsdGeom.SetStageMetersPerUnit(stage, 1.0)


def turned(degrees, place=Gf.Vec3d(0.0, 0.0, 0.0)):
    """A pose on a turntable: `place` in the table's frame."""
    return Gf.Matrix4d().SetTranslate(place) * Gf.Matrix4d().SetRotate(Gf.Rotation(UP, degrees))


def rotation(matrix):
    """For columns."""
    return np.array(matrix).T[:3, :3]


for step in (3.0, 10.0, 30.0, 120.0):
    whole = UsdGeom.Xform.Define(stage, f"/matrices_{step:.0f}")
    as_matrix = whole.AddTransformOp()
    parts = UsdGeom.Xform.Define(stage, f"/quaternions_{step:.0f}")
    as_quaternion = parts.AddOrientOp(UsdGeom.XformOp.PrecisionDouble)
    camera = UsdGeom.Camera.Define(stage, f"/camera_{step:.0f}")
    of_camera = camera.AddTransformOp()
    for frame in (0.0, 1.0):
        as_matrix.Set(turned(step * frame), frame)
        as_quaternion.Set(Gf.Quatd(Gf.Rotation(UP, step * frame).GetQuat()), frame)
        of_camera.Set(turned(step * frame, Gf.Vec3d(1.0, 0.0, 0.0)), frame)
    expected = rotation(turned(step / 2.0))
    lost = np.cos(np.radians(step / 2.0))
    between = [whole.GetLocalTransformation(0.5), UsdGeom.XformCache(0.5).GetLocalToWorldTransform(whole.GetPrim())]
    seen_by = camera.GetCamera(0.5).transform
    for matrix in (*between, seen_by):
        assert np.allclose(rotation(matrix), expected @ np.diag([lost, lost, 1.0]), atol=1e-12)
    assert np.allclose(rotation(parts.GetLocalTransformation(0.5)), expected, atol=1e-9)
    distance = seen_by.ExtractTranslation().GetLength()
    assert np.isclose(distance, lost)
    size = np.linalg.norm(rotation(between[0])[:, 0])
    print(f"steps of {step:.0f} degrees, half way: size {size:.4f}, a camera 1 m away is {distance:.4f} m away")
    for frame in (0.0, 1.0):
        assert np.allclose(rotation(whole.GetLocalTransformation(frame)), rotation(turned(step * frame)))

point = np.array([*rotation(seen_by.GetInverse()) @ [1.0, 0.0, 0.0]])
print(f"through the last camera's inverse, a metre is {np.linalg.norm(point):.2f} m")
assert np.isclose(np.linalg.norm(point), 2.0)
stage.SetInterpolationType(Usd.InterpolationTypeHeld)
assert np.allclose(rotation(whole.GetLocalTransformation(0.5)), np.eye(3))
print("as found: matrices are mixed entry by entry, quaternions are not")
PYTHON
