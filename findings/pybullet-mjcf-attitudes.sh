#!/usr/bin/env bash
# pybullet 3.2.7 (and mujoco 4.0.0): bodies of a MJCF are turned by quat alone, and not by euler or three others.
#
# MJCF has five ways to say how a body is turned, and most robots are written with euler. PyBullet's loadMJCF reads
# quat, and takes bodies, and the boxes on them, that are turned in any other way for not turned, with no warning: what
# MuJoCo has at 30, 40 and 50 degrees is upright, and so are all links that hang on it. What a joint's value is at rest
# (ref) is left out too, so that all values of such a joint are off by it; and along an axis that is not of length 1,
# as 0 0 2, which MuJoCo makes 1 long, a slide goes twice as far. Names, places, joints' places and axes of hinges are
# as in MuJoCo. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pybullet==3.2.7 mujoco==4.0.0 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import mujoco
import numpy as np
import pybullet
from scipy.spatial.transform import Rotation

print("pybullet", version("pybullet"), "mujoco", version("mujoco"))
pybullet.connect(pybullet.DIRECT)
BOX = '<geom type="box" size="0.1 0.1 0.1" mass="1"/>'
VALUE = 0.3  # of each joint, rad or m
count = 0


def both(turned, joint='type="hinge" axis="0 0 1"', box=""):
    """Place and rotation of a body half a metre above the first, by MuJoCo and by PyBullet; the size of its box."""
    global count
    count += 1
    path = f"robot{count}.xml"  # PyBullet keeps what it read of a name
    Path(path).write_text(
        f'<mujoco><worldbody><body name="a">{BOX}<body name="b" pos="0 0 0.5" {turned}>'
        f'<geom type="box" size="0.1 0.2 0.3" mass="1" {box}/><joint name="j" {joint}/>'
        "</body></body></worldbody></mujoco>"
    )
    model = mujoco.MjModel.from_xml_path(path)
    state = mujoco.MjData(model)
    state.qpos[:] = VALUE
    mujoco.mj_forward(model, state)
    right = state.body("b").xpos.copy(), Rotation.from_matrix(state.body("b").xmat.reshape(3, 3))

    (body,) = pybullet.loadMJCF(path)
    joints = {pybullet.getJointInfo(body, k)[1].decode(): k for k in range(pybullet.getNumJoints(body))}
    links = {pybullet.getJointInfo(body, k)[12].decode(): k for k in range(pybullet.getNumJoints(body))}
    pybullet.resetJointState(body, joints["j"], VALUE)
    link = pybullet.getLinkState(body, links["b"], computeForwardKinematics=True)
    corners = np.array(pybullet.getAABB(body, links["b"]))
    return right, (np.array(link[4]), Rotation.from_quat(link[5])), corners[1] - corners[0]


def apart(right, found):
    return np.linalg.norm(right[0] - found[0]), np.degrees((right[1].inv() * found[1]).magnitude())


upright = Rotation.from_euler("z", VALUE)
for turned in (
    'quat="0.8775826 0 0.4794255 0"',
    'euler="30 40 50"',
    'axisangle="0 1 0 40"',
    'xyaxes="0 1 0 -1 0 0"',
    'zaxis="1 0 0"',
):
    right, found, _ = both(turned)
    metres, degrees = apart(right, found)
    print(f"{turned}: {degrees:.1f} degrees apart")
    assert metres < 1e-6
    if "quat" in turned:
        assert degrees < 0.01
    else:
        assert degrees > 30.0 and (found[1].inv() * upright).magnitude() < 1e-5

sizes = {}
for box in ('euler="0 90 0"', 'quat="0.70710678 0 0.70710678 0"'):
    sizes[box] = both("", 'type="slide" axis="0 0 1"', box)[2]
    print(f"a box of 0.2 x 0.4 x 0.6 with {box}: {np.round(sizes[box], 2).tolist()}")
assert sizes['euler="0 90 0"'][2] > 0.55 and sizes['quat="0.70710678 0 0.70710678 0"'][2] < 0.3

right, found, _ = both("", 'type="hinge" axis="0 1 0" ref="20"')
print(f"ref of 20 degrees: {apart(right, found)[1]:.1f} degrees apart")
assert np.isclose(apart(right, found)[1], 20.0, atol=0.01)

for length in (1, 2):
    right, found, _ = both("", f'type="slide" axis="0 0 {length}"')
    print(f"a slide of {VALUE} m along 0 0 {length}: up by {right[0][2] - 0.5:.2f} and {found[0][2] - 0.5:.2f} m")
    assert np.isclose(right[0][2], 0.5 + VALUE) and np.isclose(found[0][2], 0.5 + length * VALUE)

for joint in ('type="hinge" axis="1 1 0"', 'type="hinge" axis="0 1 0" pos="0 0 -0.2"'):
    right, found, _ = both("", joint)
    assert max(apart(right, found)) < 1e-3, joint
print("as found: only quat turns")
PYTHON
