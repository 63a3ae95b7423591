"""A result in a box, looked at without the mask that was drawn for it, beside others of its turns.

A mask that is drawn from a pose confirms that pose: of a flat part that lies on a table, depth a few millimetres
behind the drawn surface is the table, and counts as the part. So the image is asked once more, without a mask, for the
pose and for those that fill the same box.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from diffdope.estimate.confidence import log_odds, sigmoid
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose, between
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt, tracking_presets
from diffdope.pipelines.locating.in_box import in_guess
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.pipelines.result import RefinementResult, Status, in_pose_of, message_of
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.answers import Answer, Answers
from diffdope.search.alternatives.compared_turns import turned_poses
from diffdope.search.alternatives.symmetric_alternatives import of_cost
from diffdope.search.candidates import Candidates
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_masks import Guess, mask_of
from diffdope.search.selection import SAME, SAME_RAD
from diffdope.search.settings import SearchSettings

_BOX_TELLS = np.log(4.0)
"""Log odds that the box adds to what the image says without a mask: so that 0.22 is believed, the least of the sure and
right results of 48, and 0.05, which plates and a spoon had that lay wrongly, is not. Those figures count the
covariance, too; the fit alone, which is asked here, is surer (docs/studies/2026-11-29-boxes.md, sixth look). That
something stands off all large planes tells as much (docs/studies/2026-11-30-instances.md)."""
_DEARER = 1.1
"""Ratio of costs after the levels from which on a turn is left: of 226 half turns (HOPE, `parts`, `sim`, YCB-Video),
the rest of the search lowered those up to 1.35 times as dear by 3 % at most, and none by more than 13 %."""
_ROUNDS = 2  # times another one takes the place of the first: half a turn beside a quarter of one
_SPLIT = 0.8  # share of the probability below which the other way round is worth a word
_UNCONFIRMED = Note(
    NoteCode.UNCONFIRMED,
    "without the mask that was drawn for it, the image does not confirm the pose; give a mask",
)


def unmasked(
    found: Attempt, searcher: MeshSearcher, preset: Preset, observation: Observation, box: Box, *,
    anew: Callable[[Guess], Attempt] | None = None,
) -> Attempt:  # fmt: skip
    """The surest result in a box, as sure as the image is of it without the mask that was drawn; or another turn.

    Args:
        found: the surest, in the object's own frame.
        searcher: of the object.
        preset: of the search.
        observation: with depth, without a mask.
        box: first and last column and row (x0, y0, x1, y1), pixels.
        anew: locates in a mask where nobody gave a box, but something stands off all large planes; None where one was
            given.
    """
    if preset.solver != "newton" or not found.result.answers:
        return found
    meshes, settings, here = searcher.meshes, preset.resolved_search, found.result.pose
    # Which looks farther, where what is near is doubtful; and all around where most of the object is of revolution, for
    # the mask was drawn with a handle where the pose has it.
    first = searcher.attempt(preset, observation, here, located=meshes.axis is not None).result
    if not found.result.ok:
        return found._replace(result=_in_place_of(found.result, first, meshes))
    about_axis: list[Pose] = []
    if meshes.axis is not None and first.modalities and not meshes.alikeness.unnoticed(*between(here, first.pose)):
        about_axis.append(first.pose)
        first = searcher.attempt(preset, observation, here).result
    first = _as_printed(first, searcher, preset, observation)
    others = _turned(first, found.result, searcher, preset, observation, about_axis)
    for _ in range(_ROUNDS):
        best = max([first, *(one for one in others if one.cost <= first.cost)], key=_odds)
        if best is first:
            break
        mask = mask_of(meshes, observation, best.pose, box, settings)
        if mask is None:
            return found
        guess = Guess(mask, (best.pose,))
        again = in_guess(searcher, preset, observation, guess, box) if anew is None else anew(guess)
        if not again.result.answers:
            return found
        before = [first, *(one for one in others if one is not best)]
        found, first = again, searcher.attempt(preset, observation, again.result.pose).result
        before += _turned(first, found.result, searcher, preset, observation)
        others = _distinct([one for one in before if one.cost <= _DEARER * first.cost], first, meshes)
    weights = np.array([_odds(first), *(_weight(one, first) for one in others)])
    shares = weights / max(float(weights.sum()), 1e-12)
    some = 1.0 - (found.result.none_of_these or 0.0)
    told = believed_without_mask(first)
    moved = _in_place_of(found.result, first, meshes)
    notes = list(moved.notes)
    if told < min(some, 0.5):
        notes.append(_UNCONFIRMED)
    if shares[0] < _SPLIT:
        text = f"another turn about one of its axes fits too, with {1.0 - shares[0]:.2f} of the probability"
        notes.append(Note(NoteCode.HALF_TURN, text))
    some = min(some, told)
    result = with_lower_confidence(moved, float(shares[0]) * some, settings)
    beside = [(one.pose, float(share) * some) for one, share in zip(others, shares[1:], strict=True)]
    result = with_answers(result, beside, meshes, settings)
    return found._replace(result=replace(result, notes=tuple(notes)))


def believed_without_mask(result: RefinementResult) -> float:
    """How far a result is believed that the image gives without the mask that was drawn, and what a box tells."""
    return sigmoid(_BOX_TELLS + log_odds(result.confidence or 0.0))


def _as_printed(
    first: RefinementResult, searcher: MeshSearcher, preset: Preset, observation: Observation
) -> RefinementResult:  # fmt: skip
    """A result, or the turn of it that looks the same and of which the photograph shows more.

    Of a carton with one print on two sides, the sides differ by less than anybody would notice, but not by nothing: in
    a mask, where all turns are searched, the cheapest comes first.

    Args:
        first: the result, refined without the drawn mask.
        searcher: of the object.
        preset: of the search.
        observation: with depth, without a mask.
    """
    meshes, near, here = searcher.meshes, tracking_presets(preset)[0], first.pose
    if not first.modalities or not meshes.mesh.has_pattern or "rgb" not in observation.modalities:
        return first
    best = first
    for turned in turned_poses(here, meshes):
        if not meshes.alikeness.unnoticed(*between(here, turned)):
            continue
        one = searcher.attempt(near, observation, turned, worth=lambda led: led.cost <= first.cost).result
        if one.modalities and one.cost < best.cost and _odds(one) > _odds(best):
            best = one
    return best


def _turned(
    first: RefinementResult, found: RefinementResult, searcher: MeshSearcher, preset: Preset, observation: Observation,
    beside: Sequence[Pose] = (),
) -> list[RefinementResult]:  # fmt: skip
    """What is about as cheap as a result after a turn after which the shape is nearly the same, and looks different.

    Args:
        first: the result, refined without the drawn mask.
        found: the result, in the mask, with its answers.
        searcher: of the object.
        preset: of the search.
        observation: with depth, without a mask.
        beside: poses that are asked as well.
    """
    meshes, here, near = searcher.meshes, found.pose, tracking_presets(preset)[0]

    def worth(led: Candidates) -> bool:
        """Whether levels lead a turn to something that is as cheap, and looks different."""
        return led.cost <= _DEARER * first.cost and not meshes.alikeness.unnoticed(*between(here, led.pose))

    starts = [*turned_poses(here, meshes), *beside]
    others = [searcher.attempt(near, observation, start, worth=worth).result for start in starts]
    others = [one for one in others if one.modalities and one.cost <= _DEARER * first.cost]
    # What fits worse was weighed with the box, if it is an answer; no mask was drawn for the others.
    answers = [one.pose for one in found.answers]
    others = [one for one in others if one.cost <= first.cost or _among(one.pose, answers, meshes) is None]
    return _distinct(others, first, meshes)


def _distinct(others: list[RefinementResult], first: RefinementResult, meshes: MeshLevels) -> list[RefinementResult]:
    """Those that look different from the first and from each other, the cheapest of each."""
    kept: list[RefinementResult] = []
    for one in sorted(others, key=lambda one: one.cost):
        if _among(one.pose, [first.pose, *(other.pose for other in kept)], meshes) is None:
            kept.append(one)
    return kept


def _in_place_of(result: RefinementResult, refined: RefinementResult, meshes: MeshLevels) -> RefinementResult:
    """A result in the pose in which a refinement without the drawn mask ended, if that is about where it began.

    The mask was drawn from a pose that was not settled, and draws the next one there: without it, depth and photograph
    decide. The median error of 26 results of `parts` and `sim` falls by half.
    """
    if not refined.modalities:
        return result
    turn_rad, away_m = refined.pose.angle_to(result.pose), refined.pose.distance_to(result.pose)
    near = turn_rad < SAME_RAD and away_m < SAME * meshes.length_m
    if near or meshes.alikeness.unnoticed(*between(result.pose, refined.pose)):
        return in_pose_of(refined, result)
    return result


def with_answers(
    result: RefinementResult, beside: list[tuple[Pose, float]], meshes: MeshLevels, settings: SearchSettings
) -> RefinementResult:  # fmt: skip
    """A result with poses that may be right as well, and their probabilities; the first stays the most probable."""
    if not beside:
        return result
    answers = list(result.answers)
    for pose, probability in beside:
        same = _among(pose, [one.pose for one in answers], meshes)
        if same is None:
            answers.append(Answer(pose, probability))
        elif same > 0:
            answers[same] = replace(answers[same], probability=answers[same].probability + probability)
    ranked = (answers[0], *sorted(answers[1:], key=lambda one: -one.probability))
    every = Answers(ranked, 1.0 - sum(one.probability for one in ranked))
    result = replace(result, answers=ranked, none_of_these=every.none)
    if not (result.status.ok and every.ambiguous and settings.least_confidence > 0.0):
        return result
    return replace(result, status=Status.AMBIGUOUS, message=message_of(Status.AMBIGUOUS, "", located=True))


def _among(pose: Pose, others: list[Pose], meshes: MeshLevels) -> int | None:
    """Which of some poses looks the same as this one; None for none of them."""
    alike = (k for k, one in enumerate(others) if meshes.alikeness.unnoticed(*between(one, pose)))
    return next(alike, None)


def _weight(result: RefinementResult, best: RefinementResult) -> float:
    """Odds of a result beside the best: no more than the best one's, less where it costs more, as answers have it."""
    dearer = float(of_cost(result.cost) - of_cost(best.cost))
    return min(_odds(result), _odds(best)) * float(np.exp(min(dearer, 0.0)))


def _odds(result: RefinementResult) -> float:
    """Of its being right."""
    return float(np.exp(log_odds(result.confidence or 0.0)))
