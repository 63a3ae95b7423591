"""One picture of a camera on the hand, and where the flange was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from diffdope.calibration.eye_in_hand.chain import FlangeScrews
from diffdope.calibration.shots import check_calibrated
from diffdope.errors import check_type, expected
from diffdope.geometry.pose import Pose, as_pose
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot

_ARM_M = 0.5  # a flange pose errs as if a joint so far away erred


@dataclass(frozen=True, eq=False)
class HandShot:
    """One picture of a camera on the hand.

    Attributes:
        observation: images of the calibrated camera; a mask, if there is one, shows the object.
        joints: radians by name, metres of joints that slide; names that the robot does not have are passed over. None
            if the flange's pose is given.
        T_base_flange: pose of the flange in the base, p_base = T p_flange; a matrix (4, 4), metres, becomes one. None
            if joints are given.
        name: what messages call the picture; its number if empty.

    Raises:
        DiffDopeError: if an argument is of another type, the camera's focal length is not known exactly, or not exactly
            one of joints and pose is given.
    """

    observation: Observation
    joints: Mapping[str, float] | None = None
    T_base_flange: Pose | None = None
    name: str = ""

    def __post_init__(self) -> None:
        check_type("observation", self.observation, Observation)
        check_calibrated(self.observation)
        if (self.joints is None) == (self.T_base_flange is None):
            got = "neither" if self.joints is None else "both"
            raise expected("HandShot", "either joints or T_base_flange", got)
        if self.joints is not None:
            check_type("joints", self.joints, Mapping)
        else:
            object.__setattr__(self, "T_base_flange", as_pose("T_base_flange", self.T_base_flange))


@dataclass(frozen=True, eq=False)
class PlacedShot:
    """A shot with its flange: T_base_flange, and how the flange moves if what was told of it errs."""

    name: str
    observation: Observation
    T_base_flange: Pose
    screws: FlangeScrews


def placed_shots(shots: Sequence[HandShot], robot: Robot | None, flange: str | None) -> list[PlacedShot]:
    """The shots with their flanges.

    Args:
        shots: as given.
        robot: where joints are given.
        flange: the robot's link that holds the camera; None for its last one.

    Raises:
        DiffDopeError: if there is none, a name is used twice, there is no robot or no such link, the last link is not
            clear, or values of joints are missing.
    """
    if isinstance(shots, HandShot):
        raise expected("shots", "several, each a HandShot", "a HandShot", "put it into a list")
    for number, shot in enumerate(shots):
        check_type(f"shots[{number}]", shot, HandShot)
    if not shots:
        raise expected("shots", "at least one picture", "none")
    names = [shot.name or f"picture {number}" for number, shot in enumerate(shots)]
    if len(set(names)) != len(names):
        raise expected("shots", "each name once", ", ".join(names))
    link = None if robot is None else flange_of(robot, flange)
    placed = []
    for name, shot in zip(names, shots, strict=True):
        if shot.T_base_flange is not None:
            pose = shot.T_base_flange
            placed.append(PlacedShot(name, shot.observation, pose, of_a_pose(pose)))
        elif robot is None or link is None:
            raise expected("robot", f"a Robot, for {name} has joints", "None", "load_robot reads a URDF")
        else:
            placed.append(_by_joints(robot, link, shot, name))
    return placed


def flange_of(robot: Robot, flange: str | None) -> int:
    """Number of the link that holds the camera.

    Raises:
        DiffDopeError: if there is no such link, or none is given and several are last.
    """
    names = [link.name for link in robot.links]
    if flange is not None:
        if flange not in names:
            raise expected("flange", f"a link of {robot.name}: {', '.join(names)}", flange)
        return names.index(flange)
    parents = {joint.parent for joint in robot.joints}
    last = [name for name in names if name not in parents]
    if len(last) != 1:
        raise expected("flange", "the name of the link that holds the camera", f"none, and {', '.join(last)} are last")
    return names.index(last[0])


def _by_joints(robot: Robot, link: int, shot: HandShot, name: str) -> PlacedShot:
    given = shot.joints or {}
    # Joints that do not carry the flange, of a gripper for example, need no values.
    rest = robot.screws({joint.name: 0.0 for joint in robot.moving})
    carries = np.abs(rest.axis[:, link]).max(axis=1) + np.abs(rest.shift[:, link]).max(axis=1) > 0.0
    needed = [joint.name for joint, one in zip(robot.moving, carries, strict=True) if one]
    idle = {joint.name: 0.0 for joint in robot.moving if joint.name not in needed}
    values = robot.checked({**idle, **given}, f"joints of {name}")
    missing = [one for one in needed if one not in given]
    if missing:
        cure = "give a value for each joint between base and flange"
        raise expected(f"joints of {name}", f"values of {', '.join(needed)}", f"none for {', '.join(missing)}", cure)
    screws = robot.screws(values)
    rows = np.flatnonzero(carries)
    own = FlangeScrews(screws.axis[rows, link], screws.shift[rows, link])
    return PlacedShot(name, shot.observation, Pose.from_matrix(robot.forward(values)[link]), own)


def of_a_pose(pose: Pose) -> FlangeScrews:
    """Six errors of a flange whose pose was told: turns about its origin, and shifts."""
    turns = np.vstack([np.eye(3), np.zeros((3, 3))])
    shifts = np.vstack([-np.cross(np.eye(3), pose.t_m2c), _ARM_M * np.eye(3)])
    return FlangeScrews(turns, shifts)
