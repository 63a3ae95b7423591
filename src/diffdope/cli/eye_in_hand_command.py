"""`diffdope calibrate --eye-in-hand`: where a camera is on a robot's hand, from pictures of a still object."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from diffdope.calibration.eye_in_hand.calibrate import EyeInHandSettings, calibrate_eye_in_hand
from diffdope.calibration.eye_in_hand.shots import HandShot
from diffdope.checked_fields import check_fields
from diffdope.cli.calibrate_command import number_of, pairs_of, showing_something
from diffdope.cli.help_text import parsed
from diffdope.cli.progress import COMPILES, Activity
from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.camera_info import optical_frame_of
from diffdope.io.cameras import depth_scale_m, load_camera_of_image
from diffdope.io.files import check_folder, results_folder
from diffdope.io.flange_poses import read_flange_poses, read_named_pose
from diffdope.io.frames import ImageFolders
from diffdope.io.joints import read_joints
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_io import unit_of
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot
from diffdope.scene.urdf import load_robot

_OF_THE_RUN = frozenset({"out", "threads", "suggestions", "camera_frame"})


@dataclass(frozen=True)
class Arguments:
    """Finds where a camera is on a robot's hand, from pictures of a known object that stands still. Lengths in metres.

    The result is T_flange_camera, p_flange = T_flange_camera p_camera, in the OpenCV optical frame (x right, y down, z
    forward), and T_base_object. Three pictures at least, five or more are better; turn the hand about two axes.
    """

    mesh: Path
    """The object: PLY, OBJ, STL, GLB, glTF, COLLADA (.dae), 3MF, or STEP (needs diffdope[cad])."""
    camera: Path
    """Camera file, see docs/files.md. Lens distortion in it is removed from the images."""
    out: Path
    """Folder for result.json, overlays, and files for ROS, MoveIt, easy_handeye and OpenCV."""
    urdf: Path | None = None
    """Robot description, .urdf or .xacro (needs diffdope[robot]); with --joints."""
    joints: Path | None = None
    """Joint values of each picture: JSON, CSV or npz; radians."""
    flange_poses: Path | None = None
    """In place of --urdf and --joints: JSON with a 4 x 4 matrix T_base_flange of each picture, metres."""
    flange_link: str | None = None
    """Link that holds the camera; default: the last one of the description."""
    rgb: Path | None = None
    """Folder of photographs: compared with the mesh's colours, if it has any."""
    mask: Path | None = None
    """Folder of masks of the object, with the same names."""
    depth: Path | None = None
    """Folder of depth images with the same names, 0 = missing."""
    init: Path | None = None
    """Rough start: JSON with a 4 x 4 matrix T_flange_camera, or an object with T_flange_camera or T_camera_flange."""
    target: Path | None = None
    """Where the object is, if that is known: JSON with T_base_object, metres, in the mesh's frame."""
    target_sigma: tuple[float, float] = (0.0, 0.0)
    """How far off that is: standard deviations, millimetres and degrees; 0 0 holds it."""
    unit: Literal["m", "mm", "cm", "inch"] | None = None
    """Unit of the mesh file. Default: mm of PLY, OBJ and STL, which do not say."""
    base_link: str | None = None
    """Link whose frame is the base; default: the root of the description."""
    camera_frame: str | None = None
    """Name of the camera's optical frame; default: what the camera file says, or camera_optical_frame."""
    package: tuple[str, ...] = ()
    """NAME=FOLDER of ROS packages that the description's meshes lie in."""
    fix: tuple[str, ...] = ()
    """NAME=VALUE of joints that the file of joints does not have, radians."""
    joint_unit: Literal["rad", "deg"] | None = None
    """Unit of the file of joints; default: what it says, or radians."""
    mask_id: int | None = None
    """Which label of masks that show several objects."""
    mask_inverted: Literal["yes", "no"] | None = None
    """yes: masks are black on the object; no: they are not, though they look so."""
    depth_scale: float | None = None
    """Millimetres per unit of the depth images; default: the camera file's, 1 beside a camera_info.yaml."""
    suggestions: int = 3
    """How many configurations of the robot to suggest for further pictures."""
    seed: int = 0
    """Same seed, same result."""
    threads: int | None = None
    """Default: all cores."""


