#!/usr/bin/env bash
# yourdfpy 0.0.60 and pin (pinocchio) 4.1.0: the same vector of joint values bends the same URDF into other poses.
#
# Both take a vector of joint values. yourdfpy has the joints in the order in which the file lists them and leaves out those
# that mimic another. pinocchio goes down the tree, at each link in the alphabetical order of the joints below it, and counts
# mimicking joints as free ones, unless mimic=True. Where both want as many numbers, as of most arms, a vector is taken
# by either without a warning and means two poses. A robot with wheels has not even that, as a `continuous` joint has two
# numbers in pinocchio, a cosine and a sine. Names are the only safe way: actuated_joint_names of one, names and idx_q of the other.
# Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check yourdfpy==0.0.60 pin==4.1.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pinocchio as pin
import yourdfpy

print("yourdfpy", version("yourdfpy"), "pin", version("pin"))
LIMIT = '<limit lower="-3" upper="3" effort="1" velocity="1"/>'


def joint(name, parent, child, xyz, axis, kind="revolute", more=""):
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/><origin xyz="{xyz}"/>'
        f'<axis xyz="{axis}"/>{LIMIT if kind != "continuous" else ""}{more}</joint>'
    )


def robot(name, joints):
    links = "".join(f'<link name="{link}"/>' for link in ("base", "a", "b", "c", "d"))
    Path(name).write_text(f'<robot name="robot">{links}{"".join(joints)}</robot>')
    return name


def orders(path):
    by_file = yourdfpy.URDF.load(path)
    free, bound = pin.buildModelFromUrdf(path), pin.buildModelFromUrdf(path, mimic=True)
    print(f"  yourdfpy: {by_file.num_dofs} numbers, {list(by_file.actuated_joint_names)}")
    print(f"  pinocchio: {free.nq} numbers ({bound.nq} with mimic=True), {list(free.names)[1:]}")
    return by_file, free, bound


print("a head and an arm with two fingers, of which the second mimics the first:")
path = robot("arm.urdf", [
    joint("neck", "base", "a", "0 0.1 0", "0 0 1"),
    joint("elbow", "base", "b", "0.2 0 0", "0 0 1"),
    joint("finger", "b", "c", "0.3 0 0", "0 1 0", "prismatic"),
    joint("finger_mimic", "b", "d", "0.3 0 0", "0 -1 0", "prismatic", '<mimic joint="finger"/>'),
])
by_file, free, bound = orders(path)
assert list(by_file.actuated_joint_names) == ["neck", "elbow", "finger"]
assert list(free.names) == ["universe", "elbow", "finger", "finger_mimic", "neck"] == list(bound.names)
assert (free.nq, bound.nq) == (4, 3)


def ends(numbers, named):
    """The first finger's place by either, with numbers as they come, or put where the joint of that name has them."""
    for_pin = np.array(numbers)
    if named:
        for name, number in zip(by_file.actuated_joint_names, numbers, strict=True):
            for_pin[bound.joints[bound.getJointId(name)].idx_q] = number
    by_file.update_cfg(np.array(numbers))
    data = bound.createData()
    pin.framesForwardKinematics(bound, data, for_pin)
    return by_file.get_transform("c")[:3, 3], data.oMf[bound.getFrameId("c")].translation


for named in (False, True):
    first, second = ends([0.5, -0.3, 0.05], named)
    print(f"  {'by name' if named else 'as they come'}: finger at {first.round(3).tolist()} and {second.round(3).tolist()}")
    assert np.allclose(first, second) == named, (first, second)

print("wheels that turn without end:")
by_file, free, _ = orders(robot("wheels.urdf", [
    joint("wheel_1", "base", "a", "0 0.1 0", "0 1 0", "continuous"),
    joint("wheel_2", "base", "b", "0 0.2 0", "0 1 0", "continuous"),
    joint("wheel_10", "base", "c", "0 0.3 0", "0 1 0", "continuous"),
    joint("arm", "base", "d", "0 0 0.2", "0 0 1"),
]))
assert list(free.names)[1:] == ["arm", "wheel_1", "wheel_10", "wheel_2"], list(free.names)
assert (by_file.num_dofs, free.nq, free.nv) == (4, 7, 4)
print("as found: the order is the file's in one and the alphabet's in the other")
PYTHON
