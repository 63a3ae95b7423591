"""`diffdope calibrate`: where a camera stands, from pictures of a robot."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from diffdope.calibration.calibrate import calibrate
from diffdope.calibration.shots import Shot
from diffdope.checked_fields import check_fields
from diffdope.cli.help_text import parsed
from diffdope.cli.progress import COMPILES, Activity
from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.io.camera_info import optical_frame_of
from diffdope.io.cameras import depth_scale_m, load_camera_of_image
from diffdope.io.files import check_folder, results_folder
from diffdope.io.frames import Frame, ImageFolders
from diffdope.io.joints import read_joints
from diffdope.io.transforms import read_camera_pose
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot
from diffdope.scene.urdf import load_robot

_OF_THE_RUN = frozenset({"out", "threads", "suggestions", "camera_frame"})  # not of how the pictures are read


@dataclass(frozen=True)
class Arguments:
    """Finds where a camera stands, from pictures of a robot arm and its joints; on its hand: --eye-in-hand --help.

    The result is T_camera_base, the pose of the robot's base in the camera: p_camera = T_camera_base p_base, in the
    OpenCV optical frame (x right, y down, z forward). Lengths in metres. Of a camera on the robot's hand, --eye-in-hand
    takes other flags (diffdope calibrate --eye-in-hand --help).
    """

    urdf: Path
    """Robot description, .urdf or .xacro (needs diffdope[robot])."""
    joints: Path
    """Joint values of each picture: JSON, CSV or npz; radians. See docs/calibration.md."""
    camera: Path
    """Camera file: ROS camera_info, BOP, OpenCV, COLMAP, Kalibr, RealSense, or 3 x 3 numbers; see docs/files.md. Lens
    distortion in it is removed from the images."""
    out: Path
    """Folder for result.json, overlays, and files for ROS, MoveIt, easy_handeye and OpenCV."""
    rgb: Path | None = None
    """Folder of photographs: shown under the overlays; colours are not compared."""
    mask: Path | None = None
    """Folder of masks of the robot, with the same names; white where it is seen."""
    depth: Path | None = None
    """Folder of depth images with the same names, 0 = missing."""
    init: Path | None = None
    """Rough start: JSON with a 4 x 4 matrix T_camera_base, T_base_camera, or R_cam2base and t_cam2base of
    cv2.calibrateHandEye. Without it the robot is looked for everywhere."""
    joint_offsets: bool = False
    """Estimate a constant offset of each joint, too."""
    base_link: str | None = None
    """Link whose frame is the base; default: the root of the description."""
    camera_frame: str | None = None
    """Name of the camera's optical frame; default: what the camera file says, or camera_optical_frame."""
    surface: Literal["visual", "collision"] = "visual"
    """Which geometry of the links is drawn."""
    package: tuple[str, ...] = ()
    """NAME=FOLDER of ROS packages that the description's meshes lie in."""
    fix: tuple[str, ...] = ()
    """NAME=VALUE of joints that the file of joints does not have, radians: a gripper's, say."""
    joint_unit: Literal["rad", "deg"] | None = None
    """Unit of the file of joints; default: what it says, or radians."""
    mask_id: int | None = None
    """Which label of masks that show several objects."""
    mask_inverted: Literal["yes", "no"] | None = None
    """yes: masks are black on the robot; no: they are not, though they look so."""
    depth_scale: float | None = None
    """Millimetres per unit of the depth images; default: the camera file's, 1 beside a camera_info.yaml."""
    suggestions: int = 3
    """How many poses of the robot to suggest for further pictures."""
    seed: int = 0
    """Same seed, same result."""
    threads: int | None = None
    """Default: all cores."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 0 if the camera was found."""
    if "--eye-in-hand" in arguments or "--eye_in_hand" in arguments:
        from diffdope.cli import eye_in_hand_command

        return eye_in_hand_command.run([one for one in arguments if one not in ("--eye-in-hand", "--eye_in_hand")])
    if any(one.split("=")[0] in ("--mesh", "--flange", "--target") for one in arguments):
        raise expected("calibrate", "--urdf and --joints", "flags of a camera on the hand", "give --eye-in-hand too")
    given: Arguments = parsed(Arguments, arguments, "diffdope calibrate")
    check_fields(given, {"mask_id": 0, "seed": 0, "threads": 1, "suggestions": 0})
    check_folder(given.out)
    with Activity("reading the robot and the pictures"):
        robot = load_robot(
            given.urdf, base=given.base_link, surface=given.surface, packages=pairs_of("package", given.package)
        )
        start = None if given.init is None else read_camera_pose(given.init)
        shots = read_shots(given, robot)
    return calibrate_and_write(given, robot, shots, start)