def run(arguments: list[str]) -> int:
    """Runs the command and returns the exit code: 0 if the camera's place was found."""
    given: Arguments = parsed(Arguments, arguments, "diffdope calibrate --eye-in-hand")
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
        shots = read_hand_shots(given)
    return _calibrate_and_write(given, mesh, robot, shots, start, target)


def _check(given: Arguments) -> None:
    by_joints = given.urdf is not None and given.joints is not None
    if by_joints == (given.flange_poses is not None) or (given.urdf is None) != (given.joints is None):
        names = ("urdf", "joints", "flange_poses")
        got = ", ".join(f"--{name.replace('_', '-')}" for name in names if getattr(given, name) is not None) or "none"
        raise expected("flange", "--urdf and --joints, or --flange-poses", got)
    if given.mask is None and given.depth is None and given.rgb is None:
        raise expected("images", "--mask, --depth or both", "none")


def read_hand_shots(given: Arguments) -> list[HandShot]:
    """All pictures with joints or flange poses."""
    folders = {name: folder for name in ("mask", "depth", "rgb") if (folder := getattr(given, name)) is not None}
    inverted = None if given.mask_inverted is None else given.mask_inverted == "yes"
    pictures = ImageFolders(folders, mask_label=given.mask_id, mask_inverted=inverted)
    fixed = {name: number_of("fix", name, text) for name, text in pairs_of("fix", given.fix).items()}
    told: list[Any]
    if given.joints is not None:
        told = [{**one, **fixed} for one in read_joints(given.joints, unit=given.joint_unit).of(pictures.names)]
    else:
        assert given.flange_poses is not None
        told = list(read_flange_poses(given.flange_poses, pictures.names))
    shots: list[HandShot] = []
    camera: Camera | None = None
    scale: float | None = None
    for frame, flange in zip(pictures.read(), told, strict=True):
        if camera is None:
            camera, file_mm = load_camera_of_image(given.camera, frame.size)
            scale = depth_scale_m(given.depth_scale, file_mm, given.camera, depth=frame.depth)
        images = showing_something(frame) or ({} if frame.mask is None and frame.depth is None else None)
        if images is None:
            print(f"note: {frame.name}: its mask or depth is empty, so it is left out")
            continue
        observation = Observation(camera, rgb=frame.rgb, **images, depth_scale=scale if "depth" in images else None)
        where = {"T_base_flange": flange} if isinstance(flange, Pose) else {"joints": flange}
        shots.append(HandShot(observation, name=frame.name, **where))
    if not shots:
        raise expected("images", "pictures that show the object", "empty masks or depth only")
    return shots


def _calibrate_and_write(
    given: Arguments, mesh: Mesh, robot: Robot | None, shots: list[HandShot], start: Pose | None, target: Pose | None
) -> int:
    from rich.console import Console

    from diffdope.cli.eye_in_hand_report import print_hand, write_hand

    millimetres, degrees = given.target_sigma
    with Activity(f"preparing{COMPILES}") as activity:
        result = calibrate_eye_in_hand(
            mesh, shots, robot=robot, flange=given.flange_link, start=start, target=target,
            target_sigma=(1e-3 * millimetres, degrees), settings=EyeInHandSettings(suggestions=given.suggestions),
            seed=given.seed, threads=given.threads, progress=activity.say,
        )  # fmt: skip
        frame = given.camera_frame or optical_frame_of(given.camera)
        activity.say("drawing")
        with results_folder(given.out) as folder:
            write_hand(folder, mesh, robot, given.flange_link, shots, result, frame, _inputs_of(given))
    print_hand(result, frame, given.out, Console())
    return 0 if result.ok else 1


def _inputs_of(given: Arguments) -> dict[str, Any]:
    kept: dict[str, Any] = {"seed": given.seed}
    for field in fields(given):
        value = getattr(given, field.name)
        if field.name not in _OF_THE_RUN and value != field.default:
            kept[field.name] = str(value) if isinstance(value, Path) else value
    return kept
