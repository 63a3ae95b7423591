"""The pose with no start: in a mask, in a box, in pieces that stand out, or by what is painted on the object."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.pipelines.attempt import Attempt, tracking_presets
from diffdope.pipelines.diagnosis.wrong_colors import without_other_print
from diffdope.pipelines.locating.beside_mask import beside_shifted_mask
from diffdope.pipelines.locating.box_verification import unmasked
from diffdope.pipelines.locating.in_box import (
    IN_THE_PICTURE,
    NO_PATTERN,
    NO_POSE_IN_BOX,
    NO_POSE_IN_PICTURE,
    NOTHING_APART,
    NOTHING_IN_BOX,
    box_of_mask,
    by_keypoints,
    doubted_rectangle,
    in_guess,
    surest,
)
from diffdope.pipelines.locating.outvoted_depth import beside_depth_alone
from diffdope.pipelines.locating.size_in_piece import as_large_as_seen, surest_by_size
from diffdope.pipelines.result import RefinementResult, in_pose_of
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.problem.failure import Failure, Status
from diffdope.scene.observation import Observation
from diffdope.search.descent import Progress
from diffdope.search.features.feature_boxes import feature_boxes
from diffdope.search.proposals.box_masks import guessed_pieces, masks_in_box


def anywhere(
    searcher: MeshSearcher,
    preset: Preset,
    observation: Observation,
    *,
    box: Box | None = None,
    progress: Progress | None = None,
) -> Attempt:
    """In the mask; or the surest in masks that a box leads to, or, without either, in pieces that stand out."""
    if box is None and observation.mask_box is None and "depth" not in observation.modalities:
        return _in_whole_photograph(searcher, preset, observation, progress)
    box = box_of_mask(observation, searcher.mesh) if box is None else box
    if box is not None and "depth" not in observation.modalities:
        return _in_photograph(searcher, preset, observation.without_mask(), box, progress)
    if box is None and observation.mask_box is not None:
        found = searcher.attempt(preset, observation, None, progress=progress)
        found = beside_shifted_mask(found, searcher, preset, observation)
        found = searcher.with_right_images(found, observation, None)
        found = beside_depth_alone(found, searcher, preset, observation)
        return doubted_rectangle(found, observation, searcher.mesh, preset.resolved_search)
    began, whole = time.perf_counter(), observation.without_mask()
    inputs, seed = searcher.inputs(preset, whole.surfaces), searcher.seed
    guesses = guessed_pieces(inputs, seed) if box is None else masks_in_box(inputs, box, seed)
    if isinstance(guesses, Failure):
        why = NOTHING_APART if box is None else NOTHING_IN_BOX
        return Attempt(replace(searcher.refused(guesses, None, began), message=why), None)

    each = (in_guess(searcher, preset, whole, guess, box, progress) for guess in guesses)
    enough = preset.resolved_search.fallback_confidence
    if box is None:
        of_size = partial(as_large_as_seen, searcher=searcher, preset=preset, observation=whole)
        best = surest_by_size(each, enough, of_size)
    else:
        best = unmasked(surest(each, enough), searcher, preset, whole, box)
        again = partial(anywhere, searcher, preset, box=box, progress=progress)
        best = without_other_print(best, searcher.meshes, whole, again, preset.resolved_search)
    return best._replace(result=replace(best.result, elapsed_s=time.perf_counter() - began))


def _in_whole_photograph(
    searcher: MeshSearcher, preset: Preset, observation: Observation, progress: Progress | None
) -> Attempt:  # fmt: skip
    """Without mask, box and depth: the surest in boxes of which most keypoints speak for the object."""
    began, settings = time.perf_counter(), preset.resolved_search
    boxes = feature_boxes(searcher.meshes, observation, settings.features)
    if not boxes:
        refused = searcher.refused(Failure(Status.FAILED), None, began)
        return Attempt(replace(refused, message=NO_POSE_IN_PICTURE), None)
    each = (_in_photograph(searcher, preset, observation, box, progress) for box in boxes)
    best = surest(each, settings.fallback_confidence)
    notes = (*best.result.notes, IN_THE_PICTURE)
    return best._replace(result=replace(best.result, elapsed_s=time.perf_counter() - began, notes=notes))


def _in_photograph(
    searcher: MeshSearcher, preset: Preset, observation: Observation, box: Box, progress: Progress | None
) -> Attempt:  # fmt: skip
    """In a box, without depth: by keypoints, which need a pattern."""
    attempt = searcher.attempt(preset, observation, None, progress=progress, box=box)
    if attempt.result.modalities:
        return by_keypoints(attempt)
    why = NO_POSE_IN_BOX if searcher.mesh.has_pattern else NO_PATTERN
    return attempt._replace(result=replace(attempt.result, message=why))


def turned(
    searcher: MeshSearcher, preset: Preset, result: RefinementResult, observation: Observation, pose: Pose
) -> RefinementResult:
    """A located result in a pose that looks the same; symmetries are found to some degrees, so it is refined."""
    if pose is result.pose:
        return result
    refined = searcher.attempt(tracking_presets(preset)[0], observation, pose).result
    return in_pose_of(refined, result) if refined.ok else result
