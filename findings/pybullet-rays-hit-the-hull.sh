#!/usr/bin/env bash
# pybullet 3.2.7: rays and cameras of one simulation see different shapes: what is hollow is solid for rayTest.
#
# rayTestBatch is the usual way to a simulated depth camera or lidar without drawing. It hits collision shapes, and those of a
# mesh, of a URDF or of createCollisionShape, are its convex hull by default: a ray into a cup of 10 cm ends at a lid that is not there,
# 9 cm above the bottom, and 1 mm over the rim, as hulls have a margin. getCameraImage draws the mesh itself and sees the bottom. Both
# look right for boxes and balls. concave="yes" at <collision> and the flag GEOM_FORCE_CONCAVE_TRIMESH let rays in. Fails if any
# of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pybullet==3.2.7 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pybullet
import trimesh

print("pybullet", version("pybullet"))
BOTTOM, RIM = 0.01, 0.1
profile = [(0.0, 0.0), (0.05, 0.0), (0.05, RIM), (0.04, RIM), (0.04, BOTTOM), (0.0, BOTTOM)]  # radius and height, m
cup = trimesh.creation.revolve(profile, sections=64)
assert cup.is_watertight and cup.volume > 0.0
cup.export("cup.obj")
MESH = '<geometry><mesh filename="cup.obj"/></geometry>'
INERTIA = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
for name, how in (("cup", ""), ("concave", 'concave="yes"')):
    Path(f"{name}.urdf").write_text(
        f'<robot name="cup"><link name="cup">{INERTIA}<visual>{MESH}</visual><collision {how}>{MESH}</collision></link></robot>'
    )


def by_ray():
    """How high the first thing below 1 m is, on the axis of the cup."""
    return pybullet.rayTest([0, 0, 1], [0, 0, -1])[0][3][2]


def by_camera():
    near, far, size = 0.1, 2.0, 65
    view = pybullet.computeViewMatrix([0, 0, 1], [0, 0, 0], [0, 1, 0])
    frustum = pybullet.computeProjectionMatrixFOV(20, 1, near, far)
    depth = pybullet.getCameraImage(size, size, view, frustum, renderer=pybullet.ER_TINY_RENDERER)[3]
    middle = np.asarray(depth).reshape(size, size)[size // 2, size // 2]
    return 1.0 - near * far / (far - (far - near) * middle)


def collision(flags):
    shape = pybullet.createCollisionShape(pybullet.GEOM_MESH, fileName="cup.obj", flags=flags)
    return pybullet.createMultiBody(0, shape)


pybullet.connect(pybullet.DIRECT)
CASES = {
    "a URDF": (lambda: pybullet.loadURDF("cup.urdf", useFixedBase=True), RIM + 0.001),
    'a URDF with concave="yes"': (lambda: pybullet.loadURDF("concave.urdf", useFixedBase=True), BOTTOM),
    "createCollisionShape": (lambda: collision(0), RIM + 0.001),
    "GEOM_FORCE_CONCAVE_TRIMESH": (lambda: collision(pybullet.GEOM_FORCE_CONCAVE_TRIMESH), BOTTOM),
}
for name, (load, expected) in CASES.items():
    thing = load()
    ray, camera = by_ray(), by_camera()
    print(f"{name}: height of what is seen in the cup: {1e3 * ray:.1f} mm by a ray, {1e3 * camera:.1f} mm by a camera")
    assert abs(ray - expected) < 3e-4, (name, ray)
    assert abs(camera - BOTTOM) < 3e-4, (name, camera)
    pybullet.removeBody(thing)
print("as found: rays end at the hull")
PYTHON
