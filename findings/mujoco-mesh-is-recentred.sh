#!/usr/bin/env bash
# mujoco 4.0.0: the pose of a mesh in the simulation is not the pose of its file.
#
# Simulations give poses for training and tests, and a geom's geom_xpos and geom_xmat look like them. For a box or a cylinder they are.
# For a mesh they are the pose of other axes: when the model is compiled, the vertices are moved to their centre of mass and turned into
# the principal axes of inertia, also where the file is the geom's only content and the geom has no pos, and geom_pos of
# the compiled model, zero in the XML, holds the shift. Taken as R_m2c and t_m2c with the file's vertices they are wrong by
# it: here 22 cm and a turn of 160 degrees. The body's xpos has the file's axes as long as the geom had none of its own; else
# mesh_pos and mesh_quat, which are kept for that, give it back: file = geom x inverse(mesh). Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mujoco==4.0.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from pathlib import Path

import mujoco
import numpy as np

print("mujoco", mujoco.__version__)
# A brick of 10 x 6 x 2 cm, as CAD leaves it: beside the origin of its assembly, and turned by half a radian.
corners = np.array([[x, y, z] for x in (-0.05, 0.05) for y in (-0.03, 0.03) for z in (-0.01, 0.01)]) + (0.2, 0.1, 0.0)
turn = np.array([[np.cos(0.5), -np.sin(0.5), 0.0], [np.sin(0.5), np.cos(0.5), 0.0], [0.0, 0.0, 1.0]])
corners = corners @ turn.T
faces = [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
lines = [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in corners] + ["f " + " ".join(str(i + 1) for i in face) for face in faces]
Path("brick.obj").write_text("\n".join(lines) + "\n")
MODEL = """
<mujoco>
  <asset><mesh name="brick" file="brick.obj"/></asset>
  <worldbody><body name="body" pos="1 2 3"><geom name="brick" type="mesh" mesh="brick"/></body></worldbody>
</mujoco>
"""
model = mujoco.MjModel.from_xml_string(MODEL)
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
where, axes = data.geom("brick").xpos.copy(), data.geom("brick").xmat.reshape(3, 3).copy()
body = data.body("body").xpos.copy()
shift = np.linalg.norm(where - body)
angle = np.degrees(np.arccos((np.trace(axes) - 1.0) / 2.0))
print(f"body at {body.tolist()}, its mesh at {where.round(3).tolist()}: {shift:.3f} m and {angle:.0f} degrees away")
kept = np.zeros(9)
mujoco.mju_quat2Mat(kept, model.mesh_quat[0])
kept = kept.reshape(3, 3)


def farthest(R, t):
    """How far a corner is at most from where the file and the body put it."""
    return np.linalg.norm(corners @ R.T + t - (corners + body), axis=1).max()


taken = farthest(axes, where)
R = axes @ kept.T
cured = farthest(R, where - R @ model.mesh_pos[0])
print(f"corners off by {taken:.3f} m as it stands, by {cured:.1e} m with mesh_pos and mesh_quat")
assert abs(shift - np.linalg.norm(corners.mean(axis=0))) < 1e-6 and shift > 0.2
assert angle > 60.0 and taken > 0.2 and cured < 1e-6
print("as found: the geom has the axes of inertia, not the file's")
PYTHON
