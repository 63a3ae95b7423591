"""Whether a result lies where no start was meant to lead, along the view.

The images determine distance over size alone, so the distance is as right as unit, CAD model and K are. The start is
all that could tell: the farther it was off along the view, the likelier is one of them wrong, unless it was as far off
across the view and in its turn, which no size explains.

Depth that is compared says how far away the object is, if its scale is right. Without a mask, an outline that follows
it contradicts nothing, and the start is again all that could tell. But a start that was placed by an object's size in a
photograph is off along the view, too, and by as much. So between the two nothing decides, and nothing fails.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import fit_of, log_odds, sigmoid
from diffdope.estimate.start_weight import SCALES
from diffdope.geometry.pose import Pose, difference
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.level_problem import LevelProblem
from diffdope.search.checks.contradictions import LEAST, NONE, Doubt, how_it_begins, softened

F64 = NDArray[np.float64]

_EXPECTED, _FAR = 0.4, 0.6
"""Of what a start is allowed to be off along the view, from where on a size may be wrong, and from where on nothing but
its other errors says that it is not: of 78 right results, 12 were farther than the first."""
_LOST = 1.5, 2.5
"""The same from where on the object may be lost, and from where on it is: no search looks so far. Of 71 right results
that were farther than expected, the farthest were at 1.6."""
_WRONG = 1.0 / 3.0  # probability that a size is wrong, of what lies so far: a quarter would make 6 of 102 wrong surer
_TOLD = 0.9  # probability of a right depth above which no word is said: 21 of 28 starts 20 deg and 30 mm off have it
_WRONG_BY = 0.1  # deviation of sizes that are wrong, as a share; of K of another picture or of a wrong unit by more
_LARGEST_TURN = 0.5 * np.pi  # radians: what lies farther was found the other way round, which no start's error is


def of_departure(
    level: LevelProblem, pose: Pose, start: Pose, length_m: float, *, angle_rad: float, distance: float
) -> Doubt:  # fmt: skip
    """Whether a result without depth lies farther along the view than its start was meant to allow, or nearly so.

    Args:
        level: what was compared.
        pose: the result.
        start: as given.
        length_m: the object's diameter.
        angle_rad: by which a start may be off.
        distance: the same of its place, as a share of the diameter.
    """
    moved_m = float(np.linalg.norm(pose.t_m2c) - np.linalg.norm(start.t_m2c))
    allowed_m = max(distance * length_m, LEAST)
    share = abs(moved_m) / allowed_m
    if "depth" in level.modalities or share <= _EXPECTED:
        return NONE
    scale_right = right_beside_start(pose, start, angle_rad=angle_rad, distance_m=allowed_m)
    at_most = max(softened((_FAR - share) / (_FAR - _EXPECTED)), log_odds(fit_of(scale_right)))
    at_most = min(at_most, softened((_LOST[1] - share) / (_LOST[1] - _LOST[0])))
    where = f"{1e3 * abs(moved_m):.0f} mm {'farther' if moved_m > 0 else 'nearer'} than the start has it"
    if how_it_begins(at_most) == "scale":
        text = (
            f"scale: without depth, the distance rests on the unit, the size of the CAD model and K, and the object "
            f"was found {where}"
        )
        return Doubt(at_most, Note(NoteCode.DISTANCE_UNSURE, text))
    text = (
        f"contradiction: without depth the object was found {where}, more than starts are expected to be off: "
        "is the start, the unit, the size of the CAD model or K wrong?"
    )
    return Doubt(at_most, Note(NoteCode.DISTANCE, text))


def of_departure_of_depth(
    level: LevelProblem, pose: Pose, start: Pose, length_m: float, *, angle_rad: float, distance: float, off: float
) -> Doubt:  # fmt: skip
    """Whether depth that nothing but a start could contradict has an object farther along the view than the start may.

    Args:
        level: what was compared, with depth.
        pose: the result.
        start: as given.
        length_m: the object's diameter.
        angle_rad: by which a start may be off.
        distance: the same of its place, as a share of the diameter.
        off: the probability beforehand that depth's scale is wrong, 0 for depth that is trusted.
    """
    moved_m = float(np.linalg.norm(pose.t_m2c) - np.linalg.norm(start.t_m2c))
    allowed_m = max(distance * length_m, LEAST)
    share = abs(moved_m) / allowed_m
    if off <= 0.0 or "mask" in level.modalities or share <= _EXPECTED:
        return NONE
    depth_right = depth_right_beside_start(pose, start, angle_rad=angle_rad, distance_m=allowed_m, off=off)
    at_most = max(softened((_FAR - share) / (_FAR - _EXPECTED)), log_odds(fit_of(depth_right)))
    if depth_right > _TOLD:
        return Doubt(at_most, "")
    text = (
        f"scale: depth has the object {1e3 * abs(moved_m):.0f} mm {'farther' if moved_m > 0 else 'nearer'} than the "
        "start, which is off by less otherwise: is the depth scale, the unit, the CAD model or K wrong, or was the "
        "start placed by the object's size in a photograph?"
    )
    return Doubt(at_most, Note(NoteCode.DISTANCE_UNSURE, text))


def right_beside_start(pose: Pose, start: Pose, *, angle_rad: float, distance_m: float) -> float:
    """The probability that sizes are right, where nothing but the start tells; see `_start_for_sizes`."""
    for_sizes = _start_for_sizes(pose, start, angle_rad=angle_rad, distance_m=distance_m)
    return sigmoid(log_odds(1.0 - _WRONG) + for_sizes)


def depth_right_beside_start(
    pose: Pose, start: Pose, *, angle_rad: float, distance_m: float, off: float
) -> float:  # fmt: skip
    """The probability that depth's scale is right, where nothing but the start tells: at least a half.

    For starts that were placed by a size are as likely beforehand as depth that is off, and off along the view alike.

    Args:
        pose: the result.
        start: as given.
        angle_rad: see `_start_for_sizes`.
        distance_m: the same.
        off: the probability beforehand that depth is off.
    """
    for_sizes = _start_for_sizes(pose, start, angle_rad=angle_rad, distance_m=distance_m)
    odds = 1.0 + (1.0 - off) / off * float(np.exp(for_sizes))
    return odds / (1.0 + odds)


def _start_for_sizes(pose: Pose, start: Pose, *, angle_rad: float, distance_m: float) -> float:
    """Log likelihood ratio of a start whose error along the view is like its others, over one of a wrong size.

    The start's errors are N(0, s^2) in units of what it may be off, with one s that is unknown, as in `start_weight`;
    if a size is wrong by a share N(0, w^2), so is the distance. Across the view and in turns a size changes nothing,
    and they tell s: both, or one of them alone, for starts may be turned well and placed badly.

    Args:
        pose: the result.
        start: as given.
        angle_rad: root mean square of a start's turn, if s is 1.
        distance_m: the same of its shift.
    """
    way = difference(start, pose)
    metres, radians = (max(unit, LEAST) / np.sqrt(3.0) for unit in (distance_m, angle_rad))
    along_m = float(way[:3] @ pose.t_m2c) / float(np.linalg.norm(pose.t_m2c))
    across_m2, turn = max(float(way[:3] @ way[:3]) - along_m**2, 0.0), float(np.linalg.norm(way[3:]))
    told = [_told(across_m2 / metres**2, 2)]
    if turn < _LARGEST_TURN:
        told += [_told((turn / radians) ** 2, 3), _told(across_m2 / metres**2 + (turn / radians) ** 2, 5)]
    share = np.mean(told, axis=0)
    variance = (metres * SCALES) ** 2
    wrong = variance + (_WRONG_BY * float(np.linalg.norm(pose.t_m2c))) ** 2
    return _log_likely(share, along_m, variance) - _log_likely(share, along_m, wrong)


def _told(squares: float, count: int) -> F64:
    """The probability (K,) of each scale, by the sum of squares of so many errors of unit deviation times the scale."""
    likely = -0.5 * squares / SCALES**2 - count * np.log(SCALES)
    share = np.exp(likely - likely.max())
    return np.asarray(share / share.sum())


def _log_likely(share: F64, along_m: float, variance: F64) -> float:
    """Log likelihood, but for a constant, of an error along the view, with variances (K,) of these probabilities."""
    return float(np.logaddexp.reduce(np.log(share + LEAST) - 0.5 * (along_m**2 / variance + np.log(variance))))
