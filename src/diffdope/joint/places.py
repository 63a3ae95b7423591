"""Places of cameras that nobody measured, from the objects that they and others see.

An object that two cameras see tells where one stands by another: T_w2c = T_u_o (T_v_o)^-1 T_w2v. Each pair of answers
proposes, in every turn that goes unnoticed, and what all objects say together decides. One round object alone leaves
open how the camera is turned about its axis, and two answers that fit alike are not decided by chance: such a camera
keeps no place, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, difference
from diffdope.joint.chain import by_camera, camera_difference, moved_camera
from diffdope.joint.merge import APART, ELSEWHERE, LEAST, Single, single_of
from diffdope.joint.normal_equations import Where
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.scene import Scene
from diffdope.scene.view import LARGEST_DEG, LARGEST_M
from diffdope.search.alternatives.canonical import Unnoticed, nearest_alike

F64 = NDArray[np.float64]

_SURE = 0.5  # probability from which on a place is one: likelier than all others together
_TURNS = 72  # of something round, about its axis: steps of 5 degrees
_BETWEEN_RAD = 2.0 * np.pi / _TURNS / np.sqrt(12.0)  # deviation of what lies anywhere between two of them
_OPEN_RAD = np.pi  # deviation about the axis of something round, of which nothing tells the turn
_UNLIKELY = 0.01  # probability of a pair of answers, below which it proposes nothing
_STEPS = 3  # of Gauss-Newton, from a place that is nearly right
_WIDER = 3.0  # times the deviations of a place: images tell it anew, and what led there must not count twice


class FoundPlace(NamedTuple):
    """Where a camera stands.

    T_w2c; sigma (metres, degrees) by which that may be off; by: numbers of the objects that say so; floor (6, 6) of a
    camera's step, of what no covariance of theirs knows: masks that are off, meshes that are not quite the things.
    """

    T_w2c: Pose
    sigma: tuple[float, float]
    by: tuple[int, ...]
    floor: F64


@dataclass(frozen=True)
class Places:
    """What was found.

    Attributes:
        world: number of the view whose frame is the world; None where some places were given.
        found: by view.
        open: why a view has none, by view.
    """

    world: int | None
    found: Mapping[int, FoundPlace]
    open: Mapping[int, str]


class _Sight(NamedTuple):
    """An answer of one view: object, T_c_o, its probability, and (6, 6) of T_c_o."""

    obj: int
    pose: Pose
    probability: float
    covariance: F64


class _Pair(NamedTuple):
    """One object in the camera that is looked for, and as a placed camera has it there at a candidate.

    seen: T_u_o; known: T_w_o; error (6, 6) of both, in the camera's axes; floor (6,) variances of one of them;
    probability of both.
    """

    obj: int
    seen: Pose
    known: Pose
    error: F64
    floor: F64
    probability: float


class _Candidate(NamedTuple):
    """T_w2c, (6, 6) of a camera's step, log likelihood, and the pair of each object that agrees."""

    T_w2c: Pose
    covariance: F64
    log_likelihood: float
    odds: float
    pairs: tuple[_Pair, ...]


def places_of(
    singles: Mapping[Where, Single], count: int, given: Mapping[int, Pose], refiners: Sequence[Refiner]
) -> Places:
    """Places of all views that objects tie to one whose place is known, one after the other, the surest first.

    Args:
        singles: what each view found on its own.
        count: how many views there are.
        given: T_w2c of those whose place is known; where there is none, the world is the first that shows an object.
        refiners: of the objects.
    """
    placed, world = dict(given), None
    if not placed:
        world = min((view for view, _ in singles), default=0)
        placed[world] = Pose.identity()
    found: dict[int, FoundPlace] = {}
    while True:
        missing = [view for view in range(count) if view not in placed]
        looked = {view: _looked(view, singles, placed, refiners) for view in missing}
        sure = {view: one for view, one in looked.items() if isinstance(one, tuple) and one[0] >= _SURE}
        if not sure:
            return Places(world, found, {view: _why(one) for view, one in looked.items()})
        best = max(sure, key=lambda view: sure[view][0])
        found[best] = _place(sure[best][1])
        placed[best] = found[best].T_w2c


