"""One depth camera sees all objects of a view, so its scale is one number, of which all prints speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from diffdope.estimate.depth_scale import ScaleBelief, scale_belief
from diffdope.estimate.tolerance import probability_within
from diffdope.note_codes import Note, NoteCode, code_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.result_confidence import evidence_of, notes_on_scale, scale_of, within_at_scale


def at_common_scale(
    found: Sequence[RefinementResult | None], refiners: Sequence[Refiner]
) -> tuple[list[RefinementResult | None], tuple[Note, ...]]:
    """The results of a view, as sure as the prints of all of them leave them, and what these say of depth's scale.

    What is found stays where it is: whether depth, K or the models are off, pictures do not tell.

    Args:
        found: of each object, in its file's frame; None where nothing was asked or compared.
        refiners: of each.
    """
    told = [evidence for one in found if one is not None for evidence in evidence_of(one)]
    if len(told) < 2:
        return list(found), ()
    every: list[RefinementResult | None] = []
    for one, refiner in zip(found, refiners, strict=True):
        if one is None or one.confidence is None or "depth" not in one.modalities:
            every.append(one)
            continue
        every.append(_as_sure_as(one, refiner, scale_belief(told, refiner.preset.resolved_search.noise)))
    return every, notes_on_scale(scale_belief(told, refiners[0].preset.resolved_search.noise), len(told))


def _as_sure_as(result: RefinementResult, refiner: Refiner, scale: ScaleBelief) -> RefinementResult:
    """A result as sure as another scale than that of its own print leaves it."""
    assert result.confidence is not None and result.tolerance_m is not None
    pose, meshes, covariance = refiner.frame.enter(result.pose), refiner.meshes, result.covariance
    within = 1.0
    if covariance is not None:
        enter = np.linalg.inv(refiner.frame.motion(pose))
        covariance = meshes.modulo_folds(enter @ covariance @ enter.T, pose.R_m2c)
        within = probability_within(result.tolerance_m, covariance, meshes.displacement_form, pose.R_m2c)
    given = covariance, pose, meshes, result.tolerance_m
    before = within_at_scale(within, *given, scale_of(result, refiner.preset.resolved_search.noise))
    times = within_at_scale(within, *given, scale) / before if before > 0.0 else 1.0
    notes = tuple(note for note in result.notes if code_of(note) is not NoteCode.DEPTH_BESIDE_PRINT)
    return replace(result, confidence=min(times * result.confidence, 1.0), notes=notes)
