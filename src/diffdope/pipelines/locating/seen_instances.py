"""Instances that were found in one image: which pixels show each, who hides whom, and whose pixels are whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import between
from diffdope.note_codes import Note, NoteCode, code_of
from diffdope.pipelines.locating.box_verification import believed_without_mask
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.pipelines.result import RefinementResult, in_pose_of
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.problem.failure import Status
from diffdope.problem.region import projected_box
from diffdope.problem.responsibility import CONTACT
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.drawn import Drawing, depth_of_others, drawing_of, knowing
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_proposals import share_in_picture
from diffdope.search.selection import SAME, SAME_RAD
from diffdope.search.settings import SearchSettings

Mask = NDArray[np.bool_]
F32 = NDArray[np.float32]

TWICE = 0.3  # share of an instance's pixels that others claim, from which on it is one of them
_DRAWN_PX = 320  # of a crop
_NEAR = 0.05  # of the diameter: depth that is no farther off shows an instance, what is nearer by more hides it
_SURE = 0.5  # of being right: what is less sure does not take pixels from what is looked for after it
_HARDLY_SEEN, _SEEN, _AT_MOST = 0.4, 0.5, 0.25
"""Shares of what is drawn that depth shows: where it is no more than the first, nothing is believed beyond what a
picture allows that shows a part of an object; from the second on, all. Of the bins of the study, wrong poses that were
believed had 0.12 to 0.39, right ones 0.41 and more."""
_HIDDEN = 0.01  # of its drawing, as in scenes: hidden by less, an instance is as well known alone
_CHEAPER = 0.95
"""Times the cost, others known, at the pose that all pixels gave, which stays unless another costs less: where little
is seen, poses drift along what is left open, and are known the less the fewer pixels speak."""
_ELSEWHERE = Note(
    NoteCode.UNCONFIRMED, "with the other instances drawn where they were found, the image fits another pose better"
)


def is_sure(result: RefinementResult) -> bool:
    """Whether an instance is sure enough to take its pixels from others."""
    return result.ok and (result.confidence or 0.0) >= _SURE


class SeenInstance(NamedTuple):
    """A result, and the pixels (H, W) at which it is seen; and, once that is known, as a user gets it."""

    result: RefinementResult
    own: Mask
    told: RefinementResult | None = None

    @property
    def sure(self) -> bool:
        """Whether it takes its pixels from what is looked for after it."""
        return is_sure(self.result) and (self.told is None or self.told.ok)

    @property
    def shown(self) -> bool:
        """Whether depth shows enough of it."""
        return self.result.status is not Status.FAILED

    def shares(self, others: Mask) -> float:
        """The share of its pixels that others claim."""
        return float(np.count_nonzero(self.own & others) / max(int(np.count_nonzero(self.own)), 1))


def seen_instance(
    result: RefinementResult, meshes: MeshLevels, observation: Observation, search: SearchSettings
) -> SeenInstance | None:  # fmt: skip
    """A result with its pixels, less sure where depth shows little of it; None if it had failed before.

    Where most of what is drawn is hidden, or lies where no depth was measured, other poses explain what is left.
    """
    if not (result.ok or result.status is Status.AMBIGUOUS):
        return None
    drawn = np.zeros((observation.camera.height, observation.camera.width), np.bool_)
    box = projected_box(meshes.corners_m, result.pose, observation.camera)
    if isinstance(box, Status):
        return None
    window = choose_crop([box], observation.camera, margin=0.05, max_size=_DRAWN_PX)
    crop = observation.crop(window)
    images = Renderer(meshes.mesh, crop.camera, buffers=meshes.buffers()).render(result.pose.R_m2c, result.pose.t_m2c)
    assert crop.depth is not None
    there, measured = images.coverage[0] > 0.5, crop.depth > 0.0
    behind_m = np.where(measured, crop.depth - images.depth[0], np.inf)
    hidden = behind_m < -_NEAR * meshes.length_m
    shown, k = there & ~hidden, window.reduction
    area = drawn[window.y0 : window.y0 + window.height, window.x0 : window.x0 + window.width]
    area[:] = np.repeat(np.repeat(shown, k, axis=0), k, axis=1)
    confirmed = there & (np.abs(behind_m) < _NEAR * meshes.length_m)
    seen = float(np.count_nonzero(confirmed) / max(int(np.count_nonzero(there)), 1))
    seen *= share_in_picture(meshes, observation, result.pose)  # what is drawn beyond the picture is not seen either
    result = as_sure_as_seen(result, seen, search)
    return SeenInstance(result, drawn)


def as_sure_as_seen(result: RefinementResult, seen: float, search: SearchSettings) -> RefinementResult:
    """A result of which depth shows a share, believed no more than that share allows."""
    if seen >= _SEEN or not result.answers:
        return result
    some = 1.0 - (result.none_of_these or 0.0)
    believed = float(np.interp(seen, (_HARDLY_SEEN, _SEEN), (_AT_MOST, 1.0)))
    text = f"depth shows {100 * seen:.0f} % of the object: other poses may explain that as well"
    lowered = with_lower_confidence(result, min(some, believed), search)
    notes = (note for note in result.notes if code_of(note) is not NoteCode.LITTLE_SEEN)  # of a look before
    return replace(lowered, notes=(*notes, Note(NoteCode.LITTLE_SEEN, text)))


def beside(observation: Observation, drawn: list[Drawing | None]) -> Observation:
    """An observation that knows of what was drawn in front."""
    return knowing(observation, depth_of_others(drawn, -1, observation.camera))


def shown_of(drawn_m: F32, observation: Observation, length_m: float) -> Mask:
    """Pixels (H, W) at which what is drawn is not hidden by what depth shows there.

    Args:
        drawn_m: (H, W) metres, 0 where nothing is drawn.
        observation: with depth.
        length_m: of the object, its diameter.
    """
    depth = observation.depth
    assert depth is not None
    return np.asarray((drawn_m > 0.0) & ~((depth > 0.0) & (depth < drawn_m - _NEAR * length_m)))


def together(
    kept: Sequence[SeenInstance], searcher: MeshSearcher, preset: Preset, observation: Observation
) -> list[SeenInstance]:  # fmt: skip
    """Instances that were found, of which those that others hide are refined once more, knowing where these are.

    What was found first did not know of the others. A pixel at which another one is drawn in front says nothing of it,
    neither for nor against. It is as sure as the image is then, and hardly, where that leads elsewhere.

    Args:
        kept: the instances; those that are sure hide others.
        searcher: of the object.
        preset: of the search.
        observation: with depth, without a mask.
    """
    meshes, camera = searcher.meshes, observation.camera
    drawn = [drawing_of(meshes, one.result.pose, camera) if one.sure else None for one in kept]
    every: list[SeenInstance] = []
    for number, (one, own) in enumerate(zip(kept, drawn, strict=True)):
        others_m = None if own is None else depth_of_others(drawn, number, camera)
        if own is not None and others_m is not None:
            there = others_m[own.rows, own.columns]
            hidden = (there > 0.0) & (own.depth > 0.0) & (there < own.depth + CONTACT * meshes.length_m)
            if np.count_nonzero(hidden) > _HIDDEN * np.count_nonzero(own.depth):
                one = _again(one, searcher, preset, knowing(observation, others_m)) or one
        every.append(one)
    return every


def _again(
    one: SeenInstance, searcher: MeshSearcher, preset: Preset, observation: Observation
) -> SeenInstance | None:  # fmt: skip
    """An instance, refined where others are known; None where it stays as it is."""
    meshes, settings, before = searcher.meshes, preset.resolved_search, one.result
    refined = searcher.attempt(preset, observation, before.pose).result
    if not refined.modalities or not before.answers:
        return None
    if not refined.cost < _CHEAPER * refined.initial_cost:
        return None
    turn_rad, away_m = refined.pose.angle_to(before.pose), refined.pose.distance_to(before.pose)
    near = turn_rad < SAME_RAD and away_m < SAME * meshes.length_m
    some = 1.0 - (before.none_of_these or 0.0)
    if near or meshes.alikeness.unnoticed(*between(before.pose, refined.pose)):
        result = with_lower_confidence(in_pose_of(refined, before), min(some, believed_without_mask(refined)), settings)
    else:
        result = with_lower_confidence(before, min(some, _AT_MOST), settings)
        result = replace(result, notes=(*result.notes, _ELSEWHERE))
    return seen_instance(result, meshes, observation, settings) or one._replace(result=result, told=None)


def settled(found: list[SeenInstance], most: int) -> list[SeenInstance]:
    """The surest of those that share pixels, the surest first."""
    kept: list[SeenInstance] = []
    claimed: Mask | None = None
    for one in sorted(found, key=lambda one: (not one.sure, -(one.result.confidence or 0.0))):
        if claimed is None:
            claimed = np.zeros_like(one.own)
        if one.shares(claimed) <= TWICE:
            claimed |= one.own
            kept.append(one)
    return kept[:most]
