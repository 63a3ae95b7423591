#!/usr/bin/env bash
# pybullet 3.2.7 (and drake 1.51.1): of an SDF's poses, what they are relative to and their units are left out.
#
# Models for Gazebo are SDF, and PyBullet's loadSDF reads them. Since SDF 1.8 and 1.9 a <pose> may say what it is
# relative to, that its angles are degrees, or that it holds a quaternion; in a joint, it says where the axis is.
# Drake, which has Gazebo's own reader, obeys. PyBullet takes no notice and says nothing. Of a chain of two links, each
# half a metre and 1 rad from the one before, the second is put on the first. 30 degrees become 30 rad, which is -81
# degrees; of a quaternion, the first three numbers are taken for roll, pitch and yaw, and 30 degrees about z are 15
# about y and 55 about z. A joint whose pose turns its axis from z to x bends about z. What has none of it, as in old
# files, is right. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  pybullet==3.2.7 drake==1.51.1 scipy==1.17.1 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pybullet
from pydrake.multibody.parsing import Parser
from pydrake.multibody.plant import MultibodyPlant
from scipy.spatial.transform import Rotation

print("pybullet", version("pybullet"), "drake", version("drake"))
pybullet.connect(pybullet.DIRECT)
HEAVY = "<inertial><mass>1</mass><inertia><ixx>1</ixx><iyy>1</iyy><izz>1</izz></inertia></inertial>"
AXIS = "<axis><xyz>0 0 1</xyz><limit><lower>-3</lower><upper>3</upper></limit></axis>"
LINK = "<link name='{}'>{}" + HEAVY + "</link>"
JOINT = "<joint name='{0}{1}' type='revolute'>{2}<parent>{0}</parent><child>{1}</child>" + AXIS + "</joint>"


def read(name, links, joints, bent=0.0):
    """4x4 poses of all links but the first, in the first, by PyBullet and by Drake, with all joints bent."""
    path = f"{name}.sdf"  # PyBullet keeps what it read of a name
    text = "".join(LINK.format(*link) for link in links) + "".join(JOINT.format(*joint) for joint in joints)
    Path(path).write_text(f"<?xml version='1.0'?><sdf version='1.9'><model name='m'>{text}</model></sdf>")
    (body,) = pybullet.loadSDF(path)
    at, turned = pybullet.getBasePositionAndOrientation(body)
    assert np.allclose(at, 0.0) and np.allclose(turned, (0.0, 0.0, 0.0, 1.0))
    number = pybullet.getNumJoints(body)
    for k in range(number):
        pybullet.resetJointState(body, k, bent)
    states = [pybullet.getLinkState(body, k, computeForwardKinematics=True) for k in range(number)]
    here = {pybullet.getJointInfo(body, k)[12].decode(): states[k][4:6] for k in range(number)}

    plant = MultibodyPlant(0.0)
    Parser(plant).AddModels(path)
    plant.Finalize()
    context = plant.CreateDefaultContext()
    for one, other, _ in joints:
        plant.GetJointByName(one + other).set_angle(context, bent)
    base = plant.GetBodyByName(links[0][0]).EvalPoseInWorld(context)
    both = []
    for link, _ in links[1:]:
        pose = base.inverse() @ plant.GetBodyByName(link).EvalPoseInWorld(context)
        place, quaternion = here[link]
        both.append(
            [
                (np.asarray(place), Rotation.from_quat(quaternion)),
                (pose.translation(), Rotation.from_matrix(pose.rotation().matrix())),
            ]
        )
    for poses, (link, _) in zip(both, links[1:], strict=True):
        for by, (place, rotation) in zip(("PyBullet", "Drake"), poses, strict=True):
            angles = rotation.as_euler("xyz", degrees=True)
            print(f"{name}, {link} by {by}: at {np.round(place, 3).tolist()}, turned {np.round(angles, 1).tolist()}")
    return both


def apart(poses):
    (one, turned), (other, also) = poses
    return np.linalg.norm(one - other), np.degrees((turned.inv() * also).magnitude())


def one(name, pose, joint="", bent=0.0):
    (poses,) = read(name, [("a", ""), ("b", pose)], [("a", "b", joint)], bent)
    return poses


for name, bent in (("old", 0.0), ("old-bent", 0.7)):
    assert np.allclose(apart(one(name, "<pose>0.1 0.2 0.3 0 0 0.5</pose>", bent=bent)), 0.0, atol=1e-4)

first, second = read(
    "relative",
    [
        ("a", ""),
        ("b", "<pose relative_to='a'>0.5 0 0 0 0 1</pose>"),
        ("c", "<pose relative_to='b'>0.5 0 0 0 0 1</pose>"),
    ],
    [("a", "b", ""), ("b", "c", "")],
)
assert np.allclose(apart(first), 0.0, atol=1e-4)
assert np.allclose(second[0][0], (0.5, 0.0, 0.0), atol=1e-6) and apart(second)[0] > 0.4
assert abs(apart(second)[1] - np.degrees(1.0)) < 0.1

poses = one("degrees", "<pose degrees='true'>0.1 0.2 0.3 0 0 30</pose>")
assert np.isclose(poses[1][1].as_euler("xyz", degrees=True)[2], 30.0)
assert (poses[0][1] * Rotation.from_euler("z", 30.0).inv()).magnitude() < 1e-4

half = np.radians(15.0)
numbers = f"0 0 {np.sin(half)} {np.cos(half)}"
poses = one("quaternion", f"<pose rotation_format='quat_xyzw'>0.1 0.2 0.3 {numbers}</pose>")
assert np.isclose(poses[1][1].as_euler("xyz", degrees=True)[2], 30.0)
assert (poses[0][1] * Rotation.from_euler("xyz", (0.0, 0.0, np.sin(half))).inv()).magnitude() > 0.5
assert (poses[0][1] * Rotation.from_euler("xyz", (0.0, np.sin(half), np.cos(half))).inv()).magnitude() < 1e-3

poses = one("joint", "", f"<pose>0 0 0 0 {np.pi / 2.0} 0</pose>", bent=0.5)
assert np.allclose(poses[1][1].as_rotvec(), (0.5, 0.0, 0.0), atol=1e-4)
assert np.allclose(poses[0][1].as_rotvec(), (0.0, 0.0, 0.5), atol=1e-4)
print("as found: a pose's attributes are left out, and those of joints")
PYTHON
