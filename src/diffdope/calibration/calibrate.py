"""Finds where a camera stands, from pictures of a robot whose joint values are known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration import assess
from diffdope.calibration.descend import Cost, Hypotheses
from diffdope.calibration.estimate import (
    BORDER,
    POSE,
    SCALE,
    CalibrationNoise,
    Estimator,
    Reach,
    Solution,
    in_base,
)
from diffdope.calibration.next_poses import suggestions
from diffdope.calibration.result import CalibrationResult, Contradiction, Estimate
from diffdope.calibration.search import CalibrationSearch, Searcher
from diffdope.calibration.shots import ArmShot, Shot, arm_shots, checked_shots
from diffdope.checked_fields import checked_fields
from diffdope.errors import check_seed, check_threads, check_type, expected
from diffdope.estimate.covariance import in_words
from diffdope.geometry.pose import Pose
from diffdope.pipelines.compiled import compile_before
from diffdope.pipelines.settings import PRESETS
from diffdope.problem.failure import MESSAGES, Status
from diffdope.scene.robot import Robot

F64 = NDArray[np.float64]
Progress = Callable[[str], None]

_FINE = 0.0006  # share of the robot's size by which its surface may be off in the last steps: half a millimetre
_ALIKE = 0.1  # a picture, mean difference of log costs: poses that pay less than 10 % more fit nearly as well
_APART_DEG, _APART = 5.0, 0.05  # alternatives that are closer are the same pose
_BAD_FACTOR, _BAD_COST = 3.0, 0.15  # a picture pays so many times as much as the median, and as much more
_LEAST_PICTURES = 3  # with fewer, nobody knows which of them is bad
_LEAST_IOU = 0.5  # median over the pictures
_LEAST_DEPTH_M = 0.03  # depths within it fit, where there are no masks
_COARSE_REACH = (Reach(20.0, 0.10), Reach(14.0, 0.06), Reach(10.0, 0.05))
_FINE_REACH = (Reach(14.0, 0.05), Reach(10.0, 0.04))
_HIDDEN_DEG, _HIDDEN = 3.0, 0.04  # deviations of a pose that the pictures do not determine
_KNOWN = 0.7  # share of its prior's deviation above which an offset is not observed
_CONTRADICTS = 2.0, 0.003  # deviations, and share, by which depths must be off to be called a contradiction


@dataclass(frozen=True)
@checked_fields(least={"size": 64, "suggestions": 0})
class CalibrationSettings:
    """Numbers of a calibration."""

    size: int = 640
    """Longest side, pixels, of the crops of the last steps."""
    search: CalibrationSearch = field(default_factory=CalibrationSearch)
    noise: CalibrationNoise = field(default_factory=CalibrationNoise)
    suggestions: int = 3
    """Poses of the robot that are suggested for more pictures; 0 for none."""


def calibrate(
    robot: Robot,
    shots: Sequence[Shot],
    *,
    start: Pose | None = None,
    joint_offsets: bool = False,
    settings: CalibrationSettings | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> CalibrationResult:
    """Finds the pose of a robot's base in a camera that stands still (eye to hand), from any number of pictures.

    Args:
        robot: links and joints; see `load_robot`.
        shots: the pictures, each with a mask of the robot, with depth, or both. More joint configurations that differ
            tell more. Colours are not compared.
        start: T_camera_base to begin at, good to some 15 degrees; None to look everywhere, which needs masks.
        joint_offsets: whether to estimate a constant offset of each joint, too.
        settings: numbers.
        seed: of the hypotheses about a start. Same seed, same result.
        threads: None for the library setting.
        progress: called with what is being done, in words.

    Raises:
        DiffDopeError: if there is no picture with mask or depth, none has a mask and there is no start, values of
            joints are missing, or an argument is of another type.
    """
    began = time.perf_counter()
    check_type("robot", robot, Robot, cure="load_robot reads a URDF")
    if start is not None:
        check_type("start", start, Pose, cure="Pose.from_matrix takes a matrix (4, 4)")
    shots = checked_shots(shots)
    _check_images(shots, start)
    one = Calibration(
        robot, shots, settings or CalibrationSettings(), joint_offsets, check_seed("seed", seed), check_threads(threads),
        progress or (lambda _: None),
    )  # fmt: skip
    return replace(one.run(start), elapsed_s=time.perf_counter() - began)


def _check_images(shots: Sequence[Shot], start: Pose | None) -> None:
    for shot in shots:
        if not {"mask", "depth"} & set(shot.observation.modalities):
            cure = "give masks of the robot, depth, or both; colours alone do not show where its outline is"
            raise expected(shot.name, "a mask or depth", ", ".join(shot.observation.modalities), cure)
    if start is None and all(shot.observation.mask_box is None for shot in shots):
        raise expected("shots", "masks, or a start pose", "neither", "without masks, give a rough pose of the base")


class Calibration:
    """One calibration; see `calibrate`."""

    def __init__(
        self, robot: Robot, shots: Sequence[Shot], settings: CalibrationSettings, offsets: bool, seed: int,
        threads: int | None, progress: Progress,
    ) -> None:  # fmt: skip
        self._robot, self._shots, self._settings, self._offsets = robot, shots, settings, offsets
        self._seed, self._threads, self._say = seed, threads, progress

    def run(self, start: Pose | None) -> CalibrationResult:
        """The result, or one that says why there is none."""
        compile_before(PRESETS["default"])
        self._say("looking for the robot")
        searcher = Searcher(self._robot, self._shots, self._settings.search, threads=self._threads)
        rng = np.random.default_rng(self._seed)
        found = searcher.anywhere() if start is None else searcher.near(start, rng)
        if found is None or len(found.t) == 0:
            return self._nothing(start, Status.NO_OVERLAP)
        bad = self._bad(searcher, found, start)
        self._say("fitting outlines and depths")
        arms = self._arms(searcher)
        counted = np.array([n not in bad for n in range(len(self._shots))])
        solution, arms = self._solved(arms, Pose(found.R[0], found.t[0]), counted)
        if not solution.of_picture.any():
            return self._nothing(start, Status.FAILED)
        return self._result(searcher, arms, solution, found, bad)

    def _arms(self, searcher: Searcher, offsets: Mapping[str, float] | None = None) -> list[ArmShot]:
        if not hasattr(self, "_fine"):
            self._fine = self._robot.simplified(_FINE * searcher.length_m)
        return arm_shots(self._fine, self._shots, offsets, threads=self._threads)

    def _estimator(self, arms: Sequence[ArmShot], size: int, modalities: tuple[str, ...] = ("mask", "depth")) -> Estimator:
        return Estimator(
            arms, self._settings.noise, size=size, offsets=self._offsets, modalities=modalities, threads=self._threads
        )

    def _solved(
        self, arms: list[ArmShot], pose: Pose, counted: NDArray[np.bool_]
    ) -> tuple[Solution, list[ArmShot]]:
        """At half the size from the search's pose, at full size from there."""
        size = self._settings.size
        rough = self._estimator(arms, size // 2).solve(pose, _COARSE_REACH, counted=counted)
        fine = self._estimator(arms, size).solve(
            rough.pose, _FINE_REACH, counted=counted, joint_rad=rough.joint_rad, shared=rough.shared
        )
        return fine, arms

    def _bad(self, searcher: Searcher, found: Hypotheses, start: Pose | None) -> dict[int, str]:
        """Pictures that pay far more than the others, and why they are left out."""
        size = self._settings.search.stages[-1].size
        pose = searcher.enter(Pose(found.R[0], found.t[0]))
        each = Cost(searcher.targets[False], size, searcher.length_m, pose).each(pose.R_m2c[None], pose.t_m2c[None])[:, 0]
        if np.count_nonzero(np.isfinite(each)) < _LEAST_PICTURES:
            return {}
        middle = float(np.nanmedian(each))
        limit = max(_BAD_FACTOR * middle, middle + _BAD_COST)
        text = "left out: it does not fit where the other pictures do ({:.1f} times their cost); are its joints right?"
        return {int(n): text.format(each[n] / max(middle, 1e-9)) for n in np.flatnonzero(each > limit)}

    def _result(
        self, searcher: Searcher, arms: list[ArmShot], solution: Solution, found: Hypotheses, bad: dict[int, str]
    ) -> CalibrationResult:
        self._say("looking at every picture")
        base = [link.name for link in self._robot.links].index(self._robot.base)
        pictures = assess.residuals(arms, solution, self._settings.size, base, bad)
        length = 0.5 * searcher.length_m
        covariance = solution.covariance
        hidden = assess.unobserved(
            covariance[POSE, POSE], length, angle_rad=np.radians(_HIDDEN_DEG), distance_m=_HIDDEN * searcher.length_m
        )
        others = self._alternatives(searcher, found)
        contradiction = self._contradiction(arms, solution)
        shaken = assess.jackknife(solution)
        status = self._status(pictures, others)
        border, scale = (self._estimate(solution, number) for number in (BORDER, SCALE))
        wanted = self._settings.suggestions if status.ok else 0
        return CalibrationResult(
            solution.pose, self._robot.base, in_base(covariance[POSE, POSE], solution.pose, solution.centre_c),
            status, _message(status), self._notes(solution, bad, hidden, length, others, contradiction, pictures),
            pictures, border, scale, float(np.degrees(solution.joint_rad)), self._offsets_of(solution),
            None if shaken is None else shaken[0], None if shaken is None else shaken[1], hidden, others, contradiction,
            suggestions(self._robot, arms, solution, wanted, self._seed, self._say) if wanted else (),
        )  # fmt: skip

    def _estimate(self, solution: Solution, number: int) -> Estimate | None:
        if not solution.free[number]:
            return None
        deviation = float(np.sqrt(max(solution.covariance[number, number], 0.0)))
        return Estimate(float(solution.shared[number]), deviation)

    def _offsets_of(self, solution: Solution) -> dict[str, Estimate]:
        if not self._offsets:
            return {}
        each = np.degrees(assess.offsets_of(solution))
        return {
            name: Estimate(float(value), float(deviation))
            for name, (value, deviation) in zip(self._robot.needed, each, strict=True)
        }

    def _alternatives(self, searcher: Searcher, found: Hypotheses) -> tuple[Pose, ...]:
        """Poses apart from the best that all pictures together fit nearly as well."""
        others, best = [], Pose(found.R[0], found.t[0])
        limit = found.cost[0] + _ALIKE * len(self._shots)
        for R, t, cost in zip(found.R[1:], found.t[1:], found.cost[1:], strict=True):
            pose = Pose(R, t)
            millimetres, degrees = assess.moved(pose, best)
            apart = degrees > _APART_DEG or 1e-3 * millimetres > _APART * searcher.length_m
            if cost < limit and apart:
                others.append(pose)
        return tuple(others)

    def _contradiction(self, arms: list[ArmShot], solution: Solution) -> Contradiction | None:
        """Of outlines and depths, where the pictures have both."""
        kinds = {name for rows in solution.rows for name in rows}
        if kinds != {"mask", "depth"}:
            return None
        self._say("comparing depths with outlines")
        alone = [
            self._estimator(arms, self._settings.size // 2, (name,))
            .solve(solution.pose, _COARSE_REACH[-1:], counted=solution.counted, joint_rad=solution.joint_rad)
            .pose
            for name in ("mask", "depth")
        ]
        scale = self._estimate(solution, SCALE)
        assert scale is not None
        return Contradiction(*assess.moved(*alone), scale, float(solution.centre_c[2]))

    def _status(self, pictures: Sequence[assess.PictureResidual], others: tuple[Pose, ...]) -> Status:
        overlaps = [one.iou for one in pictures if one.used and one.iou is not None]
        depths = [abs(one.depth_mm) for one in pictures if one.used and one.depth_mm is not None]
        if overlaps and float(np.median(overlaps)) < _LEAST_IOU:
            return Status.FAILED
        if not overlaps and (not depths or float(np.median(depths)) > 1e3 * _LEAST_DEPTH_M):
            return Status.FAILED
        return Status.AMBIGUOUS if others else Status.CONVERGED

    def _notes(
        self, solution: Solution, bad: dict[int, str], hidden: F64, length: float, others: tuple[Pose, ...],
        contradiction: Contradiction | None, pictures: Sequence[assess.PictureResidual],
    ) -> tuple[str, ...]:  # fmt: skip
        notes = [f"{self._shots[n].name}: {text}" for n, text in bad.items()]
        for n, shot in enumerate(self._shots):
            if n not in bad and not solution.rows[n]:
                notes.append(f"{shot.name}: says nothing; the robot is out of the picture, or too little of it is seen")
        notes += in_words(hidden, length)
        notes += _about_poses(self._robot, [arm for arm in self._shots])
        if others:
            apart = ", ".join("{:.0f} mm and {:.0f} degrees".format(*assess.moved(one, solution.pose)) for one in others)
            notes.append(f"ambiguous: other poses fit nearly as well, away by {apart}; take more pictures")
        if contradiction is not None:
            deviations, least = _CONTRADICTS
            scale = contradiction.depth_scale
            if abs(scale.value) > max(deviations * scale.deviation, least):
                notes.append(contradiction.text)
        for name, offset in self._offsets_of(solution).items():
            if offset.deviation > _KNOWN * self._settings.noise.offset_deg:
                notes.append(f"the offset of {name} is not observed: it stays near 0 because offsets are expected to be small")
        return tuple(notes)

    def _nothing(self, start: Pose | None, status: Status) -> CalibrationResult:
        message = MESSAGES[status] if start is not None else "no pose of the robot fits the masks; check joints and camera"
        return CalibrationResult(start or Pose.identity(), self._robot.base, None, status, message)


def _message(status: Status) -> str:
    if status is Status.CONVERGED:
        return "found; look at the overlays before you use it"
    if status is Status.AMBIGUOUS:
        return "several poses fit the pictures alike; see the notes"
    return "no pose was found that fits the pictures; check the camera file, the joints' order and unit, and the masks"


def _about_poses(robot: Robot, shots: Sequence[Shot]) -> list[str]:
    """What the choice of joint configurations leaves open."""
    values = np.array([[shot.joints[name] for name in robot.needed] for shot in shots])
    spread = np.ptp(values, axis=0)
    still = [name for name, one in zip(robot.needed, spread, strict=True) if one < np.radians(5.0)]
    if len(shots) == 1:
        return ["one picture: errors of the joints' values are not told from the camera's place; take three at least"]
    if len(still) == len(robot.needed):
        return ["the robot is in the same configuration in all pictures: they count as one"]
    if len(still) == len(robot.needed) - 1:
        moves = next(name for name in robot.needed if name not in still)
        return [f"only {moves} moves between the pictures: errors of the other joints are not told from the camera's place"]
    return []
