"""Poses that may be right beside the one that was found: other answers of its search, and what looks nearly like it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from diffdope.geometry.pose import Pose
from diffdope.search.alternatives.approximate_symmetries import (
    AnglePrior,
    angle_prior,
    left_of_folds,
    other_ways,
    with_turn_beside,
)
from diffdope.search.alternatives.way_back import Way
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.levels import PyramidSettings

ALTERNATIVES = 3  # poses that are refined the other way round, of those that look better


class RivalPoses(NamedTuple):
    """What may be right.

    Attributes:
        choice: all of it, what was found first.
        ways: those of them that are the first, turned, in a single picture.
        turns_open: whether poses are compared that are turned about an axis of revolution.
        within: of what start poses are compared that are turned by teeth, if they are.
    """

    choice: list[Candidates]
    ways: list[Way]
    turns_open: bool
    within: AnglePrior | None


def rival_poses(
    found: Candidates, answers: Sequence[Candidates], descent: Descent, again: PyramidSettings, start: Pose | None, *,
    as_expected: bool, located: bool, first_order: bool, column: int,
) -> RivalPoses:  # fmt: skip
    """What may be right beside a result, each refined as that was.

    Args:
        found: the result.
        answers: of a search with no start; the result may be one of them.
        descent: as it was found.
        again: levels of one pose.
        start: around which was searched; None where there was none.
        as_expected: whether the result fits, and lies where it was expected.
        located: whether the start was found in these images, and tells no turn about an axis of revolution.
        first_order: whether gradient descent led there.
        column: number in the history of the first alternative, after which there are as many as `ALTERNATIVES`.
    """
    inputs = descent.inputs
    choice = [found, *(one for one in answers if one is not found)]
    if found.quality.matched is not None:  # keypoints tell sides apart
        return RivalPoses(choice, [], False, None)
    given, told = None if located else start, as_expected and not located
    left, turns = ALTERNATIVES, inputs.settings.turns
    if told or not turns.all_around:
        beside = found if first_order else with_turn_beside(found, descent, again, column + ALTERNATIVES - 1)
        left -= beside is not found  # it is one of them
        choice = [found := beside]
    turned, turns_open = other_ways(found, descent, given, again.faces[0], told=told)
    nearby = angle_prior(found, start, inputs.settings, told=told)
    tried = turns.tried and not (inputs.filmed or first_order)
    folded: list[Pose] = []
    if nearby is None or tried:
        asked = inputs.settings.symmetric_alternatives
        folded = left_of_folds(choice, inputs.meshes, nearby, tried=turned, lookalikes=asked)
    ways: list[Way] = []
    for number, pose in enumerate([*folded, *turned][:left]):
        other = descent.run(again, Hypotheses.of(pose, column + number), pose)
        if isinstance(other, Candidates):
            choice.append(found.doubt_of(other.agreeing(found.quality.agreement)))
            ways += [] if inputs.filmed else [Way(choice[-1], pose)]
    return RivalPoses(choice, ways, turns_open or bool(folded and nearby), nearby if folded else None)
