"""What `diffdope track` follows: an object of one shape, or a robot whose joints tell its shape in each frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from diffdope.cli.input_flags import check_idle
from diffdope.cli.robot_flags import pairs_of
from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.io.frames import Frame, Frames
from diffdope.io.json_files import read_json
from diffdope.io.transforms import read_camera_pose
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import Preset
from diffdope.render.buffers import Buffers
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot
from diffdope.scene.urdf import load_robot

if TYPE_CHECKING:
    from diffdope.cli.track_flags import TrackArguments
    from diffdope.pipelines.refiner import Refiner
    from diffdope.pipelines.tracking.robot_tracker import RobotTracker

_ROBOTS_KEYS = ("T_camera_base", "T_base_camera", "R_cam2base")


@dataclass(frozen=True, eq=False)
class TrackTarget(ABC):
    """Follows it from frame to frame, and has what is drawn of it."""

    preset: Preset
    seed: int
    threads: int | None

    @abstractmethod
    def track(self, frame: Frame, observation: Observation, pose: Pose | None) -> RefinementResult:
        """The pose in the next frame; see `Refiner.track`."""

    @abstractmethod
    def buffers(self, frame: str) -> Buffers:
        """Its surface in a frame, to be drawn."""


@dataclass(frozen=True, eq=False)
class RigidTarget(TrackTarget):
    """An object of one shape."""

    mesh: Mesh

    @cached_property
    def _refiner(self) -> Refiner:
        from diffdope.pipelines.refiner import Refiner  # with its kernels, which --help does without

        return Refiner(self.mesh, preset=self.preset, seed=self.seed, threads=self.threads)

    @cached_property
    def _buffers(self) -> Buffers:
        return Buffers(self.mesh)

    def track(self, frame: Frame, observation: Observation, pose: Pose | None) -> RefinementResult:
        """As `Refiner` does."""
        return self._refiner.track(observation, pose, time_s=frame.time_s)

    def buffers(self, frame: str) -> Buffers:
        """To be drawn."""
        return self._buffers


@dataclass(frozen=True, eq=False)
class RobotTarget(TrackTarget):
    """A robot; `joints` of each frame, by name."""

    robot: Robot
    joints: Mapping[str, Mapping[str, float]]

    @cached_property
    def _tracker(self) -> RobotTracker:
        from diffdope.pipelines.tracking.robot_tracker import RobotTracker

        return RobotTracker(self.robot, preset=self.preset, seed=self.seed, threads=self.threads)

    @cached_property
    def _buffers(self) -> Buffers:
        return Buffers(self._tracker.mesh_at(next(iter(self.joints.values()))))

    def track(self, frame: Frame, observation: Observation, pose: Pose | None) -> RefinementResult:
        """As `RobotTracker` does."""
        return self._tracker.track(observation, self.joints[frame.name], pose, time_s=frame.time_s)

    def buffers(self, frame: str) -> Buffers:
        """To be drawn, by the joints of that frame."""
        return self._buffers.bent(self._tracker.mesh_at(self.joints[frame]))


def check_object(given: TrackArguments) -> None:
    """Refuses an object that is told twice, or not at all, and what is not written of a robot.

    Raises:
        DiffDopeError: naming the argument.
    """
    if given.mesh is None and given.urdf is None:
        raise expected("mesh", "a mesh file, or --urdf and --joints of a robot", "none")
    if given.mesh is not None and given.urdf is not None:
        raise expected("mesh", "none beside --urdf, which names the meshes of the links", given.mesh)
    if (given.urdf is None) != (given.joints is None):
        name, other = ("joints", "--joints") if given.joints is None else ("urdf", "--urdf")
        raise expected(name, f"{other}: a robot's description, and its joints in each frame", "none")
    if given.urdf is None:
        check_idle(given, dict.fromkeys(("base_link", "package", "fix", "joint_unit"), "--urdf"))
        return
    if given.bag is not None:
        raise expected("bag", "none beside --urdf", given.bag, "write its pictures into folders, named by their times")
    if given.rerun is not None:
        raise expected("rerun", "none beside --urdf: a recording has one mesh", given.rerun)


def start_of(given: TrackArguments) -> tuple[Pose | None, Sequence[str]]:
    """The start pose, and notes on it; of a robot, what `calibrate` has written does, too.

    Raises:
        DiffDopeError: if it cannot be read, or there are several.
    """
    if given.init is not None and given.urdf is not None and given.init.suffix.lower() == ".json":
        entry = read_json(given.init, "init")
        if isinstance(entry, dict) and any(key in entry for key in _ROBOTS_KEYS):
            return read_camera_pose(given.init), ()
    starts = given.start_poses(obj_id=given.obj_id, image_id=given.image_id)
    if starts is None:
        return None, ()
    if len(starts.poses) > 1:
        raise expected("init", "one pose in the first frame", f"{len(starts.poses)} in {given.init}")
    return starts.poses[0], starts.notes


def object_of(given: TrackArguments, preset: Preset, frames: Frames) -> TrackTarget:
    """What the flags say, read; of a robot, all joints are there.

    Raises:
        DiffDopeError: if it cannot be read, or a frame has no joint values.
    """
    if given.urdf is None or given.joints is None:
        return RigidTarget(preset, given.seed, given.threads, given.load_mesh())
    names = getattr(frames, "names", None)
    if names is None:
        cure = "the file of joints goes by their names, or their order"
        raise expected("rgb", "a folder of images beside --joints", given.rgb, cure)
    robot = load_robot(given.urdf, base=given.base_link, packages=pairs_of("package", given.package))
    rows = given.joints_of(given.joints, names, robot)
    for row in rows:
        robot.checked(row, str(given.joints))
    return RobotTarget(preset, given.seed, given.threads, robot, dict(zip(names, rows, strict=True)))
