#!/usr/bin/env bash
# usd-core 26.11: a part in centimetres with y up, referenced into a stage in metres with z up, is a hundred times as large and lies.
#
# glTF has one unit and one axis. A USD file says its own, metersPerUnit and upAxis, and both look like something that is looked
# after when files are put together. A reference takes the numbers as they stand: a mug of 10 x 20 x 30 cm is one of 10 x 20 x 30 m,
# its height along y, in bounds, poses and cameras of the stage, with no warning. A stage that says nothing is in centimetres and y
# up, so a file written from metres without metersPerUnit is a hundred times too small for those who do heed it. Fails if this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check usd-core==26.11 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pxr import Gf, Usd, UsdGeom

print("usd-core", version("usd-core"))
SIZES = np.array([10.0, 30.0, 20.0])  # cm, the second upwards
CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * SIZES
FACES = [0, 1, 3, 2, 4, 6, 7, 5, 0, 4, 5, 1, 2, 3, 7, 6, 0, 2, 6, 4, 1, 5, 7, 3]


def stage_of(stage, metres, up):
    assert UsdGeom.SetStageMetersPerUnit(stage, metres) and UsdGeom.SetStageUpAxis(stage, up)
    return stage


mug = stage_of(Usd.Stage.CreateNew("mug.usda"), 0.01, UsdGeom.Tokens.y)
mug.SetDefaultPrim(UsdGeom.Xform.Define(mug, "/mug").GetPrim())
mesh = UsdGeom.Mesh.Define(mug, "/mug/mesh")
mesh.CreatePointsAttr([Gf.Vec3f(*map(float, corner)) for corner in CORNERS])
mesh.CreateFaceVertexCountsAttr([4] * 6)
mesh.CreateFaceVertexIndicesAttr(FACES)
mesh.CreateExtentAttr([Gf.Vec3f(0.0), Gf.Vec3f(*map(float, SIZES))])
mug.Save()

room = stage_of(Usd.Stage.CreateInMemory(), 1.0, UsdGeom.Tokens.z)
prim = room.DefinePrim("/room/mug")
assert prim.GetReferences().AddReference("mug.usda")
bounds = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default"]).ComputeWorldBound(prim).ComputeAlignedRange()
sizes = np.array(bounds.GetSize()) * UsdGeom.GetStageMetersPerUnit(room)
matrix = np.array(UsdGeom.Xformable(room.GetPrimAtPath("/room/mug/mesh")).ComputeLocalToWorldTransform(0))
print(f"the mug in the room: {sizes.tolist()} m along x, y, z; by its own file {(SIZES[[0, 2, 1]] / 100).tolist()}")
assert np.allclose(sizes, SIZES) and np.allclose(matrix, np.eye(4))
silent = Usd.Stage.CreateInMemory()
print(f"a stage that says nothing: {UsdGeom.GetStageMetersPerUnit(silent)} m per unit, {UsdGeom.GetStageUpAxis(silent)} up")
assert UsdGeom.GetStageMetersPerUnit(silent) == 0.01 and UsdGeom.GetStageUpAxis(silent) == UsdGeom.Tokens.y
print("as found: numbers go over as they stand")
PYTHON
