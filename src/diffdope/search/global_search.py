"""The search where nothing is known of the pose but where in the picture the object is.

Proposals all around go through the coarse levels without a prior; the distinct ones that are left are refined each on
its own, in its own light and with its own occluders, and what speaks most for itself is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import agreement
from diffdope.geometry.pose import Pose, between
from diffdope.problem.failure import Failure, Status
from diffdope.search.candidates import Candidates, Hypotheses, Reached
from diffdope.search.descent import Descent
from diffdope.search.features.feature_boxes import tells_by_pattern
from diffdope.search.features.feature_poses import feature_poses
from diffdope.search.levels import PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.border_parts import border_parts
from diffdope.search.proposals.view_sphere import ViewSphereSettings, view_sphere
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.selection import SAME, SAME_RAD, non_maximum_suppression
from diffdope.search.settings import SearchSettings

F64 = NDArray[np.float64]

_DESPITE_MASK = 0.25
"""Share of those that go on to a level, at least one, for poses that cost clearly less but for the mask. Of a mask that
lacks a part of the object, or is off, the border makes the right pose dear, in what hides the cheapest the more so: of
a pipe's tee with a missing arm it was the 15th of 16, and the second but for the mask."""
_RENEWED = 2  # times that their first level is made beforehand: beside what the first hides, poses are half as far off
_BEATEN = 1.5  # ratio of costs at the last common level: what costs more is not looked at once another one convinces


class Everywhere(NamedTuple):
    """The first proposal, which stands for a start, and the poses that are left, the surest first."""

    proposal: Pose
    answers: list[Candidates]

    @property
    def best(self) -> Candidates:
        """The surest."""
        return self.answers[0]


class _Found(NamedTuple):
    """What one search has found, the surest first, with how many of its poses agree with each, symmetries counted.

    Copies of a pose by the object's symmetry come from copies of a template, so that they agree says nothing of whether
    there was enough to choose from: what decides about another, wider search is how many agree without them.
    """

    proposal: Pose
    answers: list[Candidates]
    agreements: list[Callable[[], float | None]]

    @property
    def best(self) -> Candidates:
        """The surest."""
        return self.answers[0]

    def with_others(self, other: _Found) -> _Found:
        """With what another search has found."""
        return _Found(self.proposal, self.answers + other.answers, self.agreements + other.agreements)

    def in_the_end(self) -> Everywhere:
        """The answers, of which those that look the same agree."""
        every = zip(self.answers, self.agreements, strict=True)
        return Everywhere(self.proposal, surest_first([one.agreeing(agreed()) for one, agreed in every]))


def pyramids_everywhere(search: SearchSettings) -> tuple[PyramidSettings, PyramidSettings]:
    """Of the first search and of the wider one."""
    return search.everywhere, search.everywhere.of_more(search.view_sphere.wider)


def search_globally(
    descent: Descent, last: PyramidSettings, guesses: Sequence[Pose] = ()
) -> Everywhere | Failure:  # fmt: skip
    """The poses that an observation supports, found with no start; by another search if the first does not convince.

    Args:
        descent: takes poses through levels, of an observation with a mask.
        last: the levels that every answer goes through on its own.
        guesses: poses that are about right, if some are known: the first search takes them in place of proposals.
    """
    search = descent.inputs.settings
    narrow, wide = pyramids_everywhere(search)
    trust = search.fallback_confidence
    if guesses := guesses[: narrow.hypotheses[0]]:  # which the history has room for
        R, t = np.stack([one.R_m2c for one in guesses]), np.stack([one.t_m2c for one in guesses])
        finest = narrow.of_level(len(narrow.levels) - 1)
        first = _from_poses(descent, R, t, finest, last, 0, trust)
    else:
        first = _from_proposals(descent, search.view_sphere, narrow, last, 0, trust)
    if isinstance(first, Failure) and (first.status is not Status.FAILED or trust <= 0.0):
        return first
    if not isinstance(first, Failure) and (trust <= 0.0 or not first.best.doubtful(trust)):
        return first.in_the_end()
    by_keypoints = _from_keypoints(descent, last)
    if isinstance(by_keypoints, _Found):
        first = by_keypoints if isinstance(first, Failure) else first.with_others(by_keypoints)
        if not by_keypoints.best.doubtful(trust):
            return first.in_the_end()
    sphere = replace(search.view_sphere, scales=search.view_sphere.wider_scales)
    if not isinstance(first, Failure) and _may_be_hidden(first.best, descent.inputs):
        by_border = _from_border(descent, last, first.best.pose)
        if isinstance(by_border, _Found):
            first = first.with_others(by_border)
            if not _may_be_hidden(by_border.best, descent.inputs):
                return first.in_the_end()
        wide = narrow  # of the mask's own size, most has been looked at
    second = _from_proposals(descent, sphere, wide, last, narrow.hypotheses[0], trust)
    if isinstance(first, Failure):
        return second if isinstance(second, Failure) else second.in_the_end()
    return (first if isinstance(second, Failure) else first.with_others(second)).in_the_end()


