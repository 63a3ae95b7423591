"""Every instance of one object that a depth image shows, with no mask: a bin of parts, or a table with some."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry.crop import choose_crop
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.given import check_given
from diffdope.pipelines.locating.box_verification import unmasked
from diffdope.pipelines.locating.in_box import doubted
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.problem.failure import Failure, Status
from diffdope.problem.region import projected_box
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.descent import Progress
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_masks import Guess
from diffdope.search.proposals.instances import Occupancy, PlaceQueue, places
from diffdope.search.settings import SearchSettings

Mask = NDArray[np.bool_]

_TWICE = 0.3  # share of an instance's pixels that others claim, from which on it is one of them
_TRIED = 0.15  # of the diameter around a place at which nothing was found, within which no other place is looked at
_DRAWN_PX = 320  # of a crop
_NEAR = 0.05  # of the diameter: depth that is no farther off shows an instance, what is nearer by more hides it
_SURE = 0.5  # of being right: what is less sure does not take pixels from what is looked for after it
_HARDLY_SEEN, _SEEN, _AT_MOST = 0.4, 0.5, 0.25
"""Shares of what is drawn that depth shows: where it is no more than the first, nothing is believed beyond what a
picture allows that shows a part of an object; from the second on, all. Of the bins of the study, wrong poses that were
believed had 0.12 to 0.39, right ones 0.41 and more."""
_MOST_PLACES = 10_000
"""More than a bin of 600 by 400 mm has for a screw of 25 mm; each takes some 15 ms. With depth ten times too far there
were 39,000 in place of 78."""
_IN_VAIN = 8
"""Places, one after the other, at which nothing sure was found, after which no more are looked at: those that
are left show less of an object."""


def check_shows_instances(observation: Observation, progress: Progress | None = None) -> None:
    """Refuses an observation in which nothing tells instances apart.

    Raises:
        DiffDopeError: if there is no depth, or it is no observation.
    """
    check_given(observation, progress)
    if "depth" not in observation.modalities:
        cure = "depth tells several of one kind apart; without it, locate finds one in its mask"
        raise expected("observation", "depth", " + ".join(observation.modalities) or "no image", cure)


def check_fits(places: int, length_m: float) -> None:
    """Refuses a picture in which an object has so many places that its size and depth are rather of another unit.

    Raises:
        DiffDopeError: if there are too many.
    """
    if places > _MOST_PLACES:
        got = f"{places} places for an object of {1e3 * length_m:.4g} mm"
        cure = "is the mesh's unit right, and depth in metres (depth_scale)? Else cut the image to the bin"
        raise expected("observation", f"depth with at most {_MOST_PLACES} places for the object", got, cure)


def instances(
    searcher: MeshSearcher, preset: Preset, observation: Observation, most: int, progress: Progress | None = None
) -> list[RefinementResult]:  # fmt: skip
    """Results in the object's own frame, one for each instance that was found, the surest first.

    Each place is looked at as a box would be (`without_start.py`): a mask is drawn from the poses that explain most
    there, the object is located in it, and the image is asked once more without it. What is sure takes its pixels at
    once; what is not leaves them to others, and in the end the surer of two that share them has them.

    Args:
        searcher: of the object.
        preset: of the search.
        observation: with depth.
        most: how many are looked for.
        progress: called with how many were found, how many are looked for, and the cost of the last of them.

    Raises:
        DiffDopeError: if the object is so small beside what depth shows that a unit is rather wrong.
    """
    observation, settings = observation.without_mask().surfaces, preset.resolved_search
    meshes = searcher.meshes
    search = searcher.search(preset, observation, None)
    pixels, flat = places(observation, meshes.length_m, settings, searcher.seed)
    check_fits(len(pixels), meshes.length_m)
    scene, queue = Occupancy.of(flat), PlaceQueue(meshes, observation, pixels, settings)
    found: list[_SeenInstance] = []
    sure, in_vain = 0, 0

    def in_mask(guess: Guess) -> Attempt:
        masked = observation.with_mask(guess.mask)
        one = searcher.attempt(preset, masked, None, guesses=guess.poses)
        return doubted(one, meshes, observation, None, settings)

    while sure < most and in_vain < _IN_VAIN and (place := queue.best(scene)) is not None:
        guess = search.instance_at(place, scene, searcher.seed)
        one: _SeenInstance | None = None
        if not isinstance(guess, Failure):
            mask, box = guess
            attempt = unmasked(in_mask(mask), searcher, preset, observation, box, anew=in_mask)
            one = _found(attempt.result, meshes, observation, settings)
        if one is not None and one.shares(scene.claimed) <= _TWICE:
            found.append(one)
            if progress is not None:
                progress(min(len(found), most), most, one.result.cost)
            if one.sure:
                scene.claimed[one.own] = True
                queue.again_around(place)
                sure, in_vain = sure + 1, 0
                continue
        in_vain += 1
        queue.leave_out(place, _TRIED)
    return _settled(found, most)


class _SeenInstance(NamedTuple):
    """A result, and the pixels (H, W) at which it is seen."""

    result: RefinementResult
    own: Mask

    @property
    def sure(self) -> bool:
        """Whether it takes its pixels from what is looked for after it."""
        return self.result.ok and (self.result.confidence or 0.0) >= _SURE

    def shares(self, others: Mask) -> float:
        """The share of its pixels that others claim."""
        return float(np.count_nonzero(self.own & others) / max(int(np.count_nonzero(self.own)), 1))


def _settled(found: list[_SeenInstance], most: int) -> list[RefinementResult]:
    """The surest of those that share pixels, the surest first."""
    kept: list[RefinementResult] = []
    claimed: Mask | None = None
    for one in sorted(found, key=lambda one: (not one.sure, -(one.result.confidence or 0.0))):
        if claimed is None:
            claimed = np.zeros_like(one.own)
        if one.shares(claimed) <= _TWICE:
            claimed |= one.own
            kept.append(one.result)
    return kept[:most]


def _found(
    result: RefinementResult, meshes: MeshLevels, observation: Observation, search: SearchSettings
) -> _SeenInstance | None:  # fmt: skip
    """A result with its pixels, less sure where depth shows little of it; None if it has failed.

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
    result = _as_sure_as_seen(result, seen, search)
    return None if result.status is Status.FAILED else _SeenInstance(result, drawn)


def _as_sure_as_seen(result: RefinementResult, seen: float, search: SearchSettings) -> RefinementResult:
    """A result of which depth shows a share, believed no more than that share allows."""
    if seen >= _SEEN or not result.answers:
        return result
    some = 1.0 - (result.none_of_these or 0.0)
    believed = float(np.interp(seen, (_HARDLY_SEEN, _SEEN), (_AT_MOST, 1.0)))
    text = f"depth shows {100 * seen:.0f} % of the object: other poses may explain that as well"
    lowered = with_lower_confidence(result, min(some, believed), search)
    return replace(lowered, notes=(*result.notes, Note(NoteCode.LITTLE_SEEN, text)))


def by_confidence(results: Iterable[RefinementResult]) -> list[RefinementResult]:
    """Those of some results that have not failed, the surest first."""
    there = [one for one in results if one.ok or one.status is Status.AMBIGUOUS]
    return sorted(there, key=lambda one: -(one.confidence or 0.0))