def places_of_views(
    scene: Scene, found: Mapping[Where, RefinementResult], refiners: Sequence[Refiner]
) -> Places:  # fmt: skip
    """Of the views of a scene that have none, by what each found on its own."""
    singles = {where: single_of(result, refiners[where[1]]) for where, result in found.items()}
    given = {view: one.T_w2c for view, one in enumerate(scene.views) if view not in scene.unplaced}
    return places_of({w: one for w, one in singles.items() if one is not None}, len(scene.views), given, refiners)


def _why(looked: tuple[float, _Candidate, int] | str) -> str:
    if isinstance(looked, str):
        return looked
    if looked[2] > 1:
        return (
            "the objects that others see, too, fit several places alike: show one that looks different from all "
            "sides, or more of them"
        )
    return "the objects that others see, too, are not found surely, or stand otherwise to each other there"


def _looked(
    view: int, singles: Mapping[Where, Single], placed: Mapping[int, Pose], refiners: Sequence[Refiner]
) -> tuple[float, _Candidate, int] | str:
    """How probable the best place is, that place, and how many fit alike; or why there is none."""
    sights = {where: _sights(where[1], one) for where, one in singles.items()}
    here = {obj: some for (v, obj), some in sights.items() if v == view and some}
    there: dict[int, list[_Sight]] = {}
    for (v, obj), some in sights.items():
        if v in placed and obj in here and some:
            there.setdefault(obj, []).extend(_in_world(one, placed[v]) for one in some)
    if not there:
        return "no object that is found in it is found by a camera whose place is known"
    every = [
        _judged(T_w2c, own, here, there, singles, view, refiners)
        for T_w2c, own in _proposed(here, there, refiners)
    ]  # fmt: skip
    if not every:
        return "the objects that others see, too, are not found surely"
    most = max(one.log_likelihood for one in every)
    every = [_averaged(one, refiners) for one in every if one.log_likelihood > most + np.log(_UNLIKELY)]
    every.sort(key=lambda one: -one.log_likelihood)
    distinct: list[_Candidate] = []
    for one in every:
        if not any(_same(one, other) for other in distinct):
            distinct.append(one)
    odds = np.exp([one.log_likelihood - distinct[0].log_likelihood for one in distinct])
    share = float(1.0 / odds.sum())
    alike = int(np.count_nonzero(odds > _SURE))
    return share * distinct[0].odds / (1.0 + distinct[0].odds), distinct[0], alike


def _sights(obj: int, single: Single) -> list[_Sight]:
    return [_Sight(obj, pose, share, single.covariance) for pose, share in single.answers if share > _UNLIKELY]


def _in_world(sight: _Sight, T_w2c: Pose) -> _Sight:
    back = np.kron(np.eye(2), T_w2c.R_m2c.T)
    return sight._replace(pose=T_w2c.inverse() @ sight.pose, covariance=back @ sight.covariance @ back.T)


def _proposed(
    here: Mapping[int, Sequence[_Sight]], there: Mapping[int, Sequence[_Sight]], refiners: Sequence[Refiner]
) -> Iterator[tuple[Pose, F64]]:
    """T_w2c by every pair of answers and every turn that goes unnoticed, and (6, 6) of a camera's step there."""
    for obj, known in there.items():
        same = refiners[obj].meshes.unnoticed
        if same.centre_m is not None and same.axis is None:  # a ball
            continue
        for one in here[obj]:
            for other in known:
                if one.probability * other.probability <= _UNLIKELY:
                    continue
                for R, t_m in _motions(same):
                    seen = Pose(one.pose.R_m2c @ R, one.pose.t_m2c + one.pose.R_m2c @ t_m)
                    T_w2c = seen @ other.pose.inverse()
                    error = _error(one, other, T_w2c, same, _BETWEEN_RAD)
                    back = np.linalg.inv(by_camera(seen))
                    yield T_w2c, back @ error @ back.T


def _motions(same: Unnoticed) -> list[tuple[F64, F64]]:
    """Of the model, that nobody notices; of something round in steps, upright and, if that goes, upside down."""
    if same.axis is None or same.centre_m is None:
        return list(zip(same.R, same.t_m, strict=True))
    over = [k for k in range(len(same.R)) if float((same.R[k] @ same.axis) @ same.axis) < 0.0][:1]
    turns = [so3.exp(2.0 * np.pi * k / _TURNS * same.axis) for k in range(_TURNS)]
    about = [(turn, same.centre_m - turn @ same.centre_m) for turn in turns]
    return [(R @ turn, t_m + R @ t) for R, t_m in [(same.R[k], same.t_m[k]) for k in (0, *over)] for turn, t in about]


