#!/usr/bin/env bash
# pin (pinocchio) 4.1.0: of four things that MJCF allows, buildModelFromMJCF makes another robot than MuJoCo.
#
# MJCF is MuJoCo's own format, so MuJoCo's forward kinematics says what a file means; most of what was compared, as
# euler, xyaxes, zaxis, joint positions, ref and several joints in a body, is the same in both to the last digit. An
# axis of axisangle that is not of length 1 is made so by MuJoCo; here the link's "rotation" grows and shears what is
# placed by it: its determinant is 4 for "1 1 0 60". With an eulerseq of capitals, axes that stay, angles are taken
# about axes that turn: 35 degrees for 20 -35 50. A joint's position that is in a default class is 0, though the axis
# beside it is taken, so the link swings about another place. A body that moves freely is at its seven numbers in
# MuJoCo, and in pinocchio only if the file's pose of it is not turned: else it is metres away, with the right
# attitude. Nothing is said of any of them. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pin==4.1.0 mujoco==4.0.0 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import mujoco
import numpy as np
import pinocchio
from scipy.spatial.transform import Rotation

print("pin", version("pin"), "mujoco", version("mujoco"))
INERTIA = '<inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/>'
FILE = """
<mujoco model="robot"><compiler {compiler}/>
  <default><default class="elbow"><joint axis="0 1 0" pos="0 0 0.1"/></default></default>
  <worldbody><body name="link" pos="1 2 3" {body}>{inertia}{joint}</body></worldbody></mujoco>
"""
HINGE = '<joint name="joint" axis="0 1 0"/>'
ATTITUDE = Rotation.from_rotvec([0.3, -0.2, 0.5])
FREE = np.r_[0.5, 0.6, 0.7, ATTITUDE.as_quat()]  # x, y, z and the quaternion, with w last


def poses(compiler, body, joint, q):
    """The link's rotation and place by MuJoCo and by pinocchio."""
    with open("robot.xml", "w") as file:
        file.write(FILE.format(compiler=compiler, body=body, joint=joint, inertia=INERTIA))
    model = mujoco.MjModel.from_xml_path("robot.xml")
    data = mujoco.MjData(model)
    data.qpos[:] = q if len(q) == 1 else np.r_[q[:3], q[6], q[3:6]]
    mujoco.mj_kinematics(model, data)
    link = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, "link")
    other = pinocchio.buildModelFromMJCF("robot.xml")
    state = other.createData()
    pinocchio.framesForwardKinematics(other, state, np.asarray(q, float))
    frame = state.oMf[other.getFrameId("link")]
    return data.xmat[link].reshape(3, 3), data.xpos[link], frame.rotation, frame.translation


def told(name, degrees, millimetres, compiler="", body="", joint=HINGE, q=(0.4,), determinant=1.0):
    true, place, found, other = poses(compiler, body, joint, q)
    volume = np.linalg.det(found)
    assert abs(volume - determinant) < 0.01
    if determinant != 1.0:
        print(f"{name}: no rotation, its determinant is {volume:.2f}")
        return
    off = np.degrees((Rotation.from_matrix(true).inv() * Rotation.from_matrix(found)).magnitude())
    away = 1e3 * np.linalg.norm(other - place)
    print(f"{name}: {off:.1f} degrees and {away:.0f} mm from MuJoCo's")
    assert abs(off - degrees) < 0.1 and abs(away - millimetres) < 1.0, (off, away)


told("euler", 0.0, 0.0, body='euler="20 -35 50"')
told("euler, eulerseq zyx", 0.0, 0.0, compiler='eulerseq="zyx"', body='euler="20 -35 50"')
told("euler, eulerseq XYZ", 35.1, 0.0, compiler='eulerseq="XYZ"', body='euler="20 -35 50"')
told("axisangle, of length 1", 0.0, 0.0, body='axisangle="0.6 0.8 0 60"')
told("axisangle, longer", None, None, body='axisangle="1 1 0 60"', determinant=4.03)
told("a joint's place", 0.0, 0.0, joint='<joint name="joint" axis="0 1 0" pos="0 0 0.1"/>')
told("a joint's place by its class", 0.0, 39.7, joint='<joint name="joint" class="elbow"/>')
told("a free body", 0.0, 0.0, joint='<freejoint name="joint"/>', q=FREE)
told(
    "a free body, turned in the file", 0.0, 3558.3, body='euler="20 -35 50"', joint='<freejoint name="joint"/>', q=FREE
)
print("as found: MuJoCo's file is another robot")
PYTHON
