#!/usr/bin/env bash
# yourdfpy 0.0.60: a URDF that is written again has lost its mimic joints: a gripper's second finger is free.
#
# A calibrated place is put into a joint, a mesh's name is changed, and the robot is written: write_xml_file. Origins,
# axes, limits, meshes, scales, materials and dynamics come back as they were; <mimic> is left out, which the same
# library reads and obeys. The file is valid, and its robot has one joint more to be moved: with the joint values of
# before, a reader refuses them, or, where values go by names, the finger, or the far half of a parallelogram, stays at
# zero, centimetres from where it is. safety_controller and calibration are gone too. Nothing is said. Fails if any of
# this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  yourdfpy==0.0.60 trimesh==5.2.0 numpy==2.4.6 scipy==1.17.1 lxml==6.1.3
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from yourdfpy import URDF

print("yourdfpy", version("yourdfpy"))
JOINT = """<joint name="{name}" type="prismatic"><parent link="palm"/><child link="{name}_finger"/>
  <origin xyz="0 {y} 0.06" rpy="0.1 0.2 0.3"/><axis xyz="0 {way} 0"/><dynamics damping="0.5"/>{mimic}
  <limit lower="0" upper="0.04" effort="20" velocity="0.2"/></joint>"""
with open("gripper.urdf", "w") as file:
    file.write('<robot name="gripper"><link name="palm"/><link name="left_finger"/><link name="right_finger"/>')
    file.write(JOINT.format(name="left", y=0.01, way=1, mimic=""))
    file.write(JOINT.format(name="right", y=-0.01, way=-1, mimic='<mimic joint="left" multiplier="1" offset="0"/>'))
    file.write("</robot>")
OPENING = 0.03
first = URDF.load("gripper.urdf")
first.write_xml_file("written.urdf")
second = URDF.load("written.urdf")
text = open("written.urdf").read()
print("joints to be moved:", first.actuated_joint_names, "then", second.actuated_joint_names)
assert first.actuated_joint_names == ["left"] and second.actuated_joint_names == ["left", "right"]
assert "mimic" not in text and "damping" in text and "rpy" in text
for robot in (first, second):
    robot.update_cfg({"left": OPENING})
for finger, millimetres in (("left_finger", 0.0), ("right_finger", 30.0)):
    before, after = (robot.get_transform(finger, "palm") for robot in (first, second))
    away = 1e3 * np.linalg.norm(before[:3, 3] - after[:3, 3])
    print(f"{finger}: {away:.0f} mm from where it was, for left = {OPENING} m")
    assert abs(away - millimetres) < 1e-3 and np.allclose(before[:3, :3], after[:3, :3])
print("as found: what mimics is free")
PYTHON
