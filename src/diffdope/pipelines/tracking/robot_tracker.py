"""Follows a robot through a film, whose joints are known in each frame: the pose of its base is what is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from diffdope.errors import check_type
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import PoseLike
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import Preset
from diffdope.pipelines.settings import preset as find_preset
from diffdope.pipelines.tracking.link_agreement import LinkAgreement
from diffdope.pipelines.tracking.one_at_a_time import SingleCall, one_at_a_time
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Posed, Robot

_OFF = 0.0006  # share of the robot's size by which surfaces may be off, as in the last steps of a calibration


class RobotTracker:
    """`Refiner.track` of an object whose shape the joints tell: in each frame the robot is one rigid surface.

    What is tracked is the pose of the robot's base in the camera, T_camera_base. Of a camera on the robot's hand, load
    the robot with that link as its base (`load_robot(path, base="hand")`): the pose is then of that link, and what the
    camera sees of the arm moves about it. All that `Refiner.track` says of a frame holds, but colours are not learned.
    Joint values are not taken for right: frames whose links do not agree are doubted (`link-misfit`).

    Args:
        robot: links and joints.
        camera: if given, observations by any other camera are refused.
        preset: name or `Preset`; its solver must be `newton`.
        seed: of the hypotheses. Same seed, same result.
        threads: None for the library setting.

    Raises:
        DiffDopeError: if there is no such preset, a number is out of range, or an argument is of another type.
    """

    def __init__(
        self, robot: Robot, camera: Camera | None = None, *, preset: str | Preset = "fast", seed: int = 0,
        threads: int | None = None,
    ) -> None:  # fmt: skip
        check_type("robot", robot, Robot, cure="load_robot reads a description")
        chosen = find_preset(preset)
        search = chosen.search  # levels of detail are made of a shape that holds for one frame
        search = replace(search, near=search.near.in_full_detail(), far=search.far.in_full_detail())
        size_m = robot.posed({joint.name: 0.0 for joint in robot.moving}).mesh.diameter
        (self._drawn,) = robot.simplified(_OFF * size_m)
        self._agreement = LinkAgreement(self._drawn)
        first = self.mesh_at({name: 0.0 for name in robot.needed})
        self._one = SingleCall()
        self._refiner = Refiner(first, camera, preset=replace(chosen, search=search), seed=seed, threads=threads)

    def mesh_at(self, joints: Mapping[str, float]) -> Mesh:
        """The robot's surface in the base frame, as it is compared.

        Args:
            joints: radians by name, metres of joints that slide; names that the robot does not have are passed over.

        Raises:
            DiffDopeError: naming joints that are missing.
        """
        return self._posed(joints).mesh

    @one_at_a_time
    def track(
        self, observation: Observation, joints: Mapping[str, float], pose: PoseLike | None = None, *,
        time_s: float | None = None,
    ) -> RefinementResult:  # fmt: skip
        """The base's pose in the next frame.

        Args:
            observation: the frame; a mask, if there is one, shows the robot.
            joints: at its moment: radians by name, metres of joints that slide.
            pose: T_camera_base, to (re)start there, e.g. of `calibrate`; else as `Refiner.track`.
            time_s: as `Refiner.track`.

        Raises:
            DiffDopeError: naming joints that are missing, or as `Refiner.track`.
        """
        posed = self._posed(joints)
        self._refiner.bend(posed.mesh)
        result = self._refiner.track(observation, pose, time_s=time_s)
        return self._agreement.weighed(result, observation, joints, posed)

    def _posed(self, joints: Mapping[str, float]) -> Posed:
        check_type("joints", joints, Mapping)
        return self._drawn.posed(self._drawn.checked(joints))
