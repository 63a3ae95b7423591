"""Descriptions that viewers read and strict parsers refuse, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.scene.urdf import load_robot

pytest.importorskip("yourdfpy", reason="yourdfpy (diffdope[robot]) is not installed")

LINKS = "".join(
    f'<link name="{name}"><visual><geometry><box size="0.2 0.1 0.1"/></geometry></visual></link>' for name in "abc"
)
JOINT = (
    '<joint name="j" type="{}"><parent link="a"/><child link="b"/><origin xyz="0 0 1"/><axis xyz="0 0 1"/>{}</joint>'
)
HELD = '<joint name="k" type="revolute"><parent link="b"/><child link="c"/><axis xyz="0 0 1"/>{}</joint>'


def written(folder: Path, text: str, name: str = "robot.urdf") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def robot_of(more: str = "", limit: str = "", head: str = '<robot name="r">') -> str:
    return f"{head}{LINKS}{JOINT.format('revolute', limit)}{HELD.format('')}{more}</robot>"


@pytest.mark.parametrize(
    "text",
    [
        robot_of(limit='<limit lower="-1" upper="1" drake:acceleration="3"/>'),
        robot_of('<drake:collision_filter_group name="g"><drake:member link="a"/></drake:collision_filter_group>'),
        robot_of('<gazebo reference="a"><sensor:camera name="c"/></gazebo>'),
        robot_of(head='<robot name="r" xmlns="http://www.ros.org">'),
        robot_of(head='<robot name="r" xmlns:xacro="http://www.ros.org/wiki/xacro">'),
        robot_of(head="<robot>"),
        " \n" + '<?xml version="1.0"?>' + robot_of(),
    ],
    ids=["attribute", "element", "gazebo", "default", "expanded", "no-name", "blank"],
)
def test_what_viewers_read_is_read(tmp_path: Path, text: str) -> None:
    robot = load_robot(written(tmp_path, text))
    assert robot.needed == ("j", "k") and len(robot.links) == 3
    assert robot.forward({"j": 0.0, "k": 0.0})[2][:3, 3] == pytest.approx([0, 0, 1])


def test_xacro_in_a_file_that_is_called_urdf_is_expanded(tmp_path: Path) -> None:
    pytest.importorskip("xacrodoc", reason="xacrodoc (diffdope[robot]) is not installed")
    head = '<robot name="r" xmlns:xacro="http://www.ros.org/wiki/xacro"><xacro:property name="w" value="0.3"/>'
    text = robot_of(head=head).replace('size="0.2 ', 'size="${2 * w} ')
    assert np.ptp(load_robot(written(tmp_path, text)).links[0].vertices_m, axis=0) == pytest.approx([0.6, 0.1, 0.1])
    with pytest.raises(DiffDopeError, match="urdf: cannot expand .*robot.urdf: .*arm.xacro"):
        load_robot(written(tmp_path, f'{head}<xacro:include filename="arm.xacro"/></robot>'))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('<mujoco model="m"><worldbody/></mujoco>', r"got an MJCF of MuJoCo \(<mujoco>\); give the robot's URDF"),
        ('<sdf version="1.6"><model name="m"/></sdf>', r"got an SDF of Gazebo \(<sdf>\)"),
        ("<!DOCTYPE html><html><body>404</body></html>", r"got a web page \(<html>\)"),
        ("<model/>", r"got XML of another kind \(<model>\)"),
        ('<robot name="r"><group name="arm"/></robot>', "got none; an SRDF names groups of a robot: give its URDF"),
        ('<robot name="r"/>', "expected a robot with links in .*, got none$"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "got a pointer of Git LFS; git lfs pull"),
        ('{"joint_names": ["j"]}', r"got a file of another kind \(no XML\); give the robot's URDF"),
        ("solid link1" + 99 * " " + 99 * "<", r"got a file of another kind \(no XML\)"),
        ("", "urdf: cannot read .*: Document is empty"),
        (robot_of("<link/>"), "expected a name for each link"),
        (robot_of('<link name="d"/>'), "expected one root, got a, d; a fixed joint holds what stands beside"),
    ],
)
def test_other_files_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DiffDopeError, match=said):
        load_robot(written(tmp_path, text))


def test_a_joint_that_follows_a_fixed_one_stands_where_its_offset_has_it(tmp_path: Path) -> None:
    """Hands with fingers of which some are held: the leader's value is 0."""
    follows = HELD.format('<mimic joint="j" multiplier="2" offset="0.5"/>')
    robot = load_robot(written(tmp_path, f'<robot name="r">{LINKS}{JOINT.format("fixed", "")}{follows}</robot>'))
    assert robot.moving == ()
    T = robot.forward({})[2]
    assert np.arctan2(T[1, 0], T[0, 0]) == pytest.approx(0.5)
