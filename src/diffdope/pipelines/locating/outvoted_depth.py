"""What is located by colours where depth, which fits badly there, is sure of something else, with the mask.

A plain dark side in the light of one lamp: its colours cost so much where it is that another side costs less, though
depth contradicts it, and its print is seen half at best. No fit of all images says which of them are wrong. So depth
and mask are asked alone. What they are clearly surer of is an answer, and what was found is the other one. Sides that
depth cannot tell, as those of a printed box, do not come here: both fit depth, and alone it is sure of neither.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffdope.estimate.confidence import log_odds_of
from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import between
from diffdope.note_codes import CONTRADICTIONS, Note, NoteCode, of_codes
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.modality_rejection import convinces, in_its_place
from diffdope.pipelines.diagnosis.wrong_colors import with_open_turn
from diffdope.pipelines.locating.box_verification import with_answers
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.scene.observation import Observation

_SEEN = 0.7  # correlation from which on a print is seen: what depth contradicts has less, 0.4 to 0.6
_FITS = 0.87  # share of depths that fit from which on no other pose can be `_CLEARLY` likelier by them
_CLEARLY = np.log(2.0)  # log odds without colours by which depth and mask tell another pose: as answers are ambiguous
_NOTE = Note(
    NoteCode.COLOURS_MISFIT,
    "depth and mask are sure of one pose, colours of another one: does the light hide the print, or has the mesh "
    "another print?",
)


def beside_depth_alone(found: Attempt, searcher: MeshSearcher, preset: Preset, observation: Observation) -> Attempt:
    """The same, or the pose of which depth and mask are sure, with what was found as the other answer, as probable.

    Args:
        found: in a mask, with all images.
        searcher: of the object.
        preset: of the search.
        observation: the images.
    """
    first, settings = found.result, preset.resolved_search
    if not settings.contradictions or not _may_be_outvoted(first):
        return found
    other = searcher.attempt(preset, observation.without_rgb(), None)
    second, meshes = other.result, searcher.meshes
    assert first.evidence is not None
    if not convinces(other) or second.evidence is None or of_codes(second.notes, CONTRADICTIONS):
        return found
    if _of_shape(second.evidence) - _of_shape(first.evidence) < _CLEARLY:
        return found
    if meshes.alikeness.unnoticed(*between(first.pose, second.pose)):
        return found
    placed = in_its_place(first, other, _NOTE, NoteCode.RGB_OFF, settings).result
    placed = with_open_turn(placed, meshes, settings.noise.spread_deg)
    answers = tuple(replace(one, probability=0.5 * one.probability) for one in placed.answers)
    placed = replace(placed, answers=answers, confidence=answers[0].probability)
    some = sum(one.probability for one in first.answers)
    beside = [(one.pose, answers[0].probability * one.probability / some) for one in first.answers]
    return other._replace(result=with_answers(placed, beside, meshes, settings))


def _may_be_outvoted(result: RefinementResult) -> bool:
    """Whether depth contradicts a result whose print is not clearly seen."""
    seen = result.evidence
    if not result.ok or not result.answers or seen is None or seen.texture is None or seen.overlap is None:
        return False
    return seen.depth_inliers is not None and seen.depth_inliers < _FITS and seen.texture < _SEEN


def _of_shape(quality: FitQuality) -> float:
    """Log odds of a fit but for its colours."""
    return log_odds_of(replace(quality, texture=None, contrast=None))
