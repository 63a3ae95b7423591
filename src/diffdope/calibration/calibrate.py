"""Finds where a camera stands, from pictures of a robot whose joint values are known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration import assess, notes
from diffdope.calibration.choose import ChosenPose, choose
from diffdope.calibration.descend import PoseHypotheses
from diffdope.calibration.estimate import COARSE_REACH, FINE_REACH, SHORTER, Estimator
from diffdope.calibration.left_out import behind_something, dear, misfits
from diffdope.calibration.links import misfit_at
from diffdope.calibration.next_poses import suggestions
from diffdope.calibration.readings import told_of_readings
from diffdope.calibration.result import CalibrationResult, Contradiction, PictureResidual, UncertainValue
from diffdope.calibration.search import CalibrationSearch, Searcher
from diffdope.calibration.second_robot import second_robot
from diffdope.calibration.shots import ArmShot, Shot, arm_shots, check_images, checked_shots
from diffdope.calibration.solution import BORDER, POSE, SCALE, CalibrationNoise, Solution
from diffdope.calibration.zeros import with_most_support, with_offsets, wrong_zeros
from diffdope.checked_fields import checked_fields
from diffdope.errors import check_seed, check_threads, check_type
from diffdope.estimate.covariance import in_words
from diffdope.geometry.deviations import camera_deviation
from diffdope.geometry.pose import Pose, PoseLike, as_pose
from diffdope.note_codes import Note
from diffdope.pipelines.compilation.compile_ahead import compile_before
from diffdope.pipelines.settings import PRESETS
from diffdope.problem.failure import MESSAGES, Status
from diffdope.scene.robot import Robot

F64 = NDArray[np.float64]
Progress = Callable[[str], None]

_MOST_BAD = 0.34  # share of the pictures: if more do not fit the others, these may be the wrong ones
_LEAST_IOU, _LEAST_SHARE = 0.5, 0.45  # medians over the pictures; wrong poses have shares of 0.2 to 0.4 at most
_SHORT = 0.3  # deviations of a last step: to compare two answers
_ROUGH_ROUNDS, _COARSE_ROUNDS, _FINE_ROUNDS = 6, 10, 4  # the last from where half the size has led
_HIDDEN_DEG, _HIDDEN = 3.0, 0.04  # deviations of a pose that the pictures do not determine


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
    start: PoseLike | None = None,
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
        start: T_camera_base to begin at, a `Pose` or a matrix (4, 4), metres, good to some 15 degrees; None to look
            everywhere, which needs masks.
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
    start = None if start is None else as_pose("start", start)
    shots = checked_shots(shots)
    check_images(shots, start)
    settings, seed = settings or CalibrationSettings(), check_seed("seed", seed)
    threads, say = check_threads(threads), progress or (lambda _: None)

    def found_in(given: Sequence[Shot], start: Pose | None) -> CalibrationResult:
        return Calibration(robot, given, settings, joint_offsets, seed, threads, say).run(start)

    def cost_of(given: Sequence[Shot], search: CalibrationSearch) -> float:
        return Searcher(robot, given, search, threads=threads).median_cost()

    result = told_of_readings(found_in(shots, start), robot, shots, cost_of, found_in, settings.search, say)
    return replace(result, elapsed_s=time.perf_counter() - began)


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
        costs = searcher.costs(found)
        doubtful = searcher.doubtful(costs)
        if doubtful and any(shot.observation.mask_box is not None for shot in self._shots):
            self._say("looking again, more widely")
            more = searcher.wider()
            found = found if more is None else found.joined(more)
            costs = searcher.costs(found)
        self._say("fitting outlines and depths")
        arms = arm_shots(searcher.fine, self._shots)
        choice = choose(searcher.length_m, arms, found, costs, lambda pose: self._rough(arms, pose), doubtful=doubtful)
        bad = dear(searcher.costs(PoseHypotheses(choice.pose.R_m2c[None], choice.pose.t_m2c[None], np.zeros(1)))[:, 0])
        solution, measured, bad, behind = self._without_bad(searcher.fine, arms, choice.pose, bad)
        if not solution.of_picture.any():
            return self._nothing(start, Status.FAILED)
        bad |= behind
        pictures = assess.residuals(arms, solution, measured, bad)
        choice = choice.apart_from(solution.pose, searcher.length_m)
        if start is None and not choice.others:
            choice = choice._replace(second=second_robot(
                self._robot, arms, solution.pose, self._settings.search, lambda pose: self._rough(arms, pose),
                length_m=searcher.length_m, least_share=_LEAST_SHARE, threads=self._threads,
            ))  # fmt: skip
        return self._result(searcher, arms, solution, pictures, choice, bad, start, len(behind))

    def _without_bad(
        self, fine: Robot, arms: list[ArmShot], pose: Pose, bad: dict[int, str]
    ) -> tuple[Solution, list[assess.Measured], dict[int, str], dict[int, str]]:
        """The solution of the pictures that fit, what each says to it, and which do not fit, and which are hidden.

        One in which something hides a part of the robot takes part all the same, if enough of its outline is seen.
        """

        def solved(left_out: dict[int, str]) -> tuple[Solution, list[assess.Measured]]:
            counted = np.array([n not in left_out for n in range(len(arms))])
            solution = self._solved(fine, arms, pose, counted)
            return solution, self._measured(arms, solution)

        solution, measured = solved(bad)
        found = bad | misfits(solution, measured, _LEAST_IOU, _LEAST_SHARE)
        behind = behind_something(found, [one.get("lacks_and_beside") for one in measured])
        out = {n: text for n, text in found.items() if n not in behind}
        behind = {n: text for n, text in behind.items() if measured[n]["outline_share"] < _LEAST_SHARE}
        if set(out) | set(behind) != set(bad):
            solution, measured = solved(out | behind)
        return solution, measured, out, behind

    def _measured(self, arms: list[ArmShot], solution: Solution) -> list[assess.Measured]:
        self._say("looking at every picture")
        return assess.measured_in(arms, solution.pose, self._settings.size, self._robot.still)

    def _estimator(
        self, arms: Sequence[ArmShot], size: int, modalities: tuple[str, ...] = ("mask", "depth"), offsets: bool = False
    ) -> Estimator:
        return Estimator(
            arms, self._settings.noise, size=size, offsets=self._offsets or offsets, modalities=modalities,
            threads=self._threads,
        )  # fmt: skip

    def _solved(self, fine: Robot, arms: list[ArmShot], pose: Pose, counted: NDArray[np.bool_]) -> Solution:
        """At half the size from the search's pose, at full size from there."""
        size = self._settings.size
        half = partial(self._estimator, size=size // 2)
        rough = half(arms).solve(pose, COARSE_REACH, counted=counted, rounds=_COARSE_ROUNDS, negligible=SHORTER)
        if self._offsets:
            rough = with_most_support(fine, arms, half, rough)
        return self._estimator(arms, size).solve(
            rough.pose, FINE_REACH, counted=counted, joint_rad=rough.joint_rad, shared=rough.shared,
            rounds=_FINE_ROUNDS,
        )  # fmt: skip

    def _rough(self, arms: list[ArmShot], pose: Pose) -> Pose:
        """Fitted at a quarter of the size, to tell poses apart."""
        estimator = self._estimator(arms, self._settings.size // 4)
        return estimator.solve(pose, COARSE_REACH, rounds=_ROUGH_ROUNDS).pose

    def _result(
        self, searcher: Searcher, arms: list[ArmShot], solution: Solution, pictures: tuple[PictureResidual, ...],
        choice: ChosenPose, bad: dict[int, str], start: Pose | None, behind: int,
    ) -> CalibrationResult:  # fmt: skip
        length = 0.5 * searcher.length_m
        whole = solution.with_zeros(zero := solution.zero_rad(float(np.radians(self._settings.noise.zero_deg))))
        own = solution.covariance[POSE, POSE]
        hidden = assess.unobserved(own, length, angle_rad=np.radians(_HIDDEN_DEG), distance_m=2.0 * _HIDDEN * length)
        others = choice.others if choice.second is None else (*choice.others, choice.second)
        contradiction = self._contradiction(arms, solution)
        shaken = assess.jackknife(solution)
        doubt = assess.doubted(self._shots, pictures, self._settings.size)
        status = assess.status_of(pictures, _LEAST_IOU, _LEAST_SHARE, alone=not others)
        finder = partial(self._estimator, size=self._settings.size // 2, offsets=True)
        zeros = None if self._offsets else wrong_zeros(searcher.fine, arms, finder, solution)
        there = zeros.solution if zeros else solution
        misfit = misfit_at(with_offsets(searcher.fine, arms, there), there, pictures)
        contradicts, odd_links = notes.on_links(self._robot, misfit, pictures)
        on_zeros = (
            [] if zeros is None else notes.on_zeros(*assess.in_units(zeros.offsets, self._robot.sliding), zeros.moved)
        )
        far = zeros is not None and assess.is_shaky(zeros.moved)
        odd = len(bad) - behind  # what hides the robot contradicts nothing
        disagree = [
            *self._disagreement(solution, pictures, shaken),
            *contradicts,
            *(on_zeros if far else ()),
            *(notes.on_left_out(odd, len(pictures)) if odd > _MOST_BAD * len(pictures) else ()),
        ]
        message, unsure = notes.message_of(status), assess.unsure(camera_deviation(whole, solution.pose), zero)
        if status is Status.CONVERGED and (doubt or disagree):
            status, message = Status.AMBIGUOUS, notes.DOUBTED if doubt else notes.DISAGREE
        border, scale = (self._estimate(solution, number) for number in (BORDER, SCALE))
        wanted = self._settings.suggestions if status.ok else 0
        offsets = assess.in_units(assess.offsets_of(solution, self._robot.needed), self._robot.sliding)
        said = (
            *notes.on_pictures(self._shots, solution, bad), *in_words(hidden, length),
            *notes.on_configurations(self._robot, self._shots),
            *(() if status.ok else notes.on_depth_scale(self._robot, self._shots)),
            *notes.on_start(None if start is None else assess.moved(start, solution.pose)),
            *notes.on_alternatives([assess.moved(one, solution.pose) for one in choice.others]),
            *(() if choice.second is None else notes.on_second(assess.moved(choice.second, solution.pose))),
            *doubt, *disagree, *unsure, *(() if far else on_zeros), *odd_links,
            *notes.on_contradiction(contradiction), *notes.on_offsets(*offsets, self._settings.noise),
        )  # fmt: skip
        return CalibrationResult(
            solution.pose, self._robot.base, whole, status, message, said, pictures, border, scale,
            float(np.degrees(solution.joint_rad)), *offsets,
            None if shaken is None else shaken[0], None if shaken is None else shaken[1], hidden, others, contradiction,
            suggestions(searcher.coarse, arms, solution, wanted, self._seed, self._say) if wanted else (),
            zero_error_deg=None if self._offsets else float(np.degrees(zero)),
        )  # fmt: skip

    def _estimate(self, solution: Solution, number: int) -> UncertainValue | None:
        if not solution.free[number]:
            return None
        deviation = float(np.sqrt(max(solution.covariance[number, number], 0.0)))
        return UncertainValue(float(solution.shared[number]), deviation)

    def _contradiction(self, arms: list[ArmShot], solution: Solution) -> Contradiction | None:
        """Of outlines and depths, where the pictures have both."""
        kinds = {name for rows in solution.rows for name in rows}
        if kinds != {"mask", "depth"}:
            return None
        self._say("comparing depths with outlines")
        alone = [
            self._estimator(arms, self._settings.size // 2, (name,))
            .solve(
                solution.pose, FINE_REACH, counted=solution.counted, joint_rad=solution.joint_rad,
                shared=solution.shared, rounds=_FINE_ROUNDS, negligible=_SHORT,
            )
            .pose
            for name in ("mask", "depth")
        ]  # fmt: skip
        scale = self._estimate(solution, SCALE)
        assert scale is not None
        return Contradiction(*assess.moved(*alone), scale, float(solution.centre_c[2]))

    def _disagreement(
        self, solution: Solution, pictures: Sequence[PictureResidual], shaken: tuple[float, float] | None
    ) -> list[Note]:
        """Why the pictures cannot all be right, in words."""
        away_mm = assess.depth_off_mm(pictures, float(solution.centre_c[2]))
        return [
            *(notes.on_shaky(shaken) if shaken is not None and assess.is_shaky(shaken) else ()),
            *(() if away_mm is None else notes.on_depth_off(away_mm)),
        ]

    def _nothing(self, start: Pose | None, status: Status) -> CalibrationResult:
        message = (
            MESSAGES[status] if start is not None else "no pose of the robot fits the masks; check joints and camera"
        )
        said = (
            *notes.on_depth_scale(self._robot, self._shots), *notes.on_configurations(self._robot, self._shots)
        )  # fmt: skip
        return CalibrationResult(start or Pose.identity(), self._robot.base, None, status, message, said)
