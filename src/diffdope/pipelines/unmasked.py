"""A result in a box, looked at without the mask that was drawn for it, beside the same turned by half.

A mask that is drawn from a pose confirms that pose: of a flat part that lies on a table, depth a few millimetres
behind the drawn surface is the table, and counts as the part. So the image is asked once more, without a mask, for the
pose and for those that fill the same box.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffdope.estimate.confidence import log_odds, sigmoid
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose, between
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt, tracking_presets
from diffdope.pipelines.in_box import in_guess
from diffdope.pipelines.less_sure import less_sure
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.scene.observation import Observation
from diffdope.search.box_masks import Guess, mask_of
from diffdope.search.candidates import Candidates

_BOX_TELLS = np.log(4.0)
"""Log odds that the box adds to what the image says without a mask: so that 0.22 is believed, the least of the sure and
right results of 48, and 0.05, which plates and a spoon had that lay wrongly, is not. Those figures count the
covariance, too; the fit alone, which is asked here, is surer (docs/studies/2026-11-29-boxes.md, sixth look)."""
_DEARER = 1.1
"""Ratio of costs after the levels from which on a half turn is left: of 226 of them (HOPE, `parts`, `sim`, YCB-Video),
the rest of the search lowered those up to 1.35 times as dear by 3 % at most, and none by more than 13 %."""
_SPLIT = 0.8  # share of the probability below which the other way round is worth a word
_UNCONFIRMED = Note(
    NoteCode.UNCONFIRMED,
    "box: without the mask that was drawn from it, the image does not confirm the pose; give a mask",
)


def unmasked(
    found: Attempt, searcher: MeshSearcher, preset: Preset, observation: Observation, box: Box
) -> Attempt:  # fmt: skip
    """The surest result in a box, as sure as the image is of it without the mask that was drawn; or one turned by half.

    Args:
        found: the surest, in the object's own frame.
        searcher: of the object.
        preset: of the search.
        observation: with depth, without a mask.
        box: first and last column and row (x0, y0, x1, y1), pixels.
    """
    if preset.solver != "newton" or not (found.result.ok and found.result.answers):
        return found
    meshes, settings, near = searcher.meshes, preset.resolved_search, tracking_presets(preset)[0]
    here = found.result.pose
    first = searcher.attempt(preset, observation, here).result  # which looks farther, where what is near is doubtful
    turned = (Pose(here.R_m2c @ R, here.t_m2c + here.R_m2c @ t) for R, t in zip(*meshes.half_turns, strict=True))

    def worth(led: Candidates) -> bool:
        """Whether levels lead a half turn to something that is as cheap, and looks different."""
        return led.cost <= _DEARER * first.cost and not meshes.alikeness.unnoticed(*between(here, led.pose))

    others = [searcher.attempt(near, observation, start, worth=worth).result for start in turned]
    others = [one for one in others if one.modalities and one.cost <= first.cost]
    others = [one for one in others if not meshes.alikeness.unnoticed(*between(here, one.pose))]
    best = max([first, *others], key=_odds)
    share = _odds(best) / max(sum(_odds(one) for one in (first, *others)), 1e-12)
    if best is not first:
        mask = mask_of(meshes, observation, best.pose, box, settings)
        if mask is None:
            return found
        again = in_guess(searcher, preset, observation, Guess(mask, (best.pose,)), box)
        if not again.result.answers:
            return found
        found, first = again, searcher.attempt(preset, observation, again.result.pose).result
    some = 1.0 - (found.result.none_of_these or 0.0)
    alone = sigmoid(_BOX_TELLS + log_odds(first.confidence or 0.0))
    notes = list(found.result.notes)
    if alone < min(some, 0.5):
        notes.append(_UNCONFIRMED)
    if share < _SPLIT:
        text = f"half a turn about an axis of its box fits too, with {1.0 - share:.2f} of the probability"
        notes.append(Note(NoteCode.HALF_TURN, text))
    result = replace(less_sure(found.result, share * min(some, alone), settings), notes=tuple(notes))
    return found._replace(result=result)


def _odds(result: RefinementResult) -> float:
    """Of its being right."""
    return float(np.exp(log_odds(result.confidence or 0.0)))
