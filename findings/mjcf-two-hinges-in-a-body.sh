#!/usr/bin/env bash
# mujoco 4.0.0, drake 1.51.1 and newton 1.8.0: a link that has two hinges in one body of MJCF is elsewhere in each.
#
# A shoulder or a wrist is written in MJCF as one body with two or three joints. MuJoCo, whose format it is, turns the
# body about each joint's own place. Drake reads the file without an error, and turns it, for all joints but the last,
# about the origin of the body's parent: at 1 2 3 m and 0.4 rad, the link is 0.9 m away, in the right attitude. In the
# pose of zeros, and of a body at its parent's origin, it is right, and so it is if each joint has a body of its own.
# Newton is right as long as joints have no places of their own; if they have (pos), it takes the first joint's for
# all: 84 mm off for places that are 245 mm apart. Neither says so. pinocchio is as MuJoCo. Fails if any of this
# changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  mujoco==4.0.0 drake==1.51.1 newton==1.8.0 warp-lang==1.19.0 pin==4.1.0 scipy==1.17.1 numpy==2.4.6
export WARP_CACHE_PATH="$work/warp"
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import mujoco
import newton
import numpy as np
import pinocchio
import warp
from pydrake.multibody.parsing import Parser
from pydrake.multibody.plant import MultibodyPlant
from scipy.spatial.transform import Rotation

warp.config.quiet = True
for package in ("mujoco", "drake", "newton", "pin"):
    print(package, version(package))
INERTIA = '<inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/>'
Q = np.array([0.4, 0.6])


def file(place, inner, first="0 0 0", second="0 0 0"):
    """A robot of one link with two hinges; `inner` puts the second into a body of its own."""
    joints = [f'<joint name="a" axis="0 0 1" pos="{first}"/>', f'<joint name="b" axis="0 1 0" pos="{second}"/>']
    link = f'<body name="link" pos="{place}">{INERTIA}{"".join(joints)}</body>'
    if inner:
        link = (
            f'<body name="base" pos="{place}">{INERTIA}{joints[0]}<body name="link">{INERTIA}{joints[1]}</body></body>'
        )
    with open("robot.xml", "w") as written:
        written.write(f'<mujoco model="robot"><worldbody>{link}</worldbody></mujoco>')


def by_mujoco(q):
    model = mujoco.MjModel.from_xml_path("robot.xml")
    data = mujoco.MjData(model)
    data.qpos[:] = q
    mujoco.mj_kinematics(model, data)
    link = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, "link")
    return data.xmat[link].reshape(3, 3).copy(), data.xpos[link].copy()


def by_drake(q):
    plant = MultibodyPlant(0.0)
    Parser(plant).AddModels("robot.xml")
    plant.Finalize()
    context = plant.CreateDefaultContext()
    plant.SetPositions(context, q)
    pose = plant.GetBodyByName("link").EvalPoseInWorld(context)
    return pose.rotation().matrix(), pose.translation()


def by_newton(q):
    builder = newton.ModelBuilder()
    builder.add_mjcf("robot.xml")
    model = builder.finalize(device="cpu")
    model.joint_q.assign(q.astype(np.float32))
    state = model.state()
    newton.eval_fk(model, model.joint_q, model.joint_qd, state)
    pose = state.body_q.numpy()[-1]
    return Rotation.from_quat(pose[3:]).as_matrix(), pose[:3]


def by_pinocchio(q):
    model = pinocchio.buildModelFromMJCF("robot.xml")
    data = model.createData()
    pinocchio.framesForwardKinematics(model, data, q)
    pose = data.oMf[model.getFrameId("link")]
    return pose.rotation, pose.translation


CASES = {
    "one body at 1 2 3": (("1 2 3", False), Q, {"drake": 888.5}),
    "one body at 1 2 3, all at zero": (("1 2 3", False), 0.0 * Q, {}),
    "one body at the origin": (("0 0 0", False), Q, {}),
    "two bodies at 1 2 3": (("1 2 3", True), Q, {}),
    "one body at the origin, places of joints": (("0 0 0", False, "0.1 0 0", "0 0.2 0.1"), Q, {"newton": 83.6}),
}
for name, (how, q, expected) in CASES.items():
    file(*how)
    rotation, place = by_mujoco(q)
    away = {}
    for library, read in (("drake", by_drake), ("newton", by_newton), ("pinocchio", by_pinocchio)):
        other, there = read(q)
        assert np.allclose(rotation, other, atol=1e-5)
        away[library] = 1e3 * np.linalg.norm(there - place)
    print(
        f"{name}: " + ", ".join(f"{library} {distance:.1f} mm" for library, distance in away.items()) + " from MuJoCo's"
    )
    assert all(abs(distance - expected.get(library, 0.0)) < 0.2 for library, distance in away.items())
print("as found: one file, three places")
PYTHON
