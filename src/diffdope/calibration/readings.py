"""What pictures and joint values may have been meant to be, where they do not fit: mirrored, or in another order.

Webcams mirror what they show, columns of joints have another order than the names (ROS sorts them by the alphabet),
axes point the other way. All pictures may then agree on a camera that is wrong. No residual of that camera tells which
of these it is; but the right reading costs an eighth or less of what the wrong one does, so a search with each tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from diffdope.calibration.assess import is_shaky, moved
from diffdope.calibration.result import CalibrationResult
from diffdope.calibration.search import CalibrationSearch
from diffdope.calibration.shots import Shot
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.failure import Status
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot

_SUSPECT = frozenset({NoteCode.LINK_MISFIT, NoteCode.PICTURE_LEFT_OUT, NoteCode.JOINT_ZERO, NoteCode.OUTLINES_APART})
_LESS = 0.5  # of the cost of what was given: wrong readings are within a third of each other
_PLAIN = 0.2  # of that cost: no other is looked for; right ones have 0.01 to 0.12, drawn and real
_ALIKE = 1.5  # times the lowest cost, within which another reading is as good
_MOST_EXCHANGED = 8  # joints of which all pairs are tried; of more, neighbours
_FULL_TURN = 2.0 * math.pi
_LEAST_PICTURES = 3  # with fewer, one reading or another fits by chance

Values = Mapping[str, float]


class Reading(NamedTuple):
    """One thing that the inputs may have been meant to be, in words, and the pictures with it."""

    code: NoteCode
    text: str
    cure: str
    shots: Callable[[Sequence[Shot]], list[Shot]]


def told_of_readings(
    result: CalibrationResult,
    robot: Robot,
    shots: Sequence[Shot],
    cost_of: Callable[[Sequence[Shot], CalibrationSearch], float],
    calibrated: Callable[[Sequence[Shot], None], CalibrationResult],
    search: CalibrationSearch,
    say: Callable[[str], None],
) -> CalibrationResult:
    """A result that contradicts itself, with the word that another reading of the inputs fits where one does.

    The pose stays what it is: whether the reading is right, the user knows.

    Args:
        result: of the inputs as they were given.
        robot: in full detail.
        shots: checked ones.
        cost_of: what the median picture pays for the best pose of a search by these settings.
        calibrated: a whole calibration.
        search: settings of the calibration.
        say: takes what is being done.
    """
    if len(shots) < _LEAST_PICTURES or any(shot.observation.mask_box is None for shot in shots):
        return result
    if result.status is Status.CONVERGED and not _SUSPECT & set(result.note_codes):
        return result
    given, convincing = cost_of(shots, search), search.doubtful
    if given <= convincing:
        return result
    say("looking whether pictures or joints were meant otherwise")
    costs: list[tuple[float, Reading]] = []
    for reading in readings(robot, shots):
        costs.append((cost_of(reading.shots(shots), search.brief), reading))
        if costs[-1][0] <= min(convincing, _PLAIN * given):
            break
    lowest, best = min(costs, key=lambda one: one[0], default=(math.inf, None))
    if best is None or lowest > min(convincing, _LESS * given):
        return result
    found = calibrated(best.shots(shots), None)
    used = sum(one.used for one in found.pictures)
    if found.status is not Status.CONVERGED or used < sum(one.used for one in result.pictures):
        return result
    alike = [one.text for cost, one in costs if one is not best and cost <= _ALIKE * lowest]
    others = f" (and with {', or with '.join(alike)})" if alike else ""
    text = f"with {best.text}, {used} of {len(shots)} pictures fit one place of the camera{others}: {best.cure}"
    note = Note(best.code, text)
    mirrored = best.code is NoteCode.PICTURES_MIRRORED
    if not (mirrored or is_shaky(moved(found.T_camera_base, result.T_camera_base))):
        return replace(result, notes=(note, *result.notes))
    return replace(result, status=Status.FAILED, message=str(note), notes=(note, *result.notes))


def readings(robot: Robot, shots: Sequence[Shot]) -> list[Reading]:
    """What is tried: mirrored pictures; degrees; joints in another order, in pairs exchanged, or of another sign.

    Args:
        robot: whose joints are meant.
        shots: checked ones.
    """
    names = list(robot.needed)
    turning = [name for name in names if name not in robot.sliding]
    cure = "are the pictures mirrored, as webcams show them? Give them as the sensor takes them, for K is of those"
    found = [Reading(NoteCode.PICTURES_MIRRORED, "the pictures mirrored, left and right", cure, _all_mirrored)]
    if any(abs(shot.joints[name]) > _FULL_TURN for shot in shots for name in turning):
        degrees = dict.fromkeys(turning, math.radians(1.0))
        found.append(_of_joints("the joints' values taken for degrees", "give radians", names, names, degrees))
    for text, order in _orders(robot, names):
        cure = "are the values in another order than the names?"
        found.append(_of_joints(text, cure, names, order, {}))
    if len(turning) > 1:
        cure = "do the axes of the description point the other way, or does the controller count the other way?"
        found.append(_of_joints("all angles negated", cure, names, names, dict.fromkeys(turning, -1.0)))
    for name in names:
        cure = "does its axis point the other way in the description?"
        found.append(_of_joints(f"the value of {name} negated", cure, names, names, {name: -1.0}))
    return [one for one in found if not _same(one.shots(shots), shots)]


def _orders(robot: Robot, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Names whose values each joint takes, and how that is said."""
    by_alphabet = sorted(names)
    back = [names[by_alphabet.index(name)] for name in names]
    if by_alphabet != names:
        yield "the joints' values taken in the order of the alphabet", back
    if back != by_alphabet:
        yield "the joints' values, sorted by the alphabet, taken in the description's order", by_alphabet
    yield "the joints' values in reverse order", names[::-1]
    every = len(names) <= _MOST_EXCHANGED
    pairs = (
        combinations(range(len(names)), 2) if every else zip(range(len(names) - 1), range(1, len(names)), strict=True)
    )
    for a, b in pairs:
        if (names[a] in robot.sliding) == (names[b] in robot.sliding):
            order = list(names)
            order[a], order[b] = names[b], names[a]
            yield f"the values of {names[a]} and {names[b]} exchanged", order


def _of_joints(text: str, cure: str, names: list[str], order: list[str], factors: Mapping[str, float]) -> Reading:
    def read(shots: Sequence[Shot]) -> list[Shot]:
        return [replace(shot, joints=_read(shot.joints, names, order, factors)) for shot in shots]

    return Reading(NoteCode.JOINTS_EXCHANGED, text, cure, read)


def _read(joints: Values, names: list[str], order: list[str], factors: Mapping[str, float]) -> dict[str, float]:
    taken = {name: joints[other] * factors.get(name, 1.0) for name, other in zip(names, order, strict=True)}
    return {**joints, **taken}


def _same(one: Sequence[Shot], other: Sequence[Shot]) -> bool:
    """Whether a reading changes nothing, as the sign of a joint that stays at 0 does."""
    return all(a.observation is b.observation and a.joints == b.joints for a, b in zip(one, other, strict=True))


def _all_mirrored(shots: Sequence[Shot]) -> list[Shot]:
    return [replace(shot, observation=_mirrored(shot.observation)) for shot in shots]


def _mirrored(observation: Observation) -> Observation:
    """Masks and depth, left for right: what the sensor took, whose K is given."""
    mask, depth = (None if image is None else image[:, ::-1] for image in (observation.mask, observation.depth))
    return Observation(observation.camera, mask=mask, depth=depth)
