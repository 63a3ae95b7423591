"""Robots with joints that slide: their zeros are lengths."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.calibration.calibrate import CalibrationSettings, calibrate
from diffdope.errors import DiffDopeError
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.geometry import solids
from diffdope.scene.kinematic_tree import Joint, Link
from diffdope.scene.robot import Robot

QUIET = CalibrationSettings(suggestions=0)


def on_a_rail() -> Robot:
    """The drawn arm on a carriage."""
    arm, beam = drawn_arm(), solids.joined([solids.box((1.0, 0.08, 0.05))])
    rail = Joint("carriage", "prismatic", "beam", "link0", np.eye(4), np.array([1.0, 0.0, 0.0]), -0.4, 0.4)
    return Robot([Link("beam", *beam), *arm.links], [rail, *arm.joints])


def test_the_zero_of_a_rail_is_told_in_millimetres() -> None:
    """It was told as degrees: 12 mm as 0.69."""
    robot, rng = on_a_rail(), np.random.default_rng(8)
    pose = looking_at(rng, distance_m=(1.6, 1.7))
    shots = []
    for k in range(6):
        values = random_joints(robot, rng)
        told = {**values, "carriage": values["carriage"] - 0.012}
        shots.append(drawn_shot(robot, pose, values, name=str(k), images=("mask", "depth"), told=told))
    plain = calibrate(robot, shots, settings=QUIET)
    (note,) = [one for one in plain.notes if one.startswith("the zero of")]
    assert note.startswith("the zero of carriage by ") and " mm: with that added" in note and "degrees:" not in note
    assert float(note.split(" by ")[1].split()[0]) == pytest.approx(12.0, abs=0.5)
    asked = calibrate(robot, shots, joint_offsets=True, settings=QUIET)
    assert set(asked.joint_offsets_mm) == {"carriage"} and "carriage" not in asked.joint_offsets_deg
    assert asked.joint_offsets_mm["carriage"].value == pytest.approx(12.0, abs=0.5)
    assert asked.joint_offsets["carriage"] == pytest.approx(0.012, abs=5e-4)
    assert set(asked.joint_offsets) == set(robot.needed)
    assert asked.T_camera_base.distance_to(pose) < 1e-3


def test_millimetres_of_a_joint_that_slides_are_refused_by_its_limits() -> None:
    robot = on_a_rail()
    values = dict.fromkeys(robot.needed, 0.0)
    assert robot.checked({**values, "carriage": 0.45})["carriage"] == 0.45  # a little beyond: limits are cautious
    with pytest.raises(
        DiffDopeError, match=r"joints, carriage: expected metres, for it slides \(-0.4 to 0.4\), got 25"
    ):
        robot.checked({**values, "carriage": 25.0})
    free = Robot(robot.links, [Joint("carriage", "prismatic", "beam", "link0", np.eye(4), np.eye(3)[0]),
                               *robot.joints[1:]])  # fmt: skip
    assert free.checked({**values, "carriage": 25.0})["carriage"] == 25.0
