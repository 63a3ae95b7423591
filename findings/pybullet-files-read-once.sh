#!/usr/bin/env bash
# pybullet 3.2.7: a URDF or mesh file that was changed is loaded as it was before, with no warning.
#
# A geometry is fitted, simplified or scaled in a loop, written to the same file and loaded again, into an emptied
# simulation: removeBody, resetSimulation. What comes is the first content of the file, of the URDF itself as of .obj
# and .stl, in shapes, bounds, rays and pictures, as files are kept by their names; the new size or place is nowhere. So
# a search over shapes finds that none makes a difference, and a robot whose calibration was written into its URDF is
# where it was. Another name, a new connection, or setPhysicsEngineParameter(enableFileCaching=0) before the first
# loading is the cure; the name of that parameter is the only place where it is told. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pybullet==3.2.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from itertools import product

import numpy as np
import pybullet

print("pybullet", version("pybullet"))
INERTIA = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
SIDES = ((1, 3, 7, 5), (2, 6, 8, 4), (1, 5, 6, 2), (3, 4, 8, 7), (1, 2, 4, 3), (5, 7, 8, 6))


def write(size, robot, mesh):
    """A cube of a size (m) at x = size, as a URDF and as an OBJ."""
    box = f'<origin xyz="{size} 0 0"/><geometry><box size="{size} {size} {size}"/></geometry>'
    with open(robot, "w") as file:
        file.write(f'<robot name="cube"><link name="cube">{INERTIA}<collision>{box}</collision></link></robot>')
    corners = np.array(list(product((-0.5, 0.5), repeat=3))) * size
    lines = [f"v {x} {y} {z}" for x, y, z in corners]
    lines += [f"f {face[0]} {face[k]} {face[k + 1]}" for face in SIDES for k in (1, 2)]
    with open(mesh, "w") as file:
        file.write("\n".join(lines) + "\n")


def loaded(robot, mesh):
    """Sizes of both, and where the first lies, as the simulation has them."""
    found = []
    for load in (
        lambda: pybullet.loadURDF(robot),
        lambda: pybullet.createMultiBody(1.0, pybullet.createCollisionShape(pybullet.GEOM_MESH, fileName=mesh)),
    ):
        body = load()
        low, high = np.array(pybullet.getAABB(body))
        found += [(high - low)[0], (high + low)[0] / 2.0]
        pybullet.removeBody(body)
    return np.array(found[:3])


def told(name, size, expected, robot="cube.urdf", mesh="cube.obj"):
    write(size, robot, mesh)
    found = loaded(robot, mesh)
    print(f"{name}: written with {size} m; URDF of {found[0]:.2f} at {found[1]:.2f}, mesh of {found[2]:.2f}")
    assert np.allclose(found, expected, atol=0.006)  # 2 mm of a mesh's margin on each side


pybullet.connect(pybullet.DIRECT)
told("first", 0.1, 0.1)
told("after removeBody", 0.2, 0.1)
pybullet.resetSimulation()
told("after resetSimulation", 0.3, 0.1)
told("other names", 0.3, 0.3, "other.urdf", "other.obj")
pybullet.disconnect()
pybullet.connect(pybullet.DIRECT)
told("after a new connection", 0.4, 0.4)
pybullet.setPhysicsEngineParameter(enableFileCaching=0)
told("enableFileCaching=0", 0.5, 0.5)
told("again", 0.6, 0.6)
print("as found: a name is read once")
PYTHON
