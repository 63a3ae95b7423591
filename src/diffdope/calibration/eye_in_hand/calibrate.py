"""Finds where a camera is on a robot's hand, from pictures of a known object that stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.assess import is_shaky, unsure
from diffdope.calibration.eye_in_hand import judge
from diffdope.calibration.eye_in_hand.chain import OBJECT
from diffdope.calibration.eye_in_hand.estimate import ErrorSizes, HandSolution, ObjectPrior
from diffdope.calibration.eye_in_hand.inverse_flanges import told_of_inverses
from diffdope.calibration.eye_in_hand.result import EyeInHandResult, HandPicture
from diffdope.calibration.eye_in_hand.shots import HandShot, PlacedShot, flange_of, placed_shots
from diffdope.calibration.eye_in_hand.solve import HandTask, Solved, singles_of, solve
from diffdope.calibration.eye_in_hand.suggest import suggestions
from diffdope.calibration.eye_in_hand.target import TargetElsewhere, elsewhere, too_far
from diffdope.calibration.notes import DISAGREE, on_shaky
from diffdope.checked_fields import checked_fields
from diffdope.errors import check_type, expected
from diffdope.geometry.deviations import camera_deviation
from diffdope.geometry.pose import Pose, PoseLike, as_pose
from diffdope.note_codes import Note
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import DEFAULT, Preset
from diffdope.problem.failure import Status
from diffdope.scene.mesh import Mesh
from diffdope.scene.robot import Robot

_FOUND_ALONE = "the object was found in it, but no place of the camera fits"

F64 = NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
@checked_fields(
    least={"joint_deg": 1e-6, "least_joint_deg": 1e-6, "most_joint_deg": 1e-6, "zero_deg": 1e-6, "suggestions": 0}
)
class EyeInHandSettings:
    """Numbers of a calibration of a camera on the hand."""

    joint_deg: float = 0.1
    """Standard deviation of joint values in single pictures, where these do not tell it. A flange whose pose is given
    errs like joints that are half a metre away."""
    least_joint_deg: float = 0.005
    """The least that it is taken for."""
    most_joint_deg: float = 1.0
    """The most."""
    zero_deg: float = 0.2
    """Standard deviation of joints' zeros, as `zero_deg` of `CalibrationNoise`; of flanges whose poses are given,
    nothing is known of joints, and the covariance has none."""
    suggestions: int = 3
    """Configurations of the robot that are suggested for more pictures; 0 for none."""


def calibrate_eye_in_hand(
    mesh: Mesh,
    shots: Sequence[HandShot],
    *,
    robot: Robot | None = None,
    flange: str | None = None,
    start: PoseLike | None = None,
    target: PoseLike | None = None,
    target_sigma: tuple[float, float] = (0.0, 0.0),
    preset: str | Preset = DEFAULT,
    settings: EyeInHandSettings | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> EyeInHandResult:
    """Finds T_flange_camera of a camera on the hand, and T_base_object of the object that it looks at.

    The object stands still while the hand moves. Three pictures or more, between which the hand turns about two axes
    at least by 20 degrees or more, determine both; with a target whose place is known, one picture does.

    Args:
        mesh: the object.
        shots: pictures, each with a mask of the object, with depth, or both, and the joints' values or the flange's
            pose.
        robot: where shots have joints; see `load_robot`.
        flange: the robot's link that holds the camera; None for its last one.
        start: T_flange_camera to begin at, a `Pose` or a matrix (4, 4), metres; needed, together with a
            target, only where pictures have colours alone.
        target: T_base_object in the mesh's frame, where it is known; a `Pose` or a matrix (4, 4), metres.
        target_sigma: how far off the target is, standard deviations (metres, degrees); zeros hold it.
        preset: of the refinement in each picture; one whose solver searches.
        settings: numbers.
        seed: same seed, same result.
        threads: None for the library setting.
        progress: called with what is being done, in words.

    Raises:
        DiffDopeError: if there is no picture, a flange is not known, pictures have nothing that says where the object
            is, or an argument is of another type.
    """
    began = time.perf_counter()
    _check(mesh, robot, target, target_sigma)
    start = None if start is None else as_pose("start", start)
    target = None if target is None else as_pose("target", target)
    placed = placed_shots(shots, robot, flange)
    refiner = Refiner(mesh, preset=preset, seed=seed, threads=threads)
    if refiner.preset.solver == "descent":
        raise expected("preset", "one whose solver searches", refiner.preset.name, "use default or fast")
    _check_images(placed, start, target)
    numbers, say = settings or EyeInHandSettings(), progress or (lambda _: None)
    prior = None if target is None else ObjectPrior(refiner.frame.enter(target), target_sigma)
    sizes = ErrorSizes(*np.radians([numbers.joint_deg, numbers.least_joint_deg, numbers.most_joint_deg]).tolist())
    say("looking for the object in each picture")
    singles = singles_of(refiner, placed, start, None if prior is None else prior.pose)
    say("fitting all pictures together")
    task = HandTask(refiner, tuple(placed), singles, prior, sizes, start, threads)
    far = too_far(task)
    solved = None if far else solve(task)
    other = None if far else elsewhere(task, solved)
    link = "flange" if robot is None else robot.links[flange_of(robot, flange)].name
    base = "base" if robot is None else robot.base
    if solved is None:
        result = _nothing(task, link, base, far or (None if other is None else other.note))
    else:
        zeros = None if robot is None or any(shot.joints is None for shot in shots) else np.radians(numbers.zero_deg)
        result = _result(task, solved, link, base, other, zeros)
    if not far and all(shot.joints is None for shot in shots):
        result = told_of_inverses(result, task)
    if robot is not None and solved is not None and numbers.suggestions:
        say("looking for poses that tell more")
        chosen = suggestions(robot, link, shots, placed, solved.solution, refiner, numbers.suggestions, seed)
        result = replace(result, suggestions=chosen)
    return replace(result, elapsed_s=time.perf_counter() - began)


def _check(mesh: Mesh, robot: Robot | None, target: object, sigma: tuple[float, float]) -> None:
    check_type("mesh", mesh, Mesh, cure="Mesh.load reads a file")
    if robot is not None:
        check_type("robot", robot, Robot, cure="load_robot reads a URDF")
    numbers = isinstance(sigma, tuple | list) and len(sigma) == 2 and all(isinstance(one, int | float) for one in sigma)
    if not numbers or min(sigma) < 0.0 or not np.isfinite(sigma).all() or (max(sigma) > 0.0 and min(sigma) == 0.0):
        raise expected("target_sigma", "two deviations (metres, degrees), both above 0 or both 0", repr(sigma))
    if max(sigma) > 0.0 and target is None:
        raise expected("target_sigma", "a target beside it", "none")


def _check_images(shots: Sequence[PlacedShot], start: Pose | None, target: Pose | None) -> None:
    for shot in shots:
        told = shot.observation.mask_box is not None or "depth" in shot.observation.modalities
        if not told and (start is None or target is None):
            got = ", ".join(shot.observation.modalities)
            cure = "give masks of the object or depth; or a rough start and the target's place, from which it is found"
            raise expected(shot.name, "a mask or depth", got, cure)


def _result(
    task: HandTask, solved: Solved, link: str, base: str, other: TargetElsewhere | None, zeros: float | None
) -> EyeInHandResult:  # fmt: skip
    """What is told.

    Args:
        task: what was solved.
        solved: what all pictures say.
        link: name of the flange.
        base: name of the base.
        other: place of the target that the pictures have, where they contradict what was told.
        zeros: usual deviation of joints' zeros, radians; None where no joints were given.
    """
    solution, refiner = solved.solution, task.refiner
    pictures = judge.pictures_of(task, solved)
    hidden = judge.unobserved_of(solved.covariance)
    status, message = judge.status_of(task, solved, pictures, hidden)
    notes, others = judge.notes_of(task, solved, pictures, hidden), tuple(solved.others)
    if other is not None:
        notes, others = (other.note, *notes), (other.T_flange_camera, *others)
        if status is Status.CONVERGED:
            status, message = Status.AMBIGUOUS, "the pictures contradict the target's place; see the notes"
    shaken = judge.jackknife(solution)
    if shaken is not None and is_shaky(shaken):
        notes = (*on_shaky(shaken, "the object stand still"), *notes)
        if status is Status.CONVERGED:
            status, message = Status.AMBIGUOUS, DISAGREE
    if len(solution.counted) == 1 and task.target is not None:
        notes = (judge.UNCHECKED_TARGET, *notes)
    X, Y = solution.state.T_camera_flange.inverse(), solution.state.T_base_object
    motion, whole, zero = refiner.frame.motion(Y), solved.covariance, 0.0
    if zeros is not None:
        zero = solved.sure.zero_rad(zeros)
        whole = solved.sure.with_zeros(zero)
    of_object = motion @ whole[OBJECT, OBJECT] @ motion.T
    in_flange = judge.covariance_in_flange(whole, X)
    if not len(hidden):
        notes = (*notes, *unsure(camera_deviation(in_flange, Pose.identity()), zero, offsets=False))
    return EyeInHandResult(
        X, refiner.frame.leave(Y), link, base, in_flange, of_object, status, message, notes, pictures,
        joint_error_deg=_error_deg(solution), leave_one_out_mm=None if shaken is None else shaken[0],
        leave_one_out_deg=None if shaken is None else shaken[1], unobserved=hidden,
        alternatives=others, zero_error_deg=None if zeros is None else float(np.degrees(zero)),
    )  # fmt: skip


def _error_deg(solution: HandSolution) -> float:
    return float(np.degrees(solution.sigma))


def _nothing(task: HandTask, link: str, base: str, target: Note | None) -> EyeInHandResult:
    """Nothing was found; `target` says what is wrong with it, if that is known."""
    if len(task.shots) == 1 and task.target is None:
        message = (
            "one picture leaves open where the camera is on the hand: take three or more, between which the hand turns "
            "about two axes, or give the object's place (target)"
        )
    elif target is not None:
        message = "no place of the camera fits the pictures and the target; see the notes"
    else:
        message = (
            "the pictures agree on no place of the camera: check masks, mesh unit, camera file, and the joints' order "
            "and unit; is the object still, and do joints and pictures belong together?"
        )
    reasons = [_FOUND_ALONE if n in task.singles else judge.NOT_FOUND for n in range(len(task.shots))]
    pictures = tuple(HandPicture(shot.name, False, why) for shot, why in zip(task.shots, reasons, strict=True))
    return EyeInHandResult(
        Pose.identity(), Pose.identity(), link, base, None, None, Status.FAILED, message,
        () if target is None else (target,), pictures,
    )  # fmt: skip
