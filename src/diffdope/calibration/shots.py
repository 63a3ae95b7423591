"""One picture of a robot, and the robot as it stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_type, expected
from diffdope.geometry.pose import Pose
from diffdope.render.buffers import Buffers
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Posed, Robot, Screws

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture with the values of the robot's joints.

    Attributes:
        observation: images of the calibrated camera; a mask, if there is one, shows the robot.
        joints: radians by name, metres of joints that slide; names that the robot does not have are passed over.
        name: what messages call the picture; its number if empty.

    Raises:
        DiffDopeError: if an argument is of another type, or the camera's focal length is not known exactly.
    """

    observation: Observation
    joints: Mapping[str, float]
    name: str = ""

    def __post_init__(self) -> None:
        check_type("observation", self.observation, Observation)
        check_calibrated(self.observation)
        check_type("joints", self.joints, Mapping)


def check_calibrated(observation: Observation) -> None:
    """Refuses a camera whose focal length is known to some percent: as much would its place be off.

    Raises:
        DiffDopeError: if so.
    """
    off = observation.camera.focal_deviation
    if off > 0.0:
        cure = "calibrate its intrinsics first (OpenCV, ROS's camera_calibration): its place is off by as much"
        raise expected("observation.camera", "a calibrated camera", f"a focal_deviation of {off:g}", cure)


@dataclass(frozen=True, eq=False)
class ArmShot:
    """A shot with the robot as it stands: rigid, in the base frame.

    Attributes:
        shot: the picture.
        values: of all moving joints.
        posed: the surface.
        buffers: of that.
        screws: how links move with the joints that are looked at, (J, L, 3).
    """

    shot: Shot
    values: Mapping[str, float]
    posed: Posed
    buffers: Buffers
    screws: Screws

    @property
    def name(self) -> str:
        """Of the shot."""
        return self.shot.name


def arm_shots(robot: Robot, shots: Sequence[Shot], offsets: Mapping[str, float] | None = None) -> list[ArmShot]:
    """The robot in each shot.

    Args:
        robot: with as many triangles as are to be drawn.
        shots: checked ones.
        offsets: added to the joints' values.
    """
    made, rows, buffers = [], joint_rows(robot), Buffers(robot.apart, threads=1)
    for shot in shots:
        values = robot.checked(shot.joints, f"joints of {shot.name}")
        for name, value in (offsets or {}).items():
            values[name] += value
        posed, screws = robot.posed(values), robot.screws(values)
        kept = Screws(screws.axis[rows], screws.shift[rows])
        made.append(ArmShot(shot, values, posed, buffers.bent(posed.mesh), kept))
    return made


def joint_rows(robot: Robot) -> list[int]:
    """Numbers, among the moving joints, of those that move something with a surface."""
    names = [joint.name for joint in robot.moving]
    return [names.index(name) for name in robot.needed]


def checked_shots(shots: Sequence[Shot]) -> list[Shot]:
    """The shots, each with a name.

    Raises:
        DiffDopeError: if there is none, one is something else, or a name is used twice.
    """
    if isinstance(shots, Shot):
        raise expected("shots", "several, each a Shot", "a Shot", "put it into a list")
    named = []
    for number, shot in enumerate(shots):
        check_type(f"shots[{number}]", shot, Shot)
        named.append(Shot(shot.observation, shot.joints, shot.name or f"picture {number}"))
    if not named:
        raise expected("shots", "at least one picture", "none")
    names = [shot.name for shot in named]
    if len(set(names)) != len(names):
        raise expected("shots", "each name once", ", ".join(names))
    return named


def check_images(shots: Sequence[Shot], start: Pose | None) -> None:
    """Refuses pictures that have neither mask nor depth, and depth alone without a start.

    Raises:
        DiffDopeError: if so.
    """
    for shot in shots:
        if not {"mask", "depth"} & set(shot.observation.modalities):
            cure = "give masks of the robot, depth, or both; colours alone do not show where its outline is"
            raise expected(shot.name, "a mask or depth", ", ".join(shot.observation.modalities), cure)
    if start is None and all(shot.observation.mask_box is None for shot in shots):
        cure = "depth alone is fitted, not looked for: give --mask, or a rough pose of the base (start=, --init)"
        raise expected("shots", "masks, or a start pose", "neither", cure)


def turned_about(pose: Pose, centre_c: F64, step: F64) -> Pose:
    """The pose moved by (rho, phi) about a point (3,) of the camera's frame: X <- c + Exp(phi) (X - c) + rho."""
    from diffdope.geometry import so3

    turn = so3.exp(step[3:6])
    return Pose(turn @ pose.R_m2c, centre_c + turn @ (pose.t_m2c - centre_c) + step[:3])
