"""Where a camera may stand, by the objects that it and placed cameras see: proposed, scored, averaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, difference
from diffdope.joint.chain import by_camera, camera_difference, moved_camera
from diffdope.joint.merge import APART, ELSEWHERE, LEAST, Single
from diffdope.joint.normal_equations import Where
from diffdope.pipelines.refiner import Refiner
from diffdope.search.alternatives.canonical import Unnoticed, nearest_alike

F64 = NDArray[np.float64]

_TURNS = 72  # of something round, about its axis: steps of 5 degrees
_BETWEEN_RAD = 2.0 * np.pi / _TURNS / np.sqrt(12.0)  # deviation of what lies anywhere between two of them
_OPEN_RAD = np.pi  # deviation about the axis of something round, of which nothing tells the turn
_UNLIKELY = 0.01  # probability of a pair of answers, below which it proposes nothing; of a place beside the likeliest
_STEPS = 3  # of Gauss-Newton, from a place that is nearly right


class Sight(NamedTuple):
    """An answer of one view: T_c_o (or T_w_o), its probability, and (6, 6) of that pose, as poses have it."""

    pose: Pose
    probability: float
    covariance: F64


class Sightings(NamedTuple):
    """Objects that a camera u and placed cameras have found.

    Attributes:
        here: by object, answers of camera u.
        there: by object, answers of the placed cameras, in the world.
        singles: by object, all that camera u says of it.
        unnoticed: by object, the motions of the model that nobody notices.
    """

    here: Mapping[int, Sequence[Sight]]
    there: Mapping[int, Sequence[Sight]]
    singles: Mapping[int, Single]
    unnoticed: Mapping[int, Unnoticed]


class SightPair(NamedTuple):
    """One object, as camera u and as a placed camera has it.

    Attributes:
        obj: its number.
        seen: T_u_o.
        known: T_w_o.
        error: (6, 6) of both, in the axes of camera u.
        floor: (6,) variances of one of them.
        probability: of both.
    """

    obj: int
    seen: Pose
    known: Pose
    error: F64
    floor: F64
    probability: float


class PlaceCandidate(NamedTuple):
    """A place of camera u.

    Attributes:
        T_w2c: the place.
        covariance: (6, 6) of a camera's step.
        log_likelihood: of what all objects say.
        odds: that the objects that agree are there not by chance.
        pairs: of each object that agrees, the answers that do so best.
    """

    T_w2c: Pose
    covariance: F64
    log_likelihood: float
    odds: float
    pairs: tuple[SightPair, ...]


def sightings_of(
    view: int, singles: Mapping[Where, Single], placed: Mapping[int, Pose], refiners: Sequence[Refiner]
) -> Sightings:  # fmt: skip
    """Of a view whose place is looked for, and the views whose places are known.

    Args:
        view: its number.
        singles: what each view found on its own.
        placed: T_w2c by view.
        refiners: of the objects.
    """
    sights = {where: _likely_answers(one) for where, one in singles.items()}
    here = {obj: some for (v, obj), some in sights.items() if v == view and some}
    there: dict[int, list[Sight]] = {}
    for (v, obj), some in sights.items():
        if v in placed and obj in here and some:
            there.setdefault(obj, []).extend(_in_world(one, placed[v]) for one in some)
    own = {obj: singles[view, obj] for obj in there}
    return Sightings(here, there, own, {obj: refiners[obj].meshes.unnoticed for obj in there})


def candidates_of(seen: Sightings) -> list[PlaceCandidate]:
    """Places that differ, the likeliest first; none where no pair of answers is likely enough to propose one."""
    every = [_scored(T_w2c, covariance, seen) for T_w2c, covariance in _proposed(seen)]
    if not every:
        return []
    most = max(one.log_likelihood for one in every)
    every = [_averaged(one, seen) for one in every if one.log_likelihood > most + np.log(_UNLIKELY)]
    every.sort(key=lambda one: -one.log_likelihood)
    distinct: list[PlaceCandidate] = []
    for one in every:
        if not any(_same(one, other) for other in distinct):
            distinct.append(one)
    return distinct


def _likely_answers(single: Single) -> list[Sight]:
    return [Sight(pose, share, single.covariance) for pose, share in single.answers if share > _UNLIKELY]


def _in_world(sight: Sight, T_w2c: Pose) -> Sight:
    back = np.kron(np.eye(2), T_w2c.R_m2c.T)
    return sight._replace(pose=T_w2c.inverse() @ sight.pose, covariance=back @ sight.covariance @ back.T)


def _proposed(seen: Sightings) -> Iterator[tuple[Pose, F64]]:
    """T_w2c by every pair of answers and every turn that goes unnoticed, and (6, 6) of a camera's step there."""
    for obj, known in seen.there.items():
        same = seen.unnoticed[obj]
        if same.centre_m is not None and same.axis is None:  # a ball
            continue
        for one in seen.here[obj]:
            for other in known:
                if one.probability * other.probability <= _UNLIKELY:
                    continue
                for R, t_m in _motions(same):
                    turned = one.pose @ Pose(R, t_m)
                    T_w2c = turned @ other.pose.inverse()
                    error = _error(one, other, T_w2c, same, _BETWEEN_RAD)
                    back = np.linalg.inv(by_camera(turned))
                    yield T_w2c, back @ error @ back.T