def _may_be_hidden(best: Candidates, inputs: SearchInputs) -> bool:
    """Whether the outline of what was found is beside the mask's border, part of which an occluder may have made.

    With depth, what hides the object is seen.
    """
    return "depth" not in inputs.observation.modalities and best.border_px > (inputs.settings.mask_error_px or np.inf)


def _from_border(descent: Descent, last: PyramidSettings, than: Pose) -> _Found | Failure:
    """What is found of an object that is partly hidden, from poses that explain more of its mask's border than another.

    Each has levels of its own, and the first of them several times: the nearer a pose is, the better it tells what is
    hidden.
    """
    inputs, search = descent.inputs, descent.inputs.settings
    sphere, column = search.view_sphere, search.everywhere.hypotheses[0]
    proposals = border_parts(inputs.meshes, inputs.observation, sphere.rotations, sphere.faces, than)
    answers: list[Candidates] = []
    for number in range(min(search.everywhere.hypotheses[-1], len(proposals.R))):
        pose, found = Pose(proposals.R[number], proposals.t[number]), list[Candidates]()
        for pyramid in (*(last.of_level(0),) * _RENEWED, last):
            one = descent.run(pyramid, Hypotheses.of(pose, column + number), pose)
            if isinstance(one, Failure):
                break
            pose, found = one.pose, [one]
        else:
            answers += [one.agreeing(None) for one in found]
    if not answers:
        return Failure(Status.FAILED)
    return _Found(answers[0].pose, surest_first(answers), [_unknown] * len(answers))


def _from_keypoints(descent: Descent, last: PyramidSettings) -> _Found | Failure | None:
    """What keypoints of a photograph find in the box of its mask; None where there are none to find."""
    meshes, observation, search = descent.inputs.meshes, descent.inputs.observation, descent.inputs.settings
    if not tells_by_pattern(observation, meshes.mesh) or "depth" in observation.modalities:
        return None
    assert observation.mask_box is not None
    narrow = search.everywhere
    proposals = feature_poses(meshes, observation, observation.mask_box, search.features)[: narrow.hypotheses[0]]
    if not proposals:
        return None
    R, t = np.stack([one.R for one in proposals]), np.stack([one.t for one in proposals])
    finest, column = narrow.of_level(len(narrow.levels) - 1), narrow.hypotheses[0]
    return _from_poses(descent, R, t, finest, last, column, search.fallback_confidence)


def surest_first(answers: list[Candidates]) -> list[Candidates]:
    """By what speaks for each."""
    return sorted(answers, key=lambda one: -one.log_odds)


def _from_proposals(
    descent: Descent, sphere: ViewSphereSettings, pyramid: PyramidSettings, last: PyramidSettings, column: int,
    confidence: float,
) -> _Found | Failure:  # fmt: skip
    """One search from templates, whose hypotheses are numbered from a column on."""
    inputs = descent.inputs
    proposals = view_sphere(inputs.meshes, inputs.observation, sphere, pyramid.levels[0].hypotheses)
    if isinstance(proposals, Failure):
        return proposals
    return _from_poses(descent, proposals.R, proposals.t, pyramid, last, column, confidence)