def _error(one: _Sight, other: _Sight, T_w2c: Pose, same: Unnoticed, turn_rad: float) -> F64:
    """(6, 6) of what two sights of an object are off together, in the camera's axes; about its axis by a turn, too."""
    carry = np.kron(np.eye(2), T_w2c.R_m2c)
    error = one.covariance + carry @ other.covariance @ carry.T
    if same.axis is not None:
        axis = one.pose.R_m2c @ same.axis
        error = error.copy()
        error[3:, 3:] += turn_rad**2 * np.outer(axis, axis)
    return np.asarray(error, np.float64)


def _judged(
    T_w2c: Pose, covariance: F64, here: Mapping[int, Sequence[_Sight]], there: Mapping[int, Sequence[_Sight]],
    singles: Mapping[Where, Single], view: int, refiners: Sequence[Refiner],
) -> _Candidate:  # fmt: skip
    """What all objects say to a place; of each, the answers that agree best with it."""
    log_likelihood, odds, pairs = 0.0, 1.0 / ELSEWHERE, []
    for obj, known in there.items():
        same = refiners[obj].meshes.unnoticed
        best: _Pair | None = None
        fits = max(singles[view, obj].elsewhere, LEAST)
        for other in known:
            expected = T_w2c @ other.pose
            J = by_camera(expected)
            for one in here[obj]:
                turned = nearest_alike(one.pose, expected, same)
                error = _error(one._replace(pose=turned), other, T_w2c, same, _OPEN_RAD)
                probability = one.probability * other.probability
                away = difference(turned, expected)
                squares = float(away @ np.linalg.solve(error + J @ covariance @ J.T, away))
                fit = probability * float(np.exp(-0.5 * squares))
                if squares < 6.0 * APART**2 and fit > fits:
                    best, fits = _Pair(obj, turned, other.pose, error, singles[view, obj].floor, probability), fit
        surest = max(one.probability for one in here[obj]) * max(one.probability for one in known)
        log_likelihood += float(np.log(fits))
        if best is None:
            odds *= max(1.0 - surest, LEAST) / max(surest, LEAST)
        else:
            pairs.append(best)
            odds *= ELSEWHERE * best.probability / max(1.0 - best.probability, LEAST)
    return _Candidate(T_w2c, covariance, log_likelihood, odds, tuple(pairs))


def _same(one: _Candidate, other: _Candidate) -> bool:
    away = camera_difference(one.T_w2c, other.T_w2c)
    return float(away @ np.linalg.solve(one.covariance + other.covariance, away)) / 6.0 < APART**2


def _averaged(best: _Candidate, refiners: Sequence[Refiner]) -> _Candidate:
    """The place by all objects that agree, each with its covariance, and how far off it may be."""
    T_w2c, covariance = best.T_w2c, best.covariance
    for _ in range(_STEPS if best.pairs else 0):
        information, pull = np.zeros((6, 6)), np.zeros(6)
        for pair in best.pairs:
            expected = T_w2c @ pair.known
            J, turned = by_camera(expected), nearest_alike(pair.seen, expected, refiners[pair.obj].meshes.unnoticed)
            own = J.T @ np.linalg.inv(pair.error)
            information += own @ J
            pull += own @ difference(turned, expected)
        covariance = np.asarray(np.linalg.inv(information), np.float64)
        T_w2c = moved_camera(T_w2c, covariance @ pull)
    return best._replace(T_w2c=T_w2c, covariance=covariance)


def _place(best: _Candidate) -> FoundPlace:
    off = np.sqrt(np.diag(best.covariance))
    metres, degrees = _WIDER * float(off[:3].max()), _WIDER * float(np.degrees(off[3:].max()))
    steps = [(by_camera(best.T_w2c @ pair.known), pair.floor) for pair in best.pairs]
    floor: F64 = np.asarray(
        np.linalg.inv(sum((J.T @ np.diag(1.0 / one) @ J for J, one in steps), np.zeros((6, 6)))), np.float64
    )
    by, sigma = tuple(pair.obj for pair in best.pairs), (min(metres, LARGEST_M), min(degrees, LARGEST_DEG))
    return FoundPlace(best.T_w2c, sigma, by, floor)
