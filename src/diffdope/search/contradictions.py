"""What contradicts a result, though each of its modalities may fit: sizes and kinds of depth, and sudden departures.

An object that is s times as large, s times as far away, looks the same, but for its depth. So depth that disagrees with
outline and colours about the object's size shows a model, a depth scale or a focal length that is wrong; without depth
nothing does but that the result lies where nobody expected it. Depth along the ray in place of the optical axis is too
far by a factor that depends on the pixel alone, and away from the middle of the picture it disagrees with the outline.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.problem import Problem
from diffdope.problem.variables import Variables
from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise
from diffdope.terms.layout import DEPTH, MASK

F64 = NDArray[np.float64]

SMALLER, LARGER = (0.95, 0.9, 0.85), (1.05, 1.1, 1.15)
"""Sizes that are tried in any case: what is off by more fits nowhere."""
_FINE = ((0.99, 0.98, 0.97, 0.96, *SMALLER), (1.01, 1.02, 1.03, 1.04, *LARGER))
"""Sizes that are tried one after the other as long as each fits better than the one before."""
_WORTH_STEPS = 1.35  # ratio of costs, before any step ...
_WORTH_STEPS_OFF = 2.0  # ... and where the mask does not fit either: of depth 5 % off, 1.35 missed 2 of 13
_OVERLAPS = 0.95  # of 13 results whose depth is 5 % off, the most was 0.948
_MASKED = (0.80, 0.88)  # ratio of costs after these steps that contradicts a result, and that does not at all
_UNMASKED = (0.945, 0.98)  # the same without a mask, where nothing but depth and colours feels the size
_MUCH = 0.9
_WORTH_FINE = 1.1  # ratio of costs before any step: of a box 1 % too far, 0.85 to 1.06; of right results, often less
_UNSURE = (0.85, 0.95)  # ratio after these steps that shows a wrong distance, and that does not; right ones: 0.995
_MASK_LEFT = (0.45, 0.7)  # share of the mask's own cost: 2 % off, 0.23 to 0.59; right ones with noisy masks from 0.63
_SMALL = 0.025  # of a size: cameras err by as much, which makes the distance less sure, and is no contradiction
_STEPS = 8
_OTHER_KIND = 0.94  # ratio of costs after these steps: of 102 right poses whose depth costs less, the least was 0.967
_SAME_KIND = 0.003  # share by which both kinds differ that does not matter: a millimetre or two
_DEPTH_FITS = 0.9  # ratio of the depth's own cost: what is better for another reason leaves depth as it was
_EXPECTED = 0.4  # of what a start is allowed to be off along the view: of 78 right results, 12 were farther
_LEAST = 1e-12  # of a cost by which another is divided

AT_MOST = -2.0
"""Log odds, of the right minimum a probability of 0.2: a premise is wrong, and nobody knows which."""
CONTRADICTED = 0.12
"""The confidence that a result has at most where its images as a whole are doubted. A film that begins so is not lost
(`TrackingSettings.lost`)."""
_FAILS = -0.8  # log odds below which the right minimum is doubted (`right_minimum` of a result from a start)
_HARDLY = 3.0  # log odds where a contradiction begins to show: they fall from there to `AT_MOST`


class Doubt(NamedTuple):
    """The log odds that a result has at most, and why."""

    at_most: float
    note: str
    share: float = np.inf
    """Of the cost that is left where the note is right."""
    off_m: float = 0.0
    """How far the object may be off along the view for it, a deviation in metres."""


NONE = Doubt(np.inf, "")


def of_size(
    level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings, *, overlap: float | None = None,
    log_odds: float = np.inf,
) -> Doubt:  # fmt: skip
    """Whether depth and the other modalities agree better about an object of another size.

    Args:
        level: a coarse one, prepared near the pose.
        pose: the result.
        length_m: the object's diameter.
        step: of the solver.
        overlap: of the result with the mask: where this is good, sizes that look dear are not looked at more closely.
        log_odds: of the result, by its fit: what has failed anyhow may fit a little better at any size.
    """
    if "depth" not in level.modalities or len(level.modalities) < 2:
        return NONE
    likely, unlikely = _UNMASKED if "mask" not in level.modalities and log_odds > _FAILS else _MASKED
    own = _cost(level, 1.0, pose, length_m)
    off = overlap is not None and overlap < _OVERLAPS
    given = level, pose, length_m, step
    coarse = _worth(*given, (SMALLER, LARGER), (_WORTH_STEPS_OFF if off else _WORTH_STEPS) * own)
    fine = _worth(*given, _FINE, _WORTH_FINE * own)
    if coarse is None and fine is not None and abs(fine.scale - 1.0) > _SMALL:
        coarse = _descended(*given, LARGER if fine.scale > 1.0 else SMALLER)
    found = [one for one in (fine, coarse) if one is not None]
    best = min(found, key=lambda one: one.cost, default=None)
    if best is None or best.cost >= max(_UNSURE[1], unlikely) * own:
        return NONE
    here = _descended(*given, (1.0,))  # as many steps: it is the minimum of a finer level
    ratio = best.cost / max(here.cost, _LEAST)
    at_most = np.inf if coarse is None else _contradicted(coarse, here, (likely, unlikely))
    off_m = _unsure(best, here, ratio) * abs(1.0 - 1.0 / best.scale) * float(np.linalg.norm(pose.t_m2c))
    if at_most == np.inf and off_m == 0.0:
        return NONE
    return Doubt(at_most, _size_in_words(best.scale, ratio, off_m, _kind(at_most)), ratio, off_m)


class _Sized(NamedTuple):
    """The object of another size: what that costs after some steps, and what of it is the mask's."""

    scale: float
    cost: float
    mask: float


