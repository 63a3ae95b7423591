"""The objects of one view, each on its own first, then knowing where the others hide it.

What hides an object is drawn: the others at their current poses. Each is refined anew if something is in front of a
part of it; all others stay as they are, to the bit. Where that moves an object, its neighbours have another look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.error_kinds import NothingToCompareError
from diffdope.errors import DiffDopeError
from diffdope.estimate.confidence import confidence_of, right_minimum
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.joint.leaf import Leaf
from diffdope.note_codes import NoteCode, code_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.start import best_of
from diffdope.problem.responsibility import CONTACT
from diffdope.scene.observation import Observation
from diffdope.search.drawn import Drawing, depth_of_others, drawing_of, knowing

F32 = NDArray[np.float32]

_ROUNDS = 2  # a third moves hardly anything
_HIDDEN = 0.01  # of an object's drawing: hidden by less, it is as well known alone
_MOVED, _TURNED_RAD = 0.01, np.radians(1.0)  # of the diameter: less changes nothing for neighbours


@dataclass(frozen=True)
class ObjectQuery:
    """What is asked of one object in a view.

    Attributes:
        refiner: of its mesh.
        observation: with its mask, if there is one.
        start: T_m2c; None to locate it.
        box: of `Refiner.locate`.
        name: of the object, for messages.
        start_counts: see `Refiner.refine`; not where there are other views.
    """

    refiner: Refiner
    observation: Observation
    start: Pose | None = None
    box: ArrayLike | None = None
    name: str = ""
    start_counts: bool = True

    def first(self) -> RefinementResult:
        """On its own.

        Raises:
            DiffDopeError: for what `Refiner.refine` and `Refiner.locate` refuse; the object is named.
        """
        try:
            return self._from(self.observation, self.start)
        except DiffDopeError as error:
            raise type(error)(f"object {self.name}: {error}" if self.name else str(error)) from error

    def first_if_comparable(self) -> RefinementResult | None:
        """On its own; None where the images hold nothing that could be compared with the mesh."""
        try:
            return self.first()
        except NothingToCompareError:
            return None

    def again(self, result: RefinementResult, others: F32) -> RefinementResult:
        """From a result, knowing where others are; and from the beginning, where that did not convince.

        What was found stays where the images, others known, do not fit the new pose better than the old one.
        """
        observation = knowing(self.observation, others)
        if not result.modalities:  # there is no pose to go on from
            return self._from(observation, self.start)
        refined = self.refiner.refine(observation, result.pose, start_counts=False)
        if result.ok and refined.ok:
            refined = self._cheaper(observation, refined, result)
        if result.answers:
            refined = _of_located(refined, result)
        if result.ok:
            return refined
        anew = self._from(observation, self.start)
        return _of_one_start(best_of([refined, anew]))

    def _cheaper(
        self, observation: Observation, refined: RefinementResult, before: RefinementResult
    ) -> RefinementResult:  # fmt: skip
        """Which of two poses costs less, others known; the one before is then as sure as its images are now."""
        enter = self.refiner.frame.enter
        leaf = Leaf(self.refiner, observation)
        if not leaf.prepared(enter(refined.pose)):
            return refined
        now, then = leaf.costs([enter(refined.pose), enter(before.pose)])
        if now <= then or before.evidence is None:
            return refined
        known = before.evidence
        quality = replace(
            leaf.fit(enter(before.pose)).quality, agreement=known.agreement, too_far=known.too_far,
            too_far_deviation=known.too_far_deviation,
        )  # fmt: skip
        right = right_minimum(confidence_of(quality), started=not before.answers)
        within = (before.confidence or 0.0) / before.right_minimum if before.right_minimum else 0.0
        return replace(before, evidence=quality, confidence=right * within, right_minimum=right)

    def _from(self, observation: Observation, start: Pose | None) -> RefinementResult:
        if start is not None:
            return self.refiner.refine(observation, start, start_counts=self.start_counts)
        return self.refiner.locate(observation, box=self.box)

    def drawn(self, result: RefinementResult) -> Drawing | None:
        """The object at a result's pose; None where that is not trusted."""
        if not result.ok:
            return None
        return drawing_of(self.refiner.meshes, self.refiner.frame.enter(result.pose), self.observation.camera)


