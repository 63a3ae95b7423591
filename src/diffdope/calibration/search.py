"""From no start, or a rough one, to a few poses that are worth the last steps.

Without a start, pictures propose: the robot as it stands there is rendered from all around and laid over its mask, as
`locate` does with an object. What all pictures together make of each proposal decides, so that one picture which
shows the robot well is enough to propose, and one that is wrong does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.descend import ArmTarget, Cost, PoseHypotheses, Stage, descend
from diffdope.calibration.shots import Shot
from diffdope.checked_fields import checked_fields
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure
from diffdope.render.buffers import Buffers
from diffdope.scene.robot import Robot
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.around_prior import around_prior
from diffdope.search.proposals.view_sphere import ViewSphereSettings, view_sphere

F64 = NDArray[np.float64]

# Shares of the robot's size by which surfaces may be off: half a pixel of crops, half a millimetre in the last steps.
_COARSE, _MIDDLE, _FINE = 0.01, 0.003, 0.0006
_BRIEF = 2  # pictures that propose: one of them may be bad
_PIXELS_COARSE = 60  # crops up to which the coarse one is drawn


@dataclass(frozen=True)
@checked_fields(least={"proposing": 1, "judging": 1, "proposals": 1, "around": 1, "wider": 1})
class CalibrationSearch:
    """How the pose is looked for."""

    rotations: int = 1000
    """Rendered for each proposing picture."""
    proposing: int = 4
    """Pictures that propose, those with the largest masks."""
    judging: int = 6
    """Pictures that judge, the same; the last steps look at all."""
    proposals: int = 96
    """Of each."""
    stages: tuple[Stage, ...] = (
        Stage(24, 96, 10), Stage(40, 32, 8), Stage(80, 10, 8), Stage(160, 3, 6),
    )  # fmt: skip
    """Crops' sizes, hypotheses and steps; the proposals are screened at the size of the first."""
    wider: int = 2
    """How many times as many hypotheses a second search takes, which runs where the first one does not convince."""
    wider_scales: tuple[float, ...] = (1.0, 1.25, 1.55)
    """Sizes that it tries: masks may lack links, and show less than all of the robot."""
    doubtful: float = 0.15
    """Cost of the median picture from which on a result does not convince; a mask that nothing covers costs 1."""
    around: int = 24
    """PoseHypotheses about a start."""
    angle_deg: float = 15.0
    """How uncertain a start is."""
    distance: float = 0.15
    """The same, as a share of the robot's size."""

    @property
    def brief(self) -> CalibrationSearch:
        """Half of the work, to tell whether anything fits at all: fewer pictures propose, and the last stage is left
        out."""
        return replace(self, proposing=min(self.proposing, _BRIEF), stages=self.stages[:-1] or self.stages)


