#!/usr/bin/env bash
# scipy 1.17.1, mujoco 4.0.0, spatialmath-python 1.1.18 and rowan 1.3.2: Euler angles "xyz" are three attitudes.
#
# scipy's "xyz" turns about the axes that stay, x first, as URDF's rpy does; "XYZ" about those that turn along. MuJoCo has it the other
# way round: its default, eulerseq="xyz", turns along, and "XYZ" does not. So one and the same triple bends a body of MJCF
# (euler="...") otherwise than the same triple of a URDF (rpy="..."), both read by MuJoCo. rowan turns along as well, unless told.
# spatialmath's RPY(roll, pitch, yaw, order="xyz") turns along, too, and takes its first angle about z and its last about x; URDF's rpy is
# "zyx" there. For angles of 17, -29 and 46 degrees these are 27 and 46 degrees away from scipy's. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  scipy==1.17.1 mujoco==4.0.0 spatialmath-python==1.1.18 rowan==1.3.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import mujoco
import numpy as np
import rowan
import spatialmath
from scipy.spatial.transform import Rotation

print(*(f"{name} {version(name)}" for name in ("scipy", "mujoco", "spatialmath-python", "rowan")))
ANGLES = np.array([0.3, -0.5, 0.8])
WORDS = " ".join(str(angle) for angle in ANGLES)
INERTIA = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'


def body(text):
    """The attitude of the first body below the world."""
    return Rotation.from_quat(mujoco.MjModel.from_xml_string(text).body_quat[1], scalar_first=True)


def mjcf(order):
    return body(
        f'<mujoco><compiler angle="radian" {order}/><worldbody><body euler="{WORDS}"><geom size="1"/></body></worldbody></mujoco>'
    )


urdf = body(
    f'<robot name="r"><link name="a">{INERTIA}</link><link name="b">{INERTIA}</link><joint name="j" type="revolute">'
    f'<parent link="a"/><child link="b"/><origin rpy="{WORDS}"/><axis xyz="0 0 1"/>'
    '<limit lower="-1" upper="1" effort="1" velocity="1"/></joint></robot>'
)


def rpy(order):
    return Rotation.from_matrix(spatialmath.SO3.RPY(*ANGLES, order=order).R)


stays = Rotation.from_euler("xyz", ANGLES)
along = Rotation.from_euler("XYZ", ANGLES)
backwards = Rotation.from_euler("XYZ", ANGLES[::-1])  # about x by the last, about z by the first
CASES = {
    "MuJoCo, rpy of a URDF": (urdf, stays),
    "MuJoCo, euler of MJCF": (mjcf(""), along),
    'MuJoCo, eulerseq="xyz"': (mjcf('eulerseq="xyz"'), along),
    'MuJoCo, eulerseq="XYZ"': (mjcf('eulerseq="XYZ"'), stays),
    'rowan, "xyz"': (Rotation.from_quat(rowan.from_euler(*ANGLES, "xyz"), scalar_first=True), along),
    'spatialmath, RPY "zyx"': (rpy("zyx"), stays),
    'spatialmath, RPY "xyz"': (rpy("xyz"), backwards),
}
for name, (rotation, expected) in CASES.items():
    print(f'{name}: {np.degrees((stays.inv() * rotation).magnitude()):.1f} degrees from scipy\'s "xyz"')
    assert (expected.inv() * rotation).magnitude() < 1e-7, name
assert np.degrees((stays.inv() * along).magnitude()) > 25.0
assert np.degrees((stays.inv() * backwards).magnitude()) > 45.0
print("as found: the same letters and numbers, three attitudes")
PYTHON
