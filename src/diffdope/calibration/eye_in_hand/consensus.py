"""Where the camera is on the hand, by what most pictures agree on.

Each picture has a few answers, each of which may be turned by what the object looks the same after. Pairs and triples
of pictures propose, by AX = XB; a proposal counts by how near to it an answer of each picture is. So a picture in which
the object was found upside down does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.eye_in_hand.closed_form import hand_eyes
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.search.alternatives.canonical import Unnoticed

F64 = NDArray[np.float64]
Answers = Sequence[tuple[Pose, float]]
"""T_camera_object and its probability."""

_TRIPLES, _CHOICES = 60, 1200  # that propose, and choices of answers in all of them
_WIDE_RAD = np.radians(15.0)  # turn about a second axis from which on a triple determines its camera well
_ANGLE_RAD = np.radians(8.0)  # by which turns of flange and object may differ: two answers that are 4 degrees off
_FAR_RAD, _FAR = np.radians(6.0), 0.06  # from a proposal, and share of the distance: an answer says nothing for it
_SAME_RAD, _SAME_M = np.radians(5.0), 0.02  # proposals that lead to the same place
_LEAST_SUPPORT = 0.05  # share of the pictures' probability below which a place is none
_BEST = 4  # places that are returned, at most


class Proposal(NamedTuple):
    """A place of the camera, the object's in the base, and how much of the pictures' probability speaks for it."""

    T_flange_camera: Pose
    T_base_object: Pose
    support: float


def proposals(
    flanges: Sequence[Pose], answers: Sequence[Answers], same: Unnoticed, target: Pose | None
) -> list[Proposal]:
    """Distinct places of the camera, the one with most support first.

    Args:
        flanges: T_base_flange of each picture.
        answers: of each picture, about the object's own middle; empty for none.
        same: motions after which the object looks the same.
        target: T_base_object, about its own middle, if it is known.
    """
    seen = [n for n, one in enumerate(answers) if one]
    turned = [_turned(one, same) for one in answers]
    places = _by_target(flanges, turned, target, seen) if target is not None else _by_pairs(flanges, answers, turned)
    weights = [sum(p for _, p in one) for one in answers]
    scored = []
    for X, Y in places:
        scored.append(Proposal(X, Y, _support(X, Y, flanges, turned, weights)))
    scored.sort(key=lambda one: -one.support)
    kept: list[Proposal] = []
    for one in scored:
        if one.support > _LEAST_SUPPORT and all(_apart(one, other) for other in kept):
            kept.append(one)
        if len(kept) == _BEST:
            break
    return kept


def _apart(one: Proposal, other: Proposal) -> bool:
    X, other_X = one.T_flange_camera, other.T_flange_camera
    return X.angle_to(other_X) > _SAME_RAD or X.distance_to(other_X) > _SAME_M


def _turned(answers: Answers, same: Unnoticed) -> list[tuple[Pose, float]]:
    """Each answer with all that look the same."""
    return [
        (pose @ Pose(R, t_m), probability)
        for pose, probability in answers
        for R, t_m in zip(same.R, same.t_m, strict=True)
    ]


def _by_target(
    flanges: Sequence[Pose], turned: Sequence[Answers], target: Pose, seen: Sequence[int]
) -> Iterator[tuple[Pose, Pose]]:
    """Of an object whose place is known, each answer proposes alone."""
    for n in seen:
        for pose, _ in turned[n]:
            yield flanges[n].inverse() @ target @ pose.inverse(), target


def _by_pairs(
    flanges: Sequence[Pose], answers: Sequence[Answers], turned: Sequence[Answers]
) -> Iterator[tuple[Pose, Pose]]:
    """By AX = XB of two or three pictures; the first one's answers need no turns, since the object's place is free."""
    groups = _groups(flanges, [n for n, one in enumerate(answers) if one])
    for group in groups:
        chosen = [flanges[n] for n in group]
        each = [answers[group[0]], *(turned[n] for n in group[1:])]
        for poses in _choices(chosen, each, max(_CHOICES // len(groups), 1)):
            for X in hand_eyes(chosen, poses):
                yield X, _object_at(X, chosen, poses)


def _groups(flanges: Sequence[Pose], seen: Sequence[int]) -> list[tuple[int, ...]]:
    """The one pair, or triples of pictures: any whose flanges turn well about two axes, else those that do so most.

    Not the widest ones first: joint values that belong to no picture make the widest turns.
    """
    if len(seen) == 2:
        return [(seen[0], seen[1])]
    triples = list(combinations(seen, 3))
    spread = np.zeros(len(triples))
    for row, (i, j, k) in enumerate(triples):
        turns = [so3.log(flanges[n].R_m2c @ flanges[i].R_m2c.T) for n in (j, k)]
        spread[row] = np.linalg.svd(np.stack(turns), compute_uv=False)[1]
    mixed = np.random.default_rng(0).permutation(len(triples))
    order = mixed[np.argsort(-np.minimum(spread[mixed], _WIDE_RAD), kind="stable")]
    return [triples[n] for n in order[:_TRIPLES]]


def _choices(flanges: Sequence[Pose], each: Sequence[Answers], most: int) -> list[list[Pose]]:
    """Answers of a group, the most probable first, between which the object turns as much as the flange does."""
    turns = {
        (i, j): flanges[i].angle_to(flanges[j]) for i, j in combinations(range(len(flanges)), 2)
    }  # fmt: skip
    fit: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for (i, j), turn in turns.items():
        R_i, R_j = (np.stack([pose.R_m2c for pose, _ in each[n]]) for n in (i, j))
        cosine = 0.5 * (np.einsum("aik,bik->ab", R_i, R_j) - 1.0)
        fit[i, j] = np.abs(np.arccos(np.clip(cosine, -1.0, 1.0)) - turn) < _ANGLE_RAD
    found = []
    for numbers in product(*(range(len(one)) for one in each)):
        if all(fit[i, j][numbers[i], numbers[j]] for i, j in fit):
            chosen = [one[n] for one, n in zip(each, numbers, strict=True)]
            found.append((-float(np.prod([p for _, p in chosen])), [pose for pose, _ in chosen]))
    found.sort(key=lambda one: one[0])
    return [poses for _, poses in found[:most]]


def _object_at(X: Pose, flanges: Sequence[Pose], objects: Sequence[Pose]) -> Pose:
    """The mean of what pictures say of the object's place in the base."""
    places = [flange @ X @ pose for flange, pose in zip(flanges, objects, strict=True)]
    R = so3.project_to_so3(np.sum([one.R_m2c for one in places], axis=0))
    return Pose(R, np.mean([one.t_m2c for one in places], axis=0))


def nearness(pose: Pose, expected: Pose) -> float:
    """1 for an answer at its place, 0 for one that is too far to speak for it."""
    away = pose.angle_to(expected) / _FAR_RAD, pose.distance_to(expected) / (_FAR * expected.t_m2c[2])
    return max(0.0, 1.0 - float(np.hypot(*away)) ** 2)


def _support(X: Pose, Y: Pose, flanges: Sequence[Pose], turned: Sequence[Answers], weights: Sequence[float]) -> float:
    """Share of the pictures' probability whose answers are where the proposal expects the object."""
    total = 0.0
    for flange, one in zip(flanges, turned, strict=True):
        expected = (flange @ X).inverse() @ Y
        if expected.t_m2c[2] > 0.0:
            total += max((p * nearness(pose, expected) for pose, p in one), default=0.0)
    return total / max(sum(weights), 1e-12)
