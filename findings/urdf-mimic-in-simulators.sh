#!/usr/bin/env bash
# mujoco 4.0.0, pybullet 3.2.7, yourdfpy 0.0.60 and pin (pinocchio) 4.1.0: a gripper's second finger stays where it was.
#
# <mimic> of a URDF says that a joint is multiplier * other + offset; most grippers are written so. yourdfpy bends it so, and pinocchio
# if it is asked (mimic=True). PyBullet leaves it out: resetJointState of one finger moves that one. MuJoCo has the rule as an
# equality, which pulls while time is simulated: mj_forward with the joint values of a robot leaves the finger at zero, though qpos has
# a number for it, which nobody gave. One finger of a depth image that is drawn so is right, and the other centimetres away.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  mujoco==4.0.0 pybullet==3.2.7 yourdfpy==0.0.60 pin==4.1.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import mujoco
import numpy as np
import pinocchio as pin
import pybullet
import yourdfpy

print(*(f"{name} {version(name)}" for name in ("mujoco", "pybullet", "yourdfpy", "pin")))
INERTIA = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
OPEN, MULTIPLIER, OFFSET = 0.04, 0.5, 0.01


def finger(name, link, axis, more=""):
    return (
        f'<joint name="{name}" type="prismatic"><parent link="hand"/><child link="{link}"/><origin xyz="0 0 0.1"/>'
        f'<axis xyz="{axis}"/><limit lower="0" upper="0.04" effort="1" velocity="1"/>{more}</joint>'
    )


TEXT = (
    '<robot name="gripper">'
    + "".join(f'<link name="{link}">{INERTIA}</link>' for link in ("hand", "first", "second"))
    + finger("left", "first", "0 1 0")
    + finger("right", "second", "0 -1 0", f'<mimic joint="left" multiplier="{MULTIPLIER}" offset="{OFFSET}"/>')
    + "</robot>"
)
Path("gripper.urdf").write_text(TEXT)


def by_yourdfpy():
    robot = yourdfpy.URDF.load("gripper.urdf")
    robot.update_cfg({"left": OPEN})
    return robot.get_transform("second", "hand")[:3, 3]


def by_pinocchio():
    model = pin.buildModelFromUrdf("gripper.urdf", mimic=True)
    data = model.createData()
    pin.framesForwardKinematics(model, data, np.array([OPEN]))
    return data.oMf[model.getFrameId("second")].translation


def by_pybullet():
    pybullet.connect(pybullet.DIRECT)
    body = pybullet.loadURDF("gripper.urdf", useFixedBase=True)
    joints = {pybullet.getJointInfo(body, k)[1].decode(): k for k in range(pybullet.getNumJoints(body))}
    pybullet.resetJointState(body, joints["left"], OPEN)
    assert np.isclose(pybullet.getLinkState(body, joints["left"], computeForwardKinematics=True)[4][1], OPEN)
    return pybullet.getLinkState(body, joints["right"], computeForwardKinematics=True)[4]


def by_mujoco():
    model = mujoco.MjModel.from_xml_string(TEXT)
    assert (model.nq, model.neq) == (2, 1)
    data = mujoco.MjData(model)
    data.joint("left").qpos[:] = OPEN
    mujoco.mj_forward(model, data)
    assert np.isclose(data.body("first").xpos[1], OPEN)
    return data.body("second").xpos


meant = np.array([0.0, -(MULTIPLIER * OPEN + OFFSET), 0.1])
for name, place, follows in (
    ("yourdfpy", by_yourdfpy(), True),
    ("pinocchio", by_pinocchio(), True),
    ("PyBullet", by_pybullet(), False),
    ("MuJoCo", by_mujoco(), False),
):
    print(f"{name}: the second finger is at {np.round(place, 3).tolist()}, by the format at {meant.round(3).tolist()}")
    assert np.allclose(place, meant if follows else [0.0, 0.0, 0.1], atol=1e-6), name
print("as found: two follow, two do not")
PYTHON
