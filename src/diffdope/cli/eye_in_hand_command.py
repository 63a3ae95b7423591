"""`diffdope calibrate --eye-in-hand`: where a camera is on a robot's hand, from pictures of a still object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from diffdope.calibration.eye_in_hand.calibrate import EyeInHandSettings, calibrate_eye_in_hand
from diffdope.calibration.eye_in_hand.shots import HandShot
from diffdope.checked_fields import check_fields
from diffdope.cli.calibration_flags import CalibrationFlags, observed
from diffdope.cli.help_text import parsed
from diffdope.cli.input_flags import check_idle
from diffdope.cli.progress import Activity
from diffdope.cli.robot_flags import pairs_of
from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.camera_info import optical_frame_of
from diffdope.io.files import check_folder, results_folder
from diffdope.io.flange_poses import read_flange_poses, read_named_pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_io import Unit, unit_of
from diffdope.scene.robot import Robot
from diffdope.scene.urdf import load_robot


@dataclass(frozen=True, kw_only=True)
class EyeInHandArguments(CalibrationFlags):
    """Finds where a camera is on a robot's hand, from pictures of a known object that stands still. Lengths in metres.

    The result is T_flange_camera, p_flange = T_flange_camera p_camera, in the OpenCV optical frame (x right, y down, z
    forward), and T_base_object. Three pictures at least, five or more are better; turn the hand about two axes.

    Example: diffdope calibrate --eye-in-hand --urdf arm.urdf --joints joints.json --mesh cup.ply --camera
    camera_info.yaml --rgb rgb --mask mask --out calibration
    """

    mesh: Path
    """The object: PLY, OBJ, STL, GLB, glTF, COLLADA (.dae), 3MF, STEP (diffdope[cad]) or USD (diffdope[usd])."""
    urdf: Path | None = None
    """Robot description, .urdf or .xacro (needs diffdope[robot]); with --joints."""
    joints: Path | None = None
    """Joint values of each picture: JSON, YAML, CSV or npz, or a recording of ROS; radians."""
    flange_poses: Path | None = None
    """In place of --urdf and --joints: T_base_flange of each picture, 4 x 4 in JSON, TUM or CSV, metres."""
    flange_convention: Literal["ur", "kuka", "abb", "fanuc"] | None = None
    """Rows of --flange-poses are what the controller shows: ur: x y z rx ry rz (m, axis times angle in rad); kuka: X Y
    Z A B C; fanuc: X Y Z W P R (mm, degrees); abb: x y z q1 q2 q3 q4 (mm, w first)."""
    flange_unit: Literal["m", "mm"] | None = None
    """Unit of the positions of --flange-convention, where it is not the controller's own."""
    flange_link: str | None = None
    """Link that holds the camera; default: the last one of the description."""
    rgb: Path | None = None
    """Folder of photographs: compared with the mesh's colours, if it has any."""
    mask: Path | None = None
    """Folder of masks of the object, with the same names."""
    init: Path | None = None
    """Rough start: JSON with a 4 x 4 matrix T_flange_camera, or an object with T_flange_camera or T_camera_flange."""
    target: Path | None = None
    """Where the object is, if that is known: JSON with T_base_object, metres, in the mesh's frame."""
    target_sigma: tuple[float, float] = (0.0, 0.0)
    """How far off that is: standard deviations, millimetres and degrees; 0 0 holds it."""
    unit: Unit | None = None
    """Unit of the mesh file, or metres in one unit of it. Default: mm of PLY, OBJ and STL, which do not say."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 0 if the camera's place was found."""
    given: EyeInHandArguments = parsed(EyeInHandArguments, arguments, "diffdope calibrate --eye-in-hand")
    check_fields(given, {"mask_id": 0, "seed": 0, "threads": 1, "suggestions": 0})
    _check(given)
    check_folder(given.out)
    with Activity("reading the mesh, the robot and the pictures"):
        mesh = Mesh.load(given.mesh, unit=unit_of(given.mesh, given.unit))
        robot = None
        if given.urdf is not None:
            robot = load_robot(given.urdf, base=given.base_link, packages=pairs_of("package", given.package))
        start = None if given.init is None else read_named_pose(given.init, "T_flange_camera", "init")
        target = None if given.target is None else read_named_pose(given.target, "T_base_object", "target")
        shots = read_hand_shots(given, robot)
    return _calibrate_and_write(given, mesh, robot, shots, start, target)


def _check(given: EyeInHandArguments) -> None:
    by_joints = given.urdf is not None and given.joints is not None
    if by_joints == (given.flange_poses is not None) or (given.urdf is None) != (given.joints is None):
        names = ("urdf", "joints", "flange_poses")
        got = ", ".join(f"--{name.replace('_', '-')}" for name in names if getattr(given, name) is not None) or "none"
        raise expected("flange", "--urdf and --joints, or --flange-poses", got)
    of_poses = () if given.flange_poses is not None else ("flange_convention", "flange_unit")
    of_robots = () if given.urdf is not None else ("flange_link", "base_link", "package", "fix", "joint_unit")
    of_targets = () if given.target is not None else ("target_sigma",)
    check_idle(
        given,
        dict.fromkeys(of_poses, "--flange-poses") | dict.fromkeys(of_robots, "--urdf")
        | dict.fromkeys(of_targets, "--target"),
    )  # fmt: skip
    given.check_used()
    if given.mask is None and given.depth is None and given.rgb is None:
        raise expected("images", "--mask, --depth or both", "none")


def read_hand_shots(given: EyeInHandArguments, robot: Robot | None) -> list[HandShot]:
    """All pictures with joints or flange poses."""
    pictures = given.pictures()
    told: list[Pose] | list[dict[str, float]]
    if given.joints is not None:
        told = given.joints_of(given.joints, pictures.names, robot)
    else:
        assert given.flange_poses is not None
        told = list(
            read_flange_poses(
                given.flange_poses, pictures.names, convention=given.flange_convention, unit=given.flange_unit
            )
        )
    shots = []
    for observation, flange, name in observed(given, pictures, told, photographs=True, shows="object"):
        where: dict[str, Any] = {"T_base_flange": flange} if isinstance(flange, Pose) else {"joints": flange}
        shots.append(HandShot(observation, name=name, **where))
    return shots


def _calibrate_and_write(
    given: EyeInHandArguments,
    mesh: Mesh,
    robot: Robot | None,
    shots: list[HandShot],
    start: Pose | None,
    target: Pose | None,
) -> int:
    from rich.console import Console

    from diffdope.cli.eye_in_hand_report import print_hand, write_hand

    millimetres, degrees = given.target_sigma
    with Activity("preparing") as activity:
        result = calibrate_eye_in_hand(
            mesh, shots, robot=robot, flange=given.flange_link, start=start, target=target,
            target_sigma=(1e-3 * millimetres, degrees), settings=EyeInHandSettings(suggestions=given.suggestions),
            seed=given.seed, threads=given.threads, progress=activity.say,
        )  # fmt: skip
        frame = given.camera_frame or optical_frame_of(given.camera)
        activity.say("drawing")
        with results_folder(given.out, "calibration") as folder:
            write_hand(folder, mesh, robot, given.flange_link, shots, result, frame, given.inputs("seed"))
    print_hand(result, robot, frame, given.out, Console())
    return 0 if result.ok else 1