class Searcher:
    """Looks for the pose in all pictures.

    `coarse` and `fine` are the robot with fewer triangles, `length_m` is about its size.

    Args:
        robot: in full detail.
        shots: checked ones.
        settings: of the search.
        threads: None for the library setting.
    """

    def __init__(
        self, robot: Robot, shots: Sequence[Shot], settings: CalibrationSearch, *, threads: int | None = None
    ) -> None:
        self._shots, self._settings, self._threads = shots, settings, threads
        joints = [robot.checked(shot.joints, f"joints of {shot.name}") for shot in shots]
        size_m = robot.posed(joints[0]).mesh.diameter
        self.coarse, middle, self.fine = robot.simplified(*(share * size_m for share in (_COARSE, _MIDDLE, _FINE)))
        self._coarse = [self.coarse.posed(values) for values in joints]
        self.length_m = float(np.median([one.mesh.diameter for one in self._coarse]))
        self._middle = np.mean([one.mesh.center_m for one in self._coarse], axis=0)
        self.targets = {True: self._targets(self.coarse, joints), False: self._targets(middle, joints)}

    def near(self, start: Pose, rng: np.random.Generator) -> PoseHypotheses:
        """The best poses about a start."""
        settings, pose = self._settings, self.enter(start)
        R, t = around_prior(
            pose, settings.around, rng=rng, angle_rad=np.radians(settings.angle_deg),
            distance_m=settings.distance * self.length_m,
        )  # fmt: skip
        return self._through(R, t, pose)

    def anywhere(self) -> PoseHypotheses | None:
        """The best poses where nothing is known; None if no picture proposes any."""
        R, t = self._proposed((1.0,), 1)
        return None if len(t) == 0 else self._through(R, t, None)

    def wider(self) -> PoseHypotheses | None:
        """The same with more hypotheses, and for masks that show a part of the robot."""
        R, t = self._proposed(self._settings.wider_scales, self._settings.wider)
        return None if len(t) == 0 else self._through(R, t, None, self._settings.wider)

    def doubtful(self, costs: F64) -> bool:
        """Whether the best pose does not convince, by what poses pay in each picture (N, B)."""
        return float(np.nanmedian(costs[:, 0])) > self._settings.doubtful

    def median_cost(self) -> float:
        """What the median picture pays for the best pose of a search without a start; infinite where there is none."""
        found = self.anywhere()
        return float("inf") if found is None or len(found.t) == 0 else float(np.nanmedian(self.costs(found)[:, 0]))

    def costs(self, found: PoseHypotheses) -> F64:
        """(N, B) what poses of the base pay in each picture, NaN where the robot is out of it."""
        near = self.enter(found.pose(0))
        cost = Cost(self.targets[False], self._settings.stages[-1].size, self.length_m, near)
        return cost.each(found.R, found.t + found.R @ self._middle)

    def _through(self, R: F64, t: F64, near: Pose | None, more: int = 1) -> PoseHypotheses:
        found = PoseHypotheses(R, t, np.zeros(len(t)))
        for number, stage in enumerate(self._settings.stages):
            targets = self.targets[stage.size <= _PIXELS_COARSE]
            cost = Cost([targets[n] for n in self._by_area[: self._settings.judging]], stage.size, self.length_m, near)
            if number == 0:
                found = found._replace(cost=cost(found.R, found.t)[0])
            found = found.distinct(more * stage.hypotheses, self.length_m)
            found = descend(cost, found, stage.steps)
            near = None if near is None else Pose(found.R[found.cost.argmin()], found.t[found.cost.argmin()])
        found = found.taken(np.argsort(found.cost, kind="stable"))
        return found._replace(t=found.t - found.R @ self._middle)

    def _proposed(self, scales: tuple[float, ...], more: int) -> tuple[F64, F64]:
        settings = self._settings
        sphere = ViewSphereSettings(rotations=settings.rotations, faces=0, scales=scales)
        R, t = [np.empty((0, 3, 3))], [np.empty((0, 3))]
        for number in self._by_area[: settings.proposing]:
            if self._shots[number].observation.mask_box is None:
                continue
            centre = self._coarse[number].mesh.center_m
            levels = MeshLevels(self._coarse[number].mesh.moved(-centre), threads=self._threads)
            observation = self._shots[number].observation
            found = view_sphere(levels, observation, sphere, more * settings.proposals)
            if not isinstance(found, Failure):
                R.append(found.R)
                t.append(found.t + found.R @ (self._middle - centre))
        return np.concatenate(R), np.concatenate(t)

    @cached_property
    def _by_area(self) -> list[int]:
        """Numbers of the pictures, those with large masks first."""
        boxes = [shot.observation.mask_box for shot in self._shots]
        area = [0.0 if box is None else (box[2] - box[0] + 1.0) * (box[3] - box[1] + 1.0) for box in boxes]
        return sorted(range(len(area)), key=lambda n: -area[n])

    def _targets(self, robot: Robot, joints: Sequence[Mapping[str, float]]) -> list[ArmTarget]:
        buffers = Buffers(robot.apart, threads=self._threads)
        meshes = [robot.posed(values).mesh.moved(-self._middle) for values in joints]
        return [ArmTarget(shot.observation, buffers.bent(mesh)) for shot, mesh in zip(self._shots, meshes, strict=True)]

    def enter(self, pose: Pose) -> Pose:
        """A pose of the base, told about the pictures' middle, in which hypotheses are looked for."""
        return Pose(pose.R_m2c, pose.t_m2c + pose.R_m2c @ self._middle)
