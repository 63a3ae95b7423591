"""Pixels belong to one object: two answers that claim the same ones are settled.

Two answers are in one place if the surfaces that are drawn of them coincide, or if they fill the same part of the
picture and the masks that they were given do, too. One thing behind another is none of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import log_odds
from diffdope.joint.result import SceneResult
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.scene.scene import Scene
from diffdope.search.alternatives.answers import Answer
from diffdope.search.drawn import Drawing, drawing_of

F32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

_COINCIDE = 0.03  # of the smaller diameter: surfaces that are nearer are the same
_SHARED = 0.3  # of the smaller drawing, that coincides: of parts that touch, only an edge does
_COINCIDE_APART, _SHARED_APART = 0.01, 0.8  # the same where masks are apart: plates in a stack are two things
_APART = 0.1  # of the smaller mask, that both have
_SAME_PLACE = 0.5  # intersection over union
_SURER = 1.0  # log odds from which on one of two answers is right and the other wrong


class Claim(NamedTuple):
    """What an object claims in a view: its drawing, its mask if it was given one, and its diameter."""

    drawing: Drawing | None
    mask: F32 | None
    length_m: float


class Loser(NamedTuple):
    """An object of which another one claims the pixels, too; sure: whether the other one is much surer."""

    obj: int
    rival: int
    sure: bool


def rivals_in(claims: Sequence[Claim | None]) -> list[tuple[int, int]]:
    """Pairs of objects, by number, that claim the same pixels of a view."""
    found = []
    for a, one in enumerate(claims):
        for b in range(a + 1, len(claims)):
            other = claims[b]
            if one is not None and other is not None and _together(one, other):
                found.append((a, b))
    return found


def settled(pairs: Sequence[tuple[int, int]], log_odds: Sequence[float], alike: Sequence[object]) -> list[Loser]:
    """Who loses what is claimed twice: the less sure one, or both, where nothing tells which of two things it is.

    Of two that are of one kind it does not matter which one keeps it.

    Args:
        pairs: of objects.
        log_odds: of each object.
        alike: of each object, what kind it is; equal for objects of one mesh.
    """
    lost: list[Loser] = []
    out: set[int] = set()
    for a, b in sorted(pairs, key=lambda pair: -max(log_odds[pair[0]], log_odds[pair[1]])):
        if a in out or b in out:
            continue
        winner, loser = (a, b) if log_odds[a] >= log_odds[b] else (b, a)
        sure = alike[a] == alike[b] or log_odds[winner] - log_odds[loser] > _SURER
        lost.append(Loser(loser, winner, sure))
        out.add(loser)
        if not sure:
            lost.append(Loser(winner, loser, sure))
            out.add(winner)
    return lost


def _together(one: Claim, other: Claim) -> bool:
    if one.drawing is None or other.drawing is None:
        return False
    rows, columns = _overlap(one.drawing, other.drawing)
    if rows is None or columns is None:
        return False
    a, b = _part(one.drawing, rows, columns), _part(other.drawing, rows, columns)
    both = (a > 0.0) & (b > 0.0)
    sizes = [int(np.count_nonzero(claim.drawing.depth)) for claim in (one, other) if claim.drawing is not None]
    shared = int(np.count_nonzero(both))
    if shared == 0:
        return False
    apart = _apart(one.mask, other.mask)
    near_m = (_COINCIDE_APART if apart else _COINCIDE) * min(one.length_m, other.length_m)
    coincides = int(np.count_nonzero(np.abs(a - b)[both] < near_m))
    if coincides > (_SHARED_APART if apart else _SHARED) * min(sizes):
        return True
    return shared > _SAME_PLACE * (sum(sizes) - shared) and _same_mask(one.mask, other.mask)


def _apart(one: F32 | None, other: F32 | None) -> bool:
    if one is None or other is None:
        return False
    a, b = one > 0.5, other > 0.5
    return int(np.count_nonzero(a & b)) < _APART * min(int(np.count_nonzero(a)), int(np.count_nonzero(b)))


def _same_mask(one: F32 | None, other: F32 | None) -> bool:
    if one is None or other is None:
        return False
    a, b = one > 0.5, other > 0.5
    return int(np.count_nonzero(a & b)) > _SAME_PLACE * max(int(np.count_nonzero(a | b)), 1)


def _overlap(one: Drawing, other: Drawing) -> tuple[slice | None, slice | None]:
    def common(a: slice, b: slice) -> slice | None:
        start, stop = max(a.start, b.start), min(a.stop, b.stop)
        return slice(start, stop) if start < stop else None

    return common(one.rows, other.rows), common(one.columns, other.columns)


def _part(drawing: Drawing, rows: slice, columns: slice) -> F32:
    r, c = drawing.rows.start, drawing.columns.start
    return drawing.depth[rows.start - r : rows.stop - r, columns.start - c : columns.stop - c]


def settled_result(result: SceneResult, scene: Scene, refiners: Sequence[Refiner]) -> SceneResult:
    """The same, in which no two objects that were found claim the same pixels."""
    pairs: set[tuple[int, int]] = set()
    for number, view in enumerate(scene.views):
        claims: list[Claim | None] = []
        for obj, one in enumerate(result.objects):
            if not one.ok or number >= len(one.views):
                claims.append(None)
                continue
            meshes, pose = refiners[obj].meshes, refiners[obj].frame.enter(one.views[number].pose)
            drawing = drawing_of(meshes, pose, view.camera)
            claims.append(Claim(drawing, scene.observation(number, obj).mask, meshes.length_m))
        pairs |= set(rivals_in(claims))
    if not pairs:
        return result
    odds = [log_odds(one.confidence if one.right_minimum is None else one.right_minimum) for one in result.objects]
    objects = list(result.objects)
    for lost in settled(sorted(pairs), odds, [id(one.mesh) for one in scene.objects]):
        rival = result.objects[lost.rival].name
        if lost.sure:
            status, message = Status.FAILED, f"{rival} claims the same pixels, and is surer"
        else:
            status, message = Status.AMBIGUOUS, f"{rival} claims the same pixels, and nothing tells which of both it is"
        one = objects[lost.obj]
        answers = one.answers or (Answer(one.pose, one.confidence),)
        objects[lost.obj] = replace(
            one, status=status, message=message, answers=answers if not lost.sure else one.answers
        )
    return replace(result, objects=tuple(objects))
