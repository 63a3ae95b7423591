#!/usr/bin/env bash
# kinpy 0.6.1, ikpy 4.2.1, yourdfpy 0.0.60 and pin (pinocchio) 4.1.0: a joint's axis that is left out, or not of length 1.
#
# By the format, a joint without <axis> has (1, 0, 0). yourdfpy, ikpy and pinocchio know that; kinpy turns about z, so that the
# same joint value bends the arm sideways: 0.7 rad are 56 degrees off. An axis "should be normalized", which is no must: 1 1 0 is
# read by all four. pinocchio makes it 1 long. ikpy does not: turned about 1 1 0, the tip's "rotation" has a determinant of 1.75,
# so a mesh that is placed by it grows and is sheared. yourdfpy and kinpy do for a hinge, but not for a slide: 0.2 m along 1 1 0
# are 0.283 m in both, and in ikpy. None of them says so. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  kinpy==0.6.1 ikpy==4.2.1 yourdfpy==0.0.60 pin==4.1.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import io
from importlib.metadata import version
from pathlib import Path

import ikpy.chain
import kinpy
import numpy as np
import pinocchio
import yourdfpy
from scipy.spatial.transform import Rotation

print(*(f"{name} {version(name)}" for name in ("kinpy", "ikpy", "yourdfpy", "pin")), sep=", ")


def by_kinpy(text, value):
    return kinpy.build_chain_from_urdf(text.encode()).forward_kinematics({"j": value})["tip"].matrix()


def by_ikpy(text, value):
    Path("robot.urdf").write_text(text)
    return ikpy.chain.Chain.from_urdf_file("robot.urdf", base_elements=["base"]).forward_kinematics([0.0, value])


def by_yourdfpy(text, value):
    robot = yourdfpy.URDF.load(io.StringIO(text), load_meshes=False)
    robot.update_cfg(np.array([value]))
    return robot.get_transform("tip", "base")


def by_pinocchio(text, value):
    model = pinocchio.buildModelFromXML(text)
    data = model.createData()
    pinocchio.framesForwardKinematics(model, data, np.array([value]))
    return data.oMf[model.getFrameId("tip")].homogeneous


WAYS = {"kinpy": by_kinpy, "ikpy": by_ikpy, "yourdfpy": by_yourdfpy, "pinocchio": by_pinocchio}


def poses(kind, axis, value):
    """The tip in the base by each library."""
    text = (
        f'<robot name="arm"><link name="base"/><link name="tip"/><joint name="j" type="{kind}">'
        f'<parent link="base"/><child link="tip"/><origin xyz="0.1 0 0.3" rpy="0 0 0"/>{axis}'
        '<limit lower="-2" upper="2" effort="1" velocity="1"/></joint></robot>'
    )
    return {name: np.asarray(way(text, value)) for name, way in WAYS.items()}


ONE_ONE = np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)
found = poses("revolute", "", 0.7)
off = {
    name: float(np.degrees((Rotation.from_matrix(pose[:3, :3]) * Rotation.from_rotvec([-0.7, 0.0, 0.0])).magnitude()))
    for name, pose in found.items()
}
print("a hinge without an axis, 0.7 rad: degrees off a turn about x:", {name: round(value, 1) for name, value in off.items()})
assert off["kinpy"] > 50.0 and max(off["ikpy"], off["yourdfpy"], off["pinocchio"]) < 1e-3
assert np.allclose(found["kinpy"][:3, :3], Rotation.from_rotvec([0.0, 0.0, 0.7]).as_matrix())

found = poses("revolute", '<axis xyz="1 1 0"/>', 0.7)
volume = {name: float(np.linalg.det(pose[:3, :3])) for name, pose in found.items()}
print("a hinge about 1 1 0: determinants:", {name: round(value, 3) for name, value in volume.items()})
assert volume["ikpy"] > 1.7
for name in ("kinpy", "yourdfpy", "pinocchio"):
    assert np.allclose(found[name][:3, :3], Rotation.from_rotvec(0.7 * ONE_ONE).as_matrix())

found = poses("prismatic", '<axis xyz="1 1 0"/>', 0.2)
length = {name: float(np.linalg.norm(pose[:3, 3] - [0.1, 0.0, 0.3])) for name, pose in found.items()}
print("a slide along 1 1 0, 0.2 m: metres:", {name: round(value, 3) for name, value in length.items()})
assert np.allclose([length[name] for name in ("kinpy", "ikpy", "yourdfpy")], 0.2 * np.sqrt(2.0))
assert np.isclose(length["pinocchio"], 0.2)
print("as found: four libraries, one file, other poses")
PYTHON
