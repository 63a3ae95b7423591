"""Options of `diffdope track`: of folders, and of recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from diffdope.cli.input_flags import InputFlags, StartFlags
from diffdope.cli.preset_flags import PresetFlags
from diffdope.cli.rerun_flag import RerunFlag
from diffdope.cli.robot_flags import RobotFlags
from diffdope.ros.bag_frames import TOLERANCE_S


@dataclass(frozen=True, kw_only=True)
class TrackArguments(PresetFlags, StartFlags, InputFlags, RobotFlags, RerunFlag):
    """Follows a known object through a film or a folder of images. Lengths in files are millimetres, as in BOP.

    Example: diffdope track --mesh cup.ply --unit mm --camera camera.json --rgb frames --depth depth --init start.json
    --out tracked
    """

    FURTHER: ClassVar = frozenset({"base_link", "package", "fix", "joint_unit", "mask_topic", "camera_size"})
    mesh: Path | None = None  # type: ignore[assignment]  # of a robot, the description names its meshes
    """PLY, OBJ, STL, GLB, glTF, COLLADA (.dae), 3MF, STEP (diffdope[cad]) or USD (diffdope[usd])."""
    urdf: Path | None = None
    """Robot description, .urdf or .xacro, in place of a mesh (needs diffdope[robot]): the pose is that of its base, or
    of --base-link; with --joints and folders of images."""
    joints: Path | None = None
    """Joint values of each frame: JSON, YAML, CSV, npz, or a recording of ROS; radians. See docs/calibration.md."""
    out: Path
    """Folder for poses.jsonl, poses.csv, scene_gt.json, trajectory.txt (TUM), track.png and track.mp4; if it holds an
    interrupted run, that goes on."""
    init: Path | None = None
    """Pose in the first frame, as for `refine`. Without it, the object is located in the first frame, which must have a
    mask or a box."""
    rgb: Path | None = None
    """Folder of photographs in the order of their numbers, or a film (needs diffdope[video])."""
    depth: Path | None = None
    """Folder of depth images with the same names; integers times the depth scale are millimetres, 0 = missing."""
    mask: Path | None = None
    """Folder of images with the same names that are white where the object is visible; grey counts from half on. Or one
    mask, of the first frame."""
    camera: Path | None = None  # type: ignore[assignment]  # a recording has one of its own
    """Camera file, as for `refine`; needed except with --bag, where it wins over camera_info."""
    bag: Path | None = None
    """Recording of ROS 1 or 2 in place of folders: .mcap, .bag, .db3 or a bag's folder (needs diffdope[ros]); see
    docs/ros.md. Poses are written to poses.mcap, too."""
    rgb_topic: str | None = None
    """Photographs in it; default: the only topic of colours. none: leave them out."""
    depth_topic: str | None = None
    """Depth aligned to them; default: the only topic of depth. none: leave it out."""
    info_topic: str | None = None
    """camera_info; default: beside the photographs."""
    mask_topic: str | None = None
    """Masks; default: none."""
    tolerance_s: float = TOLERANCE_S
    """Seconds by which photograph, depth and mask of one moment differ at most."""
    mask_id: int | None = None
    """Which label of masks that show several objects."""
    box: str | None = None
    """X,Y,WIDTH,HEIGHT in pixels around the object in the first frame, in place of a mask."""
    image_id: int | None = None
    """Which entry of a scene_camera.json or results CSV."""
    obj_id: int | None = None
    """Which object of a results CSV; also the number written into poses.csv (1 if not given)."""
    fps: float | None = None
    """Frames a second; default: what the film says, 30 for a folder, where numbers that are missing take time, too."""
    preset: str = "auto"
    """Complete set of numbers to start from; fast, default, or auto: default for photographs without depth, where fast
    loses the object far more often, and fast for all else."""
    settings: Path | None = None
    """YAML that changes numbers of the preset."""
    film: bool = True
    """Write a film with the contour in every frame (needs diffdope[video])."""
    fresh: bool = False
    """Start over, whatever is in the folder."""