def _motions(same: Unnoticed) -> list[tuple[F64, F64]]:
    """Of the model, that nobody notices; of something round in steps, upright and, if that goes, upside down."""
    if same.axis is None or same.centre_m is None:
        return list(zip(same.R, same.t_m, strict=True))
    over = [k for k in range(len(same.R)) if float((same.R[k] @ same.axis) @ same.axis) < 0.0][:1]
    turns = [so3.exp(2.0 * np.pi * k / _TURNS * same.axis) for k in range(_TURNS)]
    about = [(turn, same.centre_m - turn @ same.centre_m) for turn in turns]
    return [(R @ turn, t_m + R @ t) for R, t_m in [(same.R[k], same.t_m[k]) for k in (0, *over)] for turn, t in about]


def _error(one: Sight, other: Sight, T_w2c: Pose, same: Unnoticed, turn_rad: float) -> F64:
    """(6, 6) of what two sights of an object are off together, in the camera's axes; about its axis by a turn, too."""
    carry = np.kron(np.eye(2), T_w2c.R_m2c)
    error = one.covariance + carry @ other.covariance @ carry.T
    if same.axis is not None:
        axis = one.pose.R_m2c @ same.axis
        error = error.copy()
        error[3:, 3:] += turn_rad**2 * np.outer(axis, axis)
    return np.asarray(error, np.float64)


def _scored(T_w2c: Pose, covariance: F64, seen: Sightings) -> PlaceCandidate:
    """What all objects say to a place; of each, the answers that agree best with it."""
    log_likelihood, odds, pairs = 0.0, 1.0 / ELSEWHERE, []
    for obj, known in seen.there.items():
        same, single = seen.unnoticed[obj], seen.singles[obj]
        best: SightPair | None = None
        fits = max(single.elsewhere, LEAST)
        for other in known:
            expected = T_w2c @ other.pose
            J = by_camera(expected)
            for one in seen.here[obj]:
                turned = nearest_alike(one.pose, expected, same)
                error = _error(one._replace(pose=turned), other, T_w2c, same, _OPEN_RAD)
                probability = one.probability * other.probability
                away = difference(turned, expected)
                squares = float(away @ np.linalg.solve(error + J @ covariance @ J.T, away))
                fit = probability * float(np.exp(-0.5 * squares))
                if squares < 6.0 * APART**2 and fit > fits:
                    best, fits = SightPair(obj, turned, other.pose, error, single.floor, probability), fit
        surest = max(one.probability for one in seen.here[obj]) * max(one.probability for one in known)
        log_likelihood += float(np.log(fits))
        if best is None:
            odds *= max(1.0 - surest, LEAST) / max(surest, LEAST)
        else:
            pairs.append(best)
            odds *= ELSEWHERE * best.probability / max(1.0 - best.probability, LEAST)
    return PlaceCandidate(T_w2c, covariance, log_likelihood, odds, tuple(pairs))


def _same(one: PlaceCandidate, other: PlaceCandidate) -> bool:
    away = camera_difference(one.T_w2c, other.T_w2c)
    return float(away @ np.linalg.solve(one.covariance + other.covariance, away)) / 6.0 < APART**2


def _averaged(best: PlaceCandidate, seen: Sightings) -> PlaceCandidate:
    """The place by all objects that agree, each with its covariance, and how far off it may be."""
    T_w2c, covariance = best.T_w2c, best.covariance
    for _ in range(_STEPS if best.pairs else 0):
        information, pull = np.zeros((6, 6)), np.zeros(6)
        for pair in best.pairs:
            expected = T_w2c @ pair.known
            J, turned = by_camera(expected), nearest_alike(pair.seen, expected, seen.unnoticed[pair.obj])
            own = J.T @ np.linalg.inv(pair.error)
            information += own @ J
            pull += own @ difference(turned, expected)
        covariance = np.asarray(np.linalg.inv(information), np.float64)
        T_w2c = moved_camera(T_w2c, covariance @ pull)
    return best._replace(T_w2c=T_w2c, covariance=covariance)
