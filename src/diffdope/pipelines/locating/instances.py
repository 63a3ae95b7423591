"""Every instance of one object that a depth image shows, with no mask: a bin of parts, or a table with some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry.crop import choose_crop
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.given import check_given
from diffdope.pipelines.locating.box_verification import unmasked
from diffdope.pipelines.locating.in_box import doubted
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.problem.failure import Failure, Status
from diffdope.problem.region import projected_box
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_masks import Guess
from diffdope.search.proposals.instances import Occupancy, PlaceQueue, places

Mask = NDArray[np.bool_]

_TWICE = 0.3  # share of an instance's pixels that others claim, from which on it is one of them
_TRIED = 0.15  # of the diameter around a place at which nothing was found, within which no other place is looked at
_DRAWN_PX, _HIDDEN = 320, 0.05  # of a crop; of the diameter: what is nearer by more hides an instance
_IN_VAIN = 8
"""Places, one after the other, at which nothing was found, after which no more are looked at: those that are left show
less of an object."""


def check_shows_instances(observation: Observation) -> None:
    """Refuses an observation in which nothing tells instances apart.

    Raises:
        DiffDopeError: if there is no depth, or it is no observation.
    """
    check_given(observation)
    if "depth" not in observation.modalities:
        cure = "depth tells several of one kind apart; without it, locate finds one in its mask"
        raise expected("observation", "depth", " + ".join(observation.modalities) or "no image", cure)


def instances(searcher: MeshSearcher, preset: Preset, observation: Observation, most: int) -> Iterator[Attempt]:
    """Results in the object's own frame, one for each instance that was found, in the order of how much they explain.

    Each place is looked at as a box would be (`without_start.py`): a mask is drawn from the poses that explain most
    there, the object is located in it, and the image is asked once more without it.

    Args:
        searcher: of the object.
        preset: of the search.
        observation: with depth.
        most: how many are looked for.
    """
    observation, settings = observation.without_mask().surfaces, preset.resolved_search
    meshes = searcher.meshes
    search = searcher.search(preset, observation, None)
    pixels, flat = places(observation, meshes.length_m, settings, searcher.seed)
    scene, queue = Occupancy.of(flat), PlaceQueue(meshes, observation, pixels, settings)
    found, in_vain = 0, 0

    def in_mask(guess: Guess) -> Attempt:
        masked = observation.with_mask(guess.mask)
        one = searcher.attempt(preset, masked, None, guesses=guess.poses)
        return doubted(one, meshes, observation, None, settings)

    while found < most and in_vain < _IN_VAIN and (place := queue.best(scene)) is not None:
        guess = search.instance_at(place, scene, searcher.seed)
        own: Mask | None = None
        if not isinstance(guess, Failure):
            mask, box = guess
            one = unmasked(in_mask(mask), searcher, preset, observation, box, anew=in_mask)
            own = _own(one, meshes, observation)
        if own is None or np.count_nonzero(own & scene.claimed) > _TWICE * np.count_nonzero(own):
            in_vain += 1
            queue.leave_out(place, _TRIED)
            continue
        scene.claimed[own] = True
        queue.again_around(place)
        found, in_vain = found + 1, 0
        yield one


def _own(attempt: Attempt, meshes: MeshLevels, observation: Observation) -> Mask | None:
    """The pixels (H, W) at which a result is seen; None if it has failed."""
    result = attempt.result
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
    hidden = (crop.depth > 0.0) & (crop.depth < images.depth[0] - _HIDDEN * meshes.length_m)
    shown, k = (images.coverage[0] > 0.5) & ~hidden, window.reduction
    area = drawn[window.y0 : window.y0 + window.height, window.x0 : window.x0 + window.width]
    area[:] = np.repeat(np.repeat(shown, k, axis=0), k, axis=1)
    return drawn


def by_confidence(results: Iterable[RefinementResult]) -> list[RefinementResult]:
    """Some results, the surest first."""
    return sorted(results, key=lambda one: -(one.confidence or 0.0))
