"""Places of cameras that nobody measured, from the objects that they and others see.

An object that two cameras see tells where one stands by another: T_w2c = T_u_o (T_v_o)^-1 T_w2v. Each pair of answers
proposes, in every turn that goes unnoticed, and what all objects say together decides (`place_candidates.py`). One
round object alone leaves open how the camera is turned about its axis, and two answers that fit alike are not decided
by chance: such a camera keeps no place, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.joint.chain import by_camera
from diffdope.joint.merge import Single, singles_of
from diffdope.joint.normal_equations import Where
from diffdope.joint.place_candidates import PlaceCandidate, candidates_of, sightings_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.scene import Scene
from diffdope.scene.view import LARGEST_DEG, LARGEST_M

F64 = NDArray[np.float64]

_SURE = 0.5  # probability from which on a place is one: likelier than all others together
_WIDER = 3.0  # times the deviations of a place: images tell it anew, and what led there must not count twice


class FoundPlace(NamedTuple):
    """Where a camera stands.

    Attributes:
        T_w2c: the place.
        sigma: (metres, degrees) by which that may be off.
        floor: (6, 6) of a camera's step, of what no covariance knows: masks that are off, meshes that are not quite the
            things.
    """

    T_w2c: Pose
    sigma: tuple[float, float]
    floor: F64


@dataclass(frozen=True)
class FoundPlaces:
    """Of all cameras whose places were looked for.

    Attributes:
        world: number of the view whose frame is the world; None where some places were given.
        found: by view.
        open: why a view has none, by view.
    """

    world: int | None
    found: Mapping[int, FoundPlace]
    open: Mapping[int, str]


class _Verdict(NamedTuple):
    """The likeliest place of a camera, how probable it is, and why it is left open if that is not enough."""

    best: PlaceCandidate | None = None
    probability: float = 0.0
    reason: str = ""


def places_of(
    singles: Mapping[Where, Single], count: int, given: Mapping[int, Pose], refiners: Sequence[Refiner]
) -> FoundPlaces:
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
        verdicts = {view: _verdict_on(view, singles, placed, refiners) for view in missing}
        surest = max(missing, key=lambda view: verdicts[view].probability, default=None)
        best = None if surest is None else verdicts[surest].best
        if surest is None or best is None or verdicts[surest].probability < _SURE:
            return FoundPlaces(world, found, {view: one.reason for view, one in verdicts.items()})
        found[surest] = _place(best)
        placed[surest] = found[surest].T_w2c


def places_of_views(
    scene: Scene, found: Mapping[Where, RefinementResult], refiners: Sequence[Refiner]
) -> FoundPlaces:  # fmt: skip
    """Of the views of a scene that have none, by what each found on its own."""
    given = {view: one.T_w2c for view, one in enumerate(scene.views) if view not in scene.unplaced}
    return places_of(singles_of(found, refiners), len(scene.views), given, refiners)


def _verdict_on(
    view: int, singles: Mapping[Where, Single], placed: Mapping[int, Pose], refiners: Sequence[Refiner]
) -> _Verdict:
    seen = sightings_of(view, singles, placed, refiners)
    if not seen.there:
        return _Verdict(reason="no object that is found in it is found by a camera whose place is known")
    candidates = candidates_of(seen)
    if not candidates:
        return _Verdict(reason="the objects that others see, too, are not found surely")
    best = candidates[0]
    odds = np.exp([one.log_likelihood - best.log_likelihood for one in candidates])
    share = float(1.0 / odds.sum())
    reason = "the objects that others see, too, are not found surely, or stand otherwise to each other there"
    if np.count_nonzero(odds > _SURE) > 1:
        reason = (
            "the objects that others see, too, fit several places alike: show one that looks different from all "
            "sides, or more of them"
        )
    return _Verdict(best, share * best.odds / (1.0 + best.odds), reason)


def _place(best: PlaceCandidate) -> FoundPlace:
    off = np.sqrt(np.diag(best.covariance))
    metres, degrees = _WIDER * float(off[:3].max()), _WIDER * float(np.degrees(off[3:].max()))
    steps = [(by_camera(best.T_w2c @ pair.known), pair.floor) for pair in best.pairs]
    floor: F64 = np.asarray(
        np.linalg.inv(sum((J.T @ np.diag(1.0 / one) @ J for J, one in steps), np.zeros((6, 6)))), np.float64
    )
    return FoundPlace(best.T_w2c, (min(metres, LARGEST_M), min(degrees, LARGEST_DEG)), floor)