def _worth(
    level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings, sides: tuple[tuple[float, ...], ...],
    most: float,
) -> _Sized | None:  # fmt: skip
    """The best size of the side whose first size costs less; None where that costs more than `most`."""
    costs = [_cost(level, side[0], pose, length_m) for side in sides]
    least = int(np.argmin(costs))
    return _descended(level, pose, length_m, step, sides[least]) if costs[least] <= most else None


def _contradicted(other: _Sized, here: _Sized, ratios: tuple[float, float]) -> float:
    """Log odds that a result has at most beside one of another size, infinite where that says nothing.

    Args:
        other: by far another size.
        here: the result's own.
        ratios: of costs, that contradicts, and that does not.
    """
    likely, unlikely = ratios
    share = max((other.cost / max(here.cost, _LEAST) - likely) / (unlikely - likely), _mask_says_nothing(other, here))
    return _softened(share) if share < 1.0 else np.inf


def _unsure(best: _Sized, here: _Sized, ratio: float) -> float:
    """From 0 to 1, how far another size shows that the distance is wrong."""
    share = max((ratio - _UNSURE[0]) / (_UNSURE[1] - _UNSURE[0]), _mask_says_nothing(best, here))
    return float(np.clip(1.0 - share, 0.0, 1.0))


def _mask_says_nothing(other: _Sized, here: _Sized) -> float:
    """From 0 (it tells the size) to 1: a mask that fits another size no better is not exact enough to tell it.

    A detector's mask that is some pixels too wide fits a larger object better, but no size well. At most 0 is returned
    without a mask.
    """
    if here.mask <= _LEAST:
        return -np.inf
    return (other.mask / here.mask - _MASK_LEFT[0]) / (_MASK_LEFT[1] - _MASK_LEFT[0])


def _size_in_words(scale: float, ratio: float, off_m: float, kind: str) -> str:
    """What depth and the other images say about the size."""
    share, larger = f"{abs(round(100.0 * (scale - 1.0)))} %", scale > 1.0
    along = f"; the distance is known to about {1e3 * off_m:.1f} mm" if off_m > 0.0 and kind == "scale" else ""
    return Note(
        NoteCode.DEPTH_SCALE if kind == "contradiction" else NoteCode.DEPTH_SCALE_UNSURE,
        f"{kind}: depth and the other images agree {'much' if ratio < _MUCH else 'a little'} better if the "
        f"object were {share} {'larger' if larger else 'smaller'} than its model, or the depth {share} "
        f"{'less' if larger else 'more'}, or the focal length {share} {'longer' if larger else 'shorter'}: is the "
        f"unit, the CAD model, the depth scale or K (of another picture size?) wrong?{along}",
    )


def _softened(share: float) -> float:
    """Log odds that a result has at most, from what contradicts it (0) to what hardly does (1)."""
    return AT_MOST + (_HARDLY - AT_MOST) * float(np.clip(share, 0.0, 1.0))


def _kind(at_most: float) -> str:
    """How a note begins: one that makes a result fail is a contradiction."""
    return "contradiction" if at_most < _FAILS else "scale"


