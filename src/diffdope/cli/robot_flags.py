"""Flags of what shows a robot: its description, and the values of its joints in each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from diffdope.errors import expected
from diffdope.io.joints import read_joints
from diffdope.scene.robot import Robot

_RECORDINGS = (".bag", ".mcap", ".db3")


@dataclass(frozen=True, kw_only=True)
class RobotFlags:
    """How a description and a file of joints are read; a command's arguments are a subclass."""

    base_link: str | None = None
    """Link whose frame is the base; default: the root of the description."""
    package: tuple[str, ...] = ()
    """NAME=FOLDER of ROS packages that the description's meshes lie in."""
    fix: tuple[str, ...] = ()
    """NAME=VALUE of joints that the file of joints does not have, radians (metres if they slide): a gripper's, say."""
    joint_unit: Literal["rad", "deg"] | None = None
    """Unit of the joints in their file that turn; default: what it says, or radians. Those that slide: metres."""

    def joints_of(self, path: Path, pictures: Sequence[str], robot: Robot | None = None) -> list[dict[str, float]]:
        """The values by joint of each picture, of a file or a recording of ROS, and those of --fix.

        Args:
            path: the file, or the recording.
            pictures: their names.
            robot: tells which joints slide; None where nothing does.

        Raises:
            DiffDopeError: if it cannot be read, or a picture has none.
        """
        if path.is_dir() or path.suffix.lower() in _RECORDINGS:
            from diffdope.ros.joint_states import read_joint_states

            if self.joint_unit == "deg":
                raise expected("joint-unit", "rad, as recordings of ROS have it", "deg", "leave --joint-unit out")
            table = read_joint_states(path)
        else:
            sliding, needed = ((), ()) if robot is None else (robot.sliding, robot.needed)
            names = [name for name in needed if name not in self.fixed]
            limited = () if robot is None else [one.name for one in robot.moving if one.kind == "revolute"]
            table = read_joints(path, unit=self.joint_unit, sliding=sliding, names=names, limited=limited)
            if not table.told:
                print(f"note: {path} does not name its columns: they were taken for {', '.join(names)}")
        return [{**one, **self.fixed} for one in table.of(pictures)]

    @property
    def fixed(self) -> dict[str, float]:
        """Joint values of `fix`, by name."""
        return {name: _number(name, text) for name, text in pairs_of("fix", self.fix).items()}


def pairs_of(flag: str, given: tuple[str, ...]) -> dict[str, str]:
    """What NAME=VALUE of a flag says, by name."""
    pairs = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name or not value:
            raise expected(f"--{flag}", "NAME=VALUE", one)
        pairs[name] = value
    return pairs


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise expected(f"--fix {name}", "a number", text) from error
