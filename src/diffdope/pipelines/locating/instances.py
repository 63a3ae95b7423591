"""Every instance of one object that a depth image shows, with no mask: a bin of parts, or a table with some."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from diffdope.errors import expected
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose, between
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.given import check_given
from diffdope.pipelines.locating.box_verification import unmasked
from diffdope.pipelines.locating.explaining_turns import explaining
from diffdope.pipelines.locating.in_box import doubted
from diffdope.pipelines.locating.mirrored_bin import told_of_mirror_image
from diffdope.pipelines.locating.seen_instances import (
    TWICE,
    SeenInstance,
    beside,
    seen_instance,
    settled,
    shown_of,
    together,
)
from diffdope.pipelines.locating.standing import as_it_stands
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.problem.failure import Failure, Status
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.answers import with_turns
from diffdope.search.descent import Progress
from diffdope.search.drawn import Drawing, drawing_of
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_masks import Guess
from diffdope.search.proposals.instances import instance_at, places
from diffdope.search.proposals.place_queue import Occupancy, PlaceQueue
from diffdope.search.selection import SAME, SAME_RAD

OnInstance = Callable[[RefinementResult], object]
"""Called with an instance that was found; what is true ends the search."""

_TRIED = 0.15  # of the diameter around a place at which nothing was found, within which no other place is looked at
_MOST_PLACES = 10_000
"""More than a bin of 600 by 400 mm has for a screw of 25 mm; each takes some 15 ms. With depth ten times too far there
were 39,000 in place of 78."""
_IN_REGION = 0.5  # of what is seen of an instance that must lie in the region in which they are looked for, if any
_IN_VAIN = 8
"""Places, one after the other, at which nothing sure was found, after which no more are looked at: those that
are left show less of an object."""


def check_shows_instances(
    observation: Observation, progress: Progress | None = None, on_instance: Callable[..., object] | None = None
) -> None:
    """Refuses an observation in which nothing tells instances apart, and what is to be called and cannot be.

    Raises:
        DiffDopeError: if there is no depth, or it is no observation.
    """
    check_given(observation, progress)
    if on_instance is not None and not callable(on_instance):
        raise expected("on_instance", "a function or None", repr(on_instance))
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
    searcher: MeshSearcher, preset: Preset, observation: Observation, most: int,
    told: Callable[[RefinementResult], RefinementResult], progress: Progress | None = None,
    on_instance: OnInstance | None = None,
) -> list[RefinementResult]:  # fmt: skip
    """Results as a user gets them, one for each instance that was found, the surest first.

    Each place is looked at as a box would be (`without_start.py`): a mask is drawn from the poses that explain most
    there, the object is located in it, and the image is asked once more without it. What is sure takes its pixels at
    once; what is not leaves them to others, and in the end the surer of two that share them has them. Places at which
    the same pose failed twice are left out.

    Args:
        searcher: of the object.
        preset: of the search.
        observation: with depth; a mask shows the region in which instances are looked for, and what it knows of
            others is theirs.
        most: how many are looked for.
        told: makes of a result in the object's own frame what a user gets.
        progress: called with how many were found, how many are looked for, and the cost of the last of them.
        on_instance: called with each that is sure, at once; what is true ends the search.

    Raises:
        DiffDopeError: if the object is so small beside what depth shows that a unit is rather wrong.
    """
    region = None if observation.mask is None else observation.mask > 0.5
    observation, settings = observation.without_mask().surfaces, preset.resolved_search
    meshes, inputs = searcher.meshes, searcher.inputs(preset, observation)
    pixels, flat = places(observation, meshes.length_m, settings, searcher.seed)
    if region is not None:
        pixels = pixels[region[pixels[:, 1].astype(np.int64), pixels[:, 0].astype(np.int64)]]
    check_fits(len(pixels), meshes.length_m)
    scene, queue = Occupancy.of(flat), PlaceQueue(meshes, observation, pixels, settings)
    if observation.others is not None:
        scene.claimed[shown_of(observation.others, observation, meshes.length_m)] = True
    found: list[SeenInstance] = []
    drawn: list[Drawing | None] = []
    failed: list[Pose] = []
    in_vain, seen, unsure = 0, observation, np.zeros_like(flat)

    def in_mask(guess: Guess) -> Attempt:
        masked = seen.with_mask(guess.mask)
        one = searcher.attempt(preset, masked, None, guesses=guess.poses)
        return as_it_stands(doubted(one, meshes, seen, None, settings), meshes, seen, settings)

    def in_guess(guess: Guess, box: Box) -> Attempt:
        return unmasked(in_mask(guess), searcher, preset, seen, box, anew=in_mask)

    def told_alike(result: RefinementResult) -> RefinementResult:
        # A piece leads to few poses, which need not be those that look the same.
        each = (with_turns(one, *meshes.turns_of_box, meshes.alikeness) for one in result.answers)
        return told(replace(result, answers=tuple(each)))

    while len(drawn) < most and in_vain < _IN_VAIN and (place := queue.best(scene)) is not None:
        guess = instance_at(inputs, place, scene, searcher.seed)
        one: SeenInstance | None = None
        if not isinstance(guess, Failure):
            mask, box = guess
            attempt = in_guess(mask, box)
            attempt = explaining(
                attempt, searcher, preset, seen, scene.claimed | flat, anew=partial(in_guess, box=box),
                asked=mask.poses,
            )  # fmt: skip
            one = seen_instance(attempt.result, meshes, observation, settings)
            if one is None and any(_same(attempt.result.pose, pose, meshes) for pose in failed):
                queue.leave_out_shown(mask.mask)  # they would lead to the same
            elif one is None:
                failed.append(attempt.result.pose)
            if one is not None and region is not None and one.shares(region) < _IN_REGION:
                one = None
        anew = False
        if one is not None and one.shown and one.shares(scene.claimed) <= TWICE:
            anew = one.shares(unsure) <= TWICE
            one = one._replace(told=told_alike(one.result)) if one.sure else one
            found.append(one)
            if progress is not None:
                progress(min(len(found), most), most, one.result.cost)
            if one.sure:
                scene.claimed[one.own] = True
                queue.again_around(place)
                drawn.append(drawing_of(meshes, one.result.pose, observation.camera))
                seen, in_vain = beside(observation, drawn), 0
                if on_instance is not None and one.told is not None and on_instance(one.told):
                    break
                continue
            unsure |= one.own
        if one is not None:  # the places beside would lead to the same
            queue.postpone(one.own)
        in_vain += not anew
        queue.leave_out(place, _TRIED)
    kept = together(settled(found, most), searcher, preset, observation)
    kept = settled([one for one in kept if one.shown], most)
    kept = [one._replace(told=one.told or told_alike(one.result)) for one in kept]
    return by_confidence(told_of_mirror_image(kept, meshes, observation))


def _same(one: Pose, other: Pose, meshes: MeshLevels) -> bool:
    """Whether two poses of one object are one, but for what nobody would notice."""
    near = one.angle_to(other) < SAME_RAD and one.distance_to(other) < SAME * meshes.length_m
    return near or meshes.alikeness.unnoticed(*between(one, other))


def by_confidence(results: Iterable[RefinementResult]) -> list[RefinementResult]:
    """Those of some results that have not failed, the surest first."""
    there = [one for one in results if one.ok or one.status is Status.AMBIGUOUS]
    return sorted(there, key=lambda one: -(one.confidence or 0.0))
