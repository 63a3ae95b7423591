#!/usr/bin/env bash
# pybullet 3.2.7: getJointInfo's place and attitude "in parent frame" are in another frame, the latter inverted.
#
# A URDF's joint has a place and an attitude in its parent link's frame. getJointInfo gives parentFramePos and
# parentFrameOrn, from which a chain of poses can be made without the file. The place is in the frame of the parent's
# centre of mass (its <inertial> origin, turned with it), not the link's: of a joint at x = 0.2 m of a link whose mass
# is at 0.1 m, 0.1 comes back. The quaternion is that of the inverse of the joint's attitude in that same frame (with
# the turn of the child's <inertial>, if it has one), so it turns backwards: joints with rpy 0 hide it. Where masses
# are at the links' origins, the place is right and the attitude alone is wrong. getLinkState's worldLinkFramePosition
# is the link's own frame, and right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pybullet==3.2.7 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pybullet
from scipy.spatial.transform import Rotation

print("pybullet", version("pybullet"))
pybullet.connect(pybullet.DIRECT)
LINK = """<link name="{name}"><inertial><origin xyz="{mass}" rpy="0 0 {turned}"/><mass value="1"/>
  <inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial></link>"""
ROBOT = """<robot name="robot">{base}{tip}<joint name="joint" type="revolute"><parent link="base"/><child link="tip"/>
  <origin xyz="0.2 0 0" rpy="{rpy}"/><axis xyz="0 0 1"/>
  <limit lower="-3" upper="3" effort="1" velocity="1"/></joint></robot>"""
PLACE = np.array([0.2, 0.0, 0.0])


def looked_at(name, mass, turned, rpy):
    """How far getJointInfo's and getLinkState's frames are from the file's (mm, degrees)."""
    base = LINK.format(name="base", mass=f"{mass} 0 0", turned=turned)
    tip = LINK.format(name="tip", mass="0 0 0", turned=0)
    path = f"{name.replace(' ', '-')}.urdf"  # of its own: a name is read once
    with open(path, "w") as file:
        file.write(ROBOT.format(base=base, tip=tip, rpy=" ".join(map(str, rpy))))
    body = pybullet.loadURDF(path, useFixedBase=True)
    # The base's link frame into the origin: what is set is the frame of its mass.
    inertial = Rotation.from_euler("z", turned)
    pybullet.resetBasePositionAndOrientation(body, [mass, 0.0, 0.0], inertial.as_quat())
    info = pybullet.getJointInfo(body, 0)
    place, turn = np.array(info[14]), Rotation.from_quat(info[15])
    state = pybullet.getLinkState(body, 0, computeForwardKinematics=True)
    true = Rotation.from_euler("xyz", rpy)
    assert np.allclose(state[4], PLACE, atol=1e-6) and (Rotation.from_quat(state[5]).inv() * true).magnitude() < 1e-5
    assert np.allclose(place, inertial.inv().apply(PLACE - [mass, 0.0, 0.0]), atol=1e-6)
    assert (turn.inv() * (inertial.inv() * true).inv()).magnitude() < 1e-5
    off = np.degrees((turn.inv() * true).magnitude())
    away = 1e3 * np.linalg.norm(place - PLACE)
    print(
        f"{name}: getJointInfo's frame is {away:.0f} mm and {off:.0f} degrees from the file's; getLinkState's is right"
    )
    pybullet.removeBody(body)
    return away, off


assert np.allclose(looked_at("mass at the origin, rpy 0", 0.0, 0.0, (0.0, 0.0, 0.0)), 0.0, atol=1e-3)
away, off = looked_at("mass at the origin, rpy 0.5 -0.4 0.8", 0.0, 0.0, (0.5, -0.4, 0.8))
assert away < 1e-3 and 110.0 < off < 125.0
away, off = looked_at("mass at 0.1, rpy 0", 0.1, 0.0, (0.0, 0.0, 0.0))
assert abs(away - 100.0) < 0.1 and off < 1e-3
away, off = looked_at("mass at 0.1 and turned, rpy 0.5 -0.4 0.8", 0.1, 0.7, (0.5, -0.4, 0.8))
assert away > 100.0 and off > 60.0
print("as found: in the frame of the mass, and backwards")
PYTHON