def read_shots(given: Arguments, robot: Robot) -> list[Shot]:
    """All pictures with their joints."""
    folders = {name: folder for name in ("mask", "depth", "rgb") if (folder := getattr(given, name)) is not None}
    if "mask" not in folders and "depth" not in folders:
        raise expected("images", "--mask, --depth or both", ", ".join(folders) or "none", "colours are not compared")
    inverted = None if given.mask_inverted is None else given.mask_inverted == "yes"
    pictures = ImageFolders(folders, mask_label=given.mask_id, mask_inverted=inverted)
    values = read_joints(given.joints, unit=given.joint_unit).of(pictures.names)
    fixed = {name: number_of("fix", name, text) for name, text in pairs_of("fix", given.fix).items()}
    shots: list[Shot] = []
    camera: Camera | None = None
    scale: float | None = None
    for frame, joints in zip(pictures.read(), values, strict=True):
        if camera is None:
            camera, file_mm = load_camera_of_image(given.camera, frame.size)
            scale = depth_scale_m(given.depth_scale, file_mm, given.camera, depth=frame.depth)
        robot.checked({**joints, **fixed}, str(given.joints))
        images = showing_something(frame)
        if images is None:
            print(f"note: {frame.name}: its mask or depth is empty, so it is left out")
            continue
        observation = Observation(camera, rgb=frame.rgb, **images, depth_scale=scale if "depth" in images else None)
        shots.append(Shot(observation, {**joints, **fixed}, frame.name))
    if not shots:
        raise expected("images", "pictures that show the robot", "empty masks or depth only")
    return shots


def showing_something(frame: Frame) -> dict[str, NDArray[Any]] | None:
    """Mask and depth of a picture that are not empty; None if its mask is, or nothing is left."""
    if frame.mask is not None and not frame.mask.any():
        return None
    given = {"mask": frame.mask, "depth": frame.depth}
    return {name: image for name, image in given.items() if image is not None and image.any()} or None


def calibrate_and_write(given: Arguments, robot: Robot, shots: list[Shot], start: Any) -> int:
    """Calibrates, writes all files at once, prints the summary."""
    from rich.console import Console

    from diffdope.calibration.calibrate import CalibrationSettings
    from diffdope.cli.calibrate_report import print_calibration, write_calibration

    console = Console()
    settings = CalibrationSettings(suggestions=given.suggestions)
    with Activity(f"preparing{COMPILES}") as activity:
        result = calibrate(
            robot, shots, start=start, joint_offsets=given.joint_offsets, settings=settings, seed=given.seed,
            threads=given.threads, progress=activity.say,
        )  # fmt: skip
        frame = given.camera_frame or optical_frame_of(given.camera)
        activity.say("drawing")
        with results_folder(given.out) as folder:
            write_calibration(folder, robot, shots, result, frame, inputs_of(given))
    print_calibration(result, frame, given.out, console)
    return 0 if result.ok else 1


def inputs_of(given: Arguments) -> dict[str, Any]:
    """What stands beside the result: files, and whatever else was said of how they are read."""
    always = {"joint_offsets", "surface", "seed"}
    kept = {}
    for field in fields(given):
        value = getattr(given, field.name)
        if field.name in always or (field.name not in _OF_THE_RUN and value != field.default):
            kept[field.name] = str(value) if isinstance(value, Path) else value
    return kept


def pairs_of(flag: str, given: tuple[str, ...]) -> dict[str, str]:
    """What NAME=VALUE of a flag says, by name."""
    pairs = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name or not value:
            raise expected(f"--{flag}", "NAME=VALUE", one)
        pairs[name] = value
    return pairs


def number_of(flag: str, name: str, text: str) -> float:
    """The value that a flag gives to a name, as a number."""
    try:
        return float(text)
    except ValueError as error:
        raise expected(f"--{flag} {name}", "a number", text) from error
