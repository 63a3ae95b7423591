#!/usr/bin/env bash
# pybullet 3.2.7: of a URDF's mesh that is mirrored by its scale, the software renderer draws the far side.
#
# A left and a right finger, foot or bracket share one mesh, whose <mesh> has scale="1 -1 1" in one of them; grippers and legged
# robots are full of these. PyBullet mirrors the vertices and leaves their order, so all of the triangles are inside out, and
# ER_TINY_RENDERER, with which pictures are made where there is no graphics card, leaves out those that look away. What is seen
# is the inner side of the far wall: depth is too large by the thickness of the part, here 4 cm, its outline is right, and so is all that
# it stands beside. What is behind its near side shines through it. Boxes for collision and rays of the same link are right, and the same
# mesh without the scale is. As a scale of createVisualShape it is the same. yourdfpy and MuJoCo turn the triangles. Fails if any of
# this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pybullet==3.2.7 numpy==2.4.6 trimesh==5.2.0 yourdfpy==0.0.60 mujoco==4.0.0
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import mujoco
import numpy as np
import pybullet
import trimesh
import yourdfpy

print("pybullet", version("pybullet"))
NEAR, FAR, SIZE, HEIGHT = 0.1, 2.0, 65, 1.0
# A brick of 10 x 6 x 4 cm beside the axis that it is mirrored across: y from 1 to 7 cm, z from 1 to 5 cm.
brick = trimesh.creation.box((0.10, 0.06, 0.04)).apply_translation([0.0, 0.04, 0.03])
brick.export("brick.obj")
ROBOT = """<robot name="pair"><link name="part">
<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>
<visual><geometry><mesh filename="brick.obj" scale="1 {y} 1"/></geometry></visual>
<collision><geometry><mesh filename="brick.obj" scale="1 {y} 1"/></geometry></collision>
</link></robot>"""


def depth(y):
    """Depth (H, W) from above the brick's middle, and the share of pixels that see something."""
    view = pybullet.computeViewMatrix([0.0, y, HEIGHT], [0.0, y, 0.0], [0.0, 1.0, 0.0])
    lens = pybullet.computeProjectionMatrixFOV(12.0, 1.0, NEAR, FAR)
    buffer = pybullet.getCameraImage(SIZE, SIZE, view, lens, renderer=pybullet.ER_TINY_RENDERER)[3]
    buffer = np.array(buffer, float).reshape(SIZE, SIZE)
    return NEAR * FAR / (FAR - (FAR - NEAR) * buffer), float((buffer < 0.999).mean())


pybullet.connect(pybullet.DIRECT)
seen, shares = {}, {}
for name, sign in (("as it is", 1), ("mirrored", -1)):
    file = f"part{sign}.urdf"  # files are cached by their names
    Path(file).write_text(ROBOT.format(y=sign))
    pybullet.resetSimulation()
    body = pybullet.loadURDF(file, useFixedBase=True)
    lower, upper = pybullet.getAABB(body, -1)
    assert np.allclose(sorted([sign * 0.01, sign * 0.07]), [lower[1], upper[1]], atol=0.006)
    ray = pybullet.rayTest([0.0, sign * 0.04, HEIGHT], [0.0, sign * 0.04, -1.0])[0][3][2]
    image, shares[name] = depth(sign * 0.04)
    seen[name] = image[SIZE // 2, SIZE // 2]
    drawn = HEIGHT - seen[name]
    print(f"URDF, {name}: top at z = 0.050; a ray ends at {ray:.3f}; drawn at {drawn:.3f}, in {shares[name]:.1%} of the picture")
    assert abs(ray - 0.05) < 0.003
    robot = yourdfpy.URDF.load(file).scene.to_geometry()
    described = ROBOT.format(y=sign).replace("<link", '<mujoco><compiler discardvisual="false"/></mujoco><link', 1)
    compiled = mujoco.MjModel.from_xml_string(described, {"brick.obj": Path("brick.obj").read_bytes()})
    first = compiled.mesh_face[: compiled.mesh_facenum[0]]
    a, b, c = (compiled.mesh_vert[first[:, corner]] for corner in range(3))
    assert np.isclose(robot.volume, brick.volume)
    assert np.isclose(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0, brick.volume, rtol=1e-3)
assert abs(HEIGHT - seen["as it is"] - 0.05) < 0.001 and abs(HEIGHT - seen["mirrored"] - 0.01) < 0.001

pybullet.resetSimulation()
shape = pybullet.createVisualShape(pybullet.GEOM_MESH, fileName="brick.obj", meshScale=[1, -1, 1])
pybullet.createMultiBody(0.0, -1, shape)
image, _ = depth(-0.04)
print(f"createVisualShape, mirrored: drawn at {HEIGHT - image[SIZE // 2, SIZE // 2]:.3f}")
assert abs(HEIGHT - image[SIZE // 2, SIZE // 2] - 0.01) < 0.001
print("as found: a mirrored part is drawn from within")
PYTHON