def found_in_view(asked: Sequence[ObjectQuery | None], *, others: bool = False) -> list[RefinementResult | None]:
    """All objects of a view.

    Args:
        asked: of each object; None where nothing says where it is.
        others: whether there are other views, so that one in which nothing can be compared is passed over.

    Raises:
        DiffDopeError: for what `ObjectQuery.first` refuses.
    """
    found = [None if one is None else one.first_if_comparable() if others else one.first() for one in asked]
    camera = next((one.observation.camera for one in asked if one is not None), None)
    moved = set(range(len(asked)))
    for _ in range(_ROUNDS):
        if camera is None or not moved:
            break
        moved = _round(asked, found, camera, moved)
    return found


def _round(
    asked: Sequence[ObjectQuery | None], found: list[RefinementResult | None], camera: Camera, moved: set[int]
) -> set[int]:
    """Refines those anew beside which something has moved, all from the same drawings; returns which of them moved."""
    drawings = [
        None if one is None or result is None else one.drawn(result) for one, result in zip(asked, found, strict=True)
    ]
    changed, results = set(), list(found)
    for number, (one, result) in enumerate(zip(asked, results, strict=True)):
        if one is None or result is None:
            continue
        others = _others_beside(drawings, number, camera, moved, one.refiner.mesh.diameter)
        if others is None:
            continue
        again = one.again(result, others)
        far = again.pose.distance_to(result.pose) > _MOVED * one.refiner.mesh.diameter
        if again.ok != result.ok or far or again.pose.angle_to(result.pose) > _TURNED_RAD:
            changed.add(number)
        found[number] = again
    return changed


def _others_beside(
    drawings: list[Drawing | None], number: int, camera: Camera, moved: set[int], length_m: float
) -> F32 | None:
    """What is drawn of the others, where it matters to an object and has moved; else None."""
    own = drawings[number]
    if own is None:  # not found yet: anything may hide it
        return depth_of_others(drawings, number, camera)
    beside = [
        other if n != number and other is not None and _meet(own, other) else None for n, other in enumerate(drawings)
    ]
    if not any(other is not None and n in moved for n, other in enumerate(beside)):
        return None
    others = depth_of_others(beside, number, camera)
    if others is None:
        return None
    there = others[own.rows, own.columns]
    hidden = (there > 0.0) & (own.depth > 0.0) & (there < own.depth + CONTACT * length_m)
    return others if np.count_nonzero(hidden) > _HIDDEN * np.count_nonzero(own.depth) else None


def _meet(one: Drawing, other: Drawing) -> bool:
    """Whether two drawings' rectangles overlap."""
    return all(
        bool(a.start < b.stop and b.start < a.stop)
        for a, b in ((one.rows, other.rows), (one.columns, other.columns))
    )  # fmt: skip


def _of_located(refined: RefinementResult, located: RefinementResult) -> RefinementResult:
    """A located result in the pose to which it was refined: the other answers keep their share."""
    total = sum(one.probability for one in located.answers)
    share = located.answers[0].probability / max(total, 1e-12)
    if not refined.ok or refined.confidence is None:
        return replace(refined, answers=located.answers, none_of_these=located.none_of_these)
    factor = refined.confidence / max(total, 1e-12)
    if not located.ok:  # a refinement that begins there knows of no other pose, and is surer for it
        factor = min(factor, 1.0)
    answers = tuple(replace(one, probability=one.probability * factor) for one in located.answers)
    answers = (replace(answers[0], pose=refined.pose), *answers[1:])
    ambiguous = not located.ok and share < 0.5
    return replace(
        refined, initial_pose=located.initial_pose, confidence=answers[0].probability, answers=answers,
        none_of_these=1.0 - factor * total,
        right_minimum=None if refined.right_minimum is None else share * refined.right_minimum,
        status=located.status if ambiguous else refined.status,
        message=located.message if ambiguous else refined.message,
    )  # fmt: skip


def _of_one_start(result: RefinementResult) -> RefinementResult:
    """Without the note of which of several starts it was: a user gave one."""
    return replace(result, notes=tuple(one for one in result.notes if code_of(one) is not NoteCode.BEST_START))