def of_kind(level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings) -> Doubt:
    """Whether depth fits much better as distances along each pixel's ray, or, if it was made from these, as it was.

    Args:
        level: a coarse one, prepared near the pose.
        pose: the result.
        length_m: the object's diameter.
        step: of the solver.
    """
    if "depth" not in level.modalities or len(level.modalities) < 2:
        return NONE
    bend = float(np.linalg.norm(pose.t_m2c) / pose.t_m2c[2]) if pose.t_m2c[2] > 0.0 else 1.0
    if bend - 1.0 < _SAME_KIND:
        return NONE
    camera = level.crop.camera
    lengths = np.linalg.norm(camera.back_project(np.ones((camera.height, camera.width))), axis=-1).ravel()
    own = _evaluated(level, 1.0, pose, length_m)
    sides = [
        _of_kind(level, pose, length_m, *side) for side in (("ray", 1.0 / lengths, 1.0 / bend), ("axis", lengths, bend))
    ]
    side = min(sides, key=lambda one: one.cost)
    if side.cost > _WORTH_STEPS * own[0]:
        return NONE
    problem = _problem(level, side.factor, length_m)
    ended = minimise(problem, *_state(side.pose, 1.0), iterations=_STEPS, settings=step)
    found = Pose(ended.R[0, 0], ended.t[0, 0])
    total, depth = (a / b for a, b in zip(_evaluated(level, side.factor, found, length_m), own, strict=True))
    if total > _OTHER_KIND or depth > _DEPTH_FITS:
        return NONE
    off = 1e3 * found.distance_to(pose)
    word, cure = ("the ray", "divide it") if side.kind == "ray" else ("the optical axis", "do not divide it")
    text = (
        f"contradiction: depth fits better as distances along {word}, with a pose {off:.1f} mm away: give --depth-kind "
        f"{side.kind}, or in Python {cure} by the lengths of the pixels' rays"
    )
    return Doubt(AT_MOST, Note(NoteCode.DEPTH_KIND, text), total)


def of_departure(level: LevelProblem, pose: Pose, start: Pose, allowed_m: float) -> Doubt:
    """Whether a result without depth lies farther along the view than its start was meant to allow, or nearly so.

    The images determine distance over size alone, so the distance is as right as unit, CAD model and K are. The start
    is all that could tell: the farther it was off, the likelier is one of them wrong.

    Args:
        level: what was compared.
        pose: the result.
        start: as given.
        allowed_m: metres.
    """
    moved_m = float(np.linalg.norm(pose.t_m2c) - np.linalg.norm(start.t_m2c))
    share = abs(moved_m) / max(allowed_m, _LEAST)
    if "depth" in level.modalities or share <= _EXPECTED:
        return NONE
    at_most = _softened((1.0 - share) / (1.0 - _EXPECTED))
    where = f"{1e3 * abs(moved_m):.0f} mm {'farther' if moved_m > 0 else 'nearer'} than the start has it"
    if _kind(at_most) == "scale":
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


def _problem(level: LevelProblem, factor: float | F64, length_m: float) -> Problem:
    """Of depths that are a multiple, one for all pixels or one for each (H * W,).

    With 1 / s it is that of an object that is s times as large, whose poses are given as if it were not.
    """
    image = level.factor if np.ndim(factor) == 0 and factor == 1.0 else level.factor.of_depth_times(factor)
    return Problem(Variables.one_object(0.5 * length_m), [image], priors=[], quadratics=[])


def _descended(
    level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings, scales: tuple[float, ...]
) -> _Sized:  # fmt: skip
    """The size that costs least after some steps: the next as long as that costs less."""
    best = _Sized(1.0, np.inf, 0.0)
    for scale in scales:
        problem = _problem(level, 1.0 / scale, length_m)
        ended = minimise(problem, *_state(pose, scale), iterations=_STEPS, settings=step)
        if ended.cost[0] >= best.cost:
            break
        best = _Sized(scale, float(ended.cost[0]), float(ended.history_each[-1, 0, MASK]))
    return best


def _cost(level: LevelProblem, scale: float, pose: Pose, length_m: float) -> float:
    """Of a pose whose drawing stays the same when the object grows."""
    R, t = _state(pose, scale)
    return float(_problem(level, 1.0 / scale, length_m).evaluate(R, t, with_normal=False).cost[0])


def _evaluated(level: LevelProblem, factor: float | F64, pose: Pose, length_m: float) -> tuple[float, float]:
    """The cost of a pose with depths that are a multiple, and depth's own, at least what rounding leaves."""
    found = _problem(level, factor, length_m).evaluate(*_state(pose, 1.0), with_normal=False)
    return max(float(found.cost[0]), _LEAST), max(float(found.each[0, DEPTH]), _LEAST)


class _Side(NamedTuple):
    """Depth as of the other kind: times a factor a pixel; the pose moved along the view by that of its middle; cost."""

    kind: str
    factor: F64
    pose: Pose
    cost: float


def _of_kind(level: LevelProblem, pose: Pose, length_m: float, kind: str, factor: F64, scale: float) -> _Side:
    moved = Pose(pose.R_m2c, scale * pose.t_m2c)
    return _Side(kind, factor, moved, _evaluated(level, factor, moved, length_m)[0])


def _state(pose: Pose, scale: float) -> tuple[F64, F64]:
    """(1, 1, 3, 3) and (1, 1, 3). Copies, for numba takes arrays that cannot be written to for another type, and would
    compile everything once more.
    """
    return np.array(pose.R_m2c)[None, None], np.array(pose.t_m2c)[None, None] / scale