def _from_poses(
    descent: Descent, R: F64, t: F64, pyramid: PyramidSettings, last: PyramidSettings, column: int, confidence: float
) -> _Found | Failure:  # fmt: skip
    """One search from poses (B, 3, 3) and (B, 3), the likeliest first."""
    start = Pose(R[0], t[0])
    hypotheses = Hypotheses(R, t, column + np.arange(len(t)))
    meshes, with_depth = descent.inputs.meshes, "depth" in descent.inputs.observation.modalities
    alone = partial(_standing_alone, descent, pyramid) if with_depth else None
    # Poses that begin at the last level are those from which a mask was drawn in a box: it is as they have it.
    despite_mask = _DESPITE_MASK if with_depth and len(pyramid.levels) > 1 else 0.0
    found = descent.run(pyramid, hypotheses, start, choose=alone, despite_mask=despite_mask)
    if isinstance(found, Failure):
        return found
    solution = found.ended.solution
    # As many as the last level takes where each level leaves some out.
    some = np.argsort(solution.cost, kind="stable")[: pyramid.levels[-1].hypotheses]
    R, t, cost, columns = solution.R[some, 0], solution.t[some, 0], solution.cost[some], found.columns[some]
    unmasked = found.ended.unmasked(found.level)[some]
    distinct = non_maximum_suppression(R, t, cost, len(t), angle_rad=SAME_RAD, distance_m=SAME * meshes.length_m)
    answers: list[Candidates] = []
    agreements: list[Callable[[], float | None]] = []
    alike = _Alike(meshes, [Pose(*one) for one in zip(R, t, strict=True)])
    for number in distinct:
        dear = cost[number] > _BEATEN * cost[distinct[0]]
        by_mask = dear and despite_mask > 0.0 and unmasked[number] < _BEATEN * unmasked[distinct[0]]
        if dear and not by_mask and any(not one.doubtful(confidence) for one in answers):
            continue
        own = Hypotheses(R[[number]], t[[number]], columns[[number]])
        one = _settled(descent, pyramid, last, own) if by_mask else descent.run(last, own, Pose(own.R[0], own.t[0]))
        if isinstance(one, Candidates) and by_mask:  # voters are weighed by costs that it contradicts
            answers.append(one.agreeing(None))
            agreements.append(_unknown)
        elif isinstance(one, Candidates):
            agreed = partial(agreement, R, t, cost, one.pose, meshes.length_m)
            answers.append(one.agreeing(agreed()))
            agreements.append(partial(agreed, partial(alike, int(number))))
    if not answers:
        return Failure(Status.FAILED, found.level.window)
    order = sorted(range(len(answers)), key=lambda k: -answers[k].log_odds)
    return _Found(start, [answers[k] for k in order], [agreements[k] for k in order])


def _settled(
    descent: Descent, pyramid: PyramidSettings, last: PyramidSettings, own: Hypotheses
) -> Candidates | Failure:  # fmt: skip
    """A pose refined on levels of its own from a coarse one on: those before were drawn around another."""
    coarse = descent.run(pyramid.of_level(len(pyramid.levels) - 2).of_one_pose(0), own, Pose(own.R[0], own.t[0]))
    pose = Pose(own.R[0], own.t[0]) if isinstance(coarse, Failure) else coarse.pose
    return descent.run(last, Hypotheses(pose.R_m2c[None], pose.t_m2c[None], own.columns), pose)


def _unknown() -> None:
    """The agreement of poses with one that none of them can vote on."""


class _Alike:
    """Which of some poses look the same: each pair is asked once, so that both answers are the same.

    Args:
        meshes: the object.
        poses: of it.
    """

    def __init__(self, meshes: MeshLevels, poses: Sequence[Pose]) -> None:
        self._meshes, self._poses = meshes, poses
        self._known: dict[tuple[int, int], bool] = {}

    def __call__(self, one: int, other: int) -> bool:
        """Whether nobody would notice the motion from one pose to the other, by their numbers."""
        pair = min(one, other), max(one, other)
        if pair not in self._known:
            first, second = (self._poses[k] for k in pair)
            self._known[pair] = one != other and self._meshes.alikeness.unnoticed(*between(first, second))
        return self._known[pair]


def _standing_alone(
    descent: Descent, pyramid: PyramidSettings, reached: Reached, cheapest: Hypotheses
) -> Hypotheses:  # fmt: skip
    """Those that go on to the last level, the best first: the cheapest, as long as costs tell.

    All poses of a level are compared in the light of the best one of the level before, and on the pixels that what
    hides that one leaves. Where it was wrong, a right pose costs more than it does. So where the cheapest is rather
    wrong than right on a level of its own, each has one, and as many go on, those for which most speaks there. With
    depth only: a photograph's fit on such a level tells less than its cost (`parts`, one of 21 fewer).
    """
    alone = pyramid.of_level(len(pyramid.levels) - 2).of_one_pose(0)

    def on_its_own(one: Hypotheses) -> Candidates | Failure:
        return descent.run(alone, one, Pose(one.R[0], one.t[0]))

    first = on_its_own(cheapest.taken(slice(0, 1)))
    if isinstance(first, Candidates) and first.log_odds > 0.0:
        return cheapest
    R, t, _ = reached.hypotheses
    same_m = SAME * descent.inputs.meshes.length_m
    ends = non_maximum_suppression(R, t, reached.cost, len(t), angle_rad=SAME_RAD, distance_m=same_m)
    found = [first, *(on_its_own(reached.hypotheses.taken(slice(k, k + 1))) for k in ends[1:])]
    some = surest_first([one for one in found if isinstance(one, Candidates)])[: len(cheapest.t)]
    if not some:
        return cheapest
    R, t = np.stack([one.pose.R_m2c for one in some]), np.stack([one.pose.t_m2c for one in some])
    return Hypotheses(R, t, np.array([one.winner for one in some]))
