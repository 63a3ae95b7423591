"""`diffdope calibrate`: where a camera stands, from pictures of a robot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffdope.calibration.calibrate import calibrate
from diffdope.calibration.shots import Shot
from diffdope.checked_fields import check_fields
from diffdope.cli.calibration_flags import CalibrationFlags, observed
from diffdope.cli.help_text import parsed
from diffdope.cli.progress import Activity
from diffdope.cli.robot_flags import pairs_of
from diffdope.errors import expected
from diffdope.io.camera_info import optical_frame_of
from diffdope.io.files import check_folder, results_folder
from diffdope.io.transforms import read_camera_pose
from diffdope.scene.robot import Robot
from diffdope.scene.urdf import load_robot


@dataclass(frozen=True, kw_only=True)
class CalibrateArguments(CalibrationFlags):
    """Finds where a camera stands, from pictures of a robot arm and its joints; on its hand: --eye-in-hand --help.

    The result is T_camera_base, the pose of the robot's base in the camera: p_camera = T_camera_base p_base, in the
    OpenCV optical frame (x right, y down, z forward). Lengths in metres. Of a camera on the robot's hand, --eye-in-hand
    takes other flags (diffdope calibrate --eye-in-hand --help).

    Example: diffdope calibrate --urdf arm.urdf --joints joints.json --camera camera_info.yaml --mask mask --depth depth
    --out calibration
    """

    urdf: Path
    """Robot description, .urdf or .xacro (needs diffdope[robot])."""
    joints: Path
    """Joint values of each picture: JSON, YAML, CSV or npz, or a recording of ROS; radians. See docs/calibration.md."""
    rgb: Path | None = None
    """Folder of photographs: shown under the overlays; colours are not compared."""
    mask: Path | None = None
    """Folder of masks of the robot, with the same names; white where it is seen."""
    init: Path | None = None
    """Rough start: JSON with a 4 x 4 matrix T_camera_base, T_base_camera, or R_cam2base and t_cam2base of
    cv2.calibrateHandEye. Without it the robot is looked for everywhere."""
    joint_offsets: bool = False
    """Estimate a constant offset of each joint, too."""
    surface: Literal["visual", "collision"] = "visual"
    """Which geometry of the links is drawn."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 0 if the camera was found."""
    if "--eye-in-hand" in arguments or "--eye_in_hand" in arguments:
        from diffdope.cli import eye_in_hand_command

        return eye_in_hand_command.run([one for one in arguments if one not in ("--eye-in-hand", "--eye_in_hand")])
    if any(one.split("=")[0] in ("--mesh", "--flange", "--target") for one in arguments):
        raise expected("calibrate", "--urdf and --joints", "flags of a camera on the hand", "give --eye-in-hand too")
    given: CalibrateArguments = parsed(CalibrateArguments, arguments, "diffdope calibrate")
    check_fields(given, {"mask_id": 0, "seed": 0, "threads": 1, "suggestions": 0})
    given.check_used()
    check_folder(given.out)
    with Activity("reading the robot and the pictures"):
        robot = load_robot(
            given.urdf, base=given.base_link, surface=given.surface, packages=pairs_of("package", given.package)
        )
        start = None if given.init is None else read_camera_pose(given.init)
        shots = read_shots(given, robot)
    return calibrate_and_write(given, robot, shots, start)


def read_shots(given: CalibrateArguments, robot: Robot) -> list[Shot]:
    """All pictures with their joints."""
    if given.mask is None and given.depth is None:
        got = ", ".join(given.folders()) or "none"
        raise expected("images", "--mask, --depth or both", got, "colours are not compared")
    pictures = given.pictures()
    told = given.joints_of(given.joints, pictures.names, robot)
    for joints in told:
        robot.checked(joints, str(given.joints))
    found = observed(given, pictures, told, photographs=False, shows="robot")
    return [Shot(observation, joints, name) for observation, joints, name in found]


def calibrate_and_write(given: CalibrateArguments, robot: Robot, shots: list[Shot], start: Any) -> int:
    """Calibrates, writes all files at once, prints the summary."""
    from rich.console import Console

    from diffdope.calibration.calibrate import CalibrationSettings
    from diffdope.cli.calibrate_report import print_calibration, write_calibration

    console = Console()
    settings = CalibrationSettings(suggestions=given.suggestions)
    with Activity("preparing") as activity:
        result = calibrate(
            robot, shots, start=start, joint_offsets=given.joint_offsets, settings=settings, seed=given.seed,
            threads=given.threads, progress=activity.say,
        )  # fmt: skip
        frame = given.camera_frame or optical_frame_of(given.camera)
        activity.say("drawing")
        with results_folder(given.out, "calibration") as folder:
            write_calibration(folder, robot, shots, result, frame, given.inputs("joint_offsets", "surface", "seed"))
    print_calibration(result, robot, frame, given.out, console)
    return 0 if result.ok else 1
