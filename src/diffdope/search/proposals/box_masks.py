"""From a box, or none, to masks: the poses that explain most of what it shows, and the pixels in which each is seen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import Box, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.candidates import Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_proposals import BoxSettings, box_proposals, box_score
from diffdope.search.proposals.depth_segments import pieces
from diffdope.search.proposals.local_search import Score, Scored, climbed
from diffdope.search.proposals.template_placement import Proposals
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings

Mask = NDArray[np.bool_]

_MASK_PX = 160  # side of the crop in which masks are drawn, at most
_ALIKE = 0.9  # overlap of two masks, by their union, in which a search with the same poses ends alike
_FEWEST = 8  # pixels of that crop: a mask of fewer holds nothing


class Guess(NamedTuple):
    """A mask (H, W) of the whole image in which the object may be, and the poses that it may have there, if known."""

    mask: Mask
    poses: tuple[Pose, ...] = ()


def masks_in_box(
    inputs: SearchInputs, box: Box, seed: int
) -> list[Guess] | Failure:  # fmt: skip
    """Masks in which the object may be, with the poses that lead to them, the likeliest first.

    The best proposals climb what they explain: without a mask, a descent from a pose that is right to a neighbouring
    rotation ends on whatever else the box shows. At each finer level, what is left makes a descent, in which a pose
    that explains less than before stays as it was, and climbs on.

    Args:
        inputs: of the search, of an observation with depth and without a mask.
        box: first and last column and row (x0, y0, x1, y1) of the object's visible part, pixels.
        seed: of the draws.
    """
    meshes, observation, settings = inputs.meshes, inputs.observation, inputs.settings.box
    proposals = box_proposals(meshes, observation, box, inputs.settings.view_sphere, settings)
    if isinstance(proposals, Failure):
        return proposals
    scored = partial(box_score, meshes, observation, box, settings)
    kept = reached(inputs, proposals, scored, settings, seed)
    if isinstance(kept, Failure):
        return kept
    # What explains less in the box may be right in a mask: an object the other way round, or end for end.
    poses = tuple(Pose(*one) for one in zip(kept.R, kept.t, strict=True))
    guesses: list[Guess] = []
    for k, pose in enumerate(poses[: settings.masks]):
        mask = mask_of(meshes, observation, pose, box, inputs.settings)
        if mask is not None and not any(_alike(mask, one.mask) for one in guesses):
            guesses.append(Guess(mask, poses[k:] + poses[:k]))
    return guesses or Failure(Status.FAILED)


def guessed_pieces(inputs: SearchInputs, seed: int) -> list[Guess] | Failure:
    """Masks of pieces that stand out and may be the object, the likeliest first; see `depth_segments.pieces`.

    Args:
        inputs: of the search, of an observation with depth and without a mask.
        seed: of the draws.
    """
    settings = inputs.settings
    found = pieces(inputs.meshes, inputs.observation, settings.view_sphere, settings.pieces, seed)
    return [Guess(mask) for mask in found] or Failure(Status.NO_OVERLAP)


def reached(
    inputs: SearchInputs, proposals: Proposals, scored: Callable[..., Score], settings: BoxSettings, seed: int
) -> Scored | Failure:  # fmt: skip
    """The poses that proposals lead to without a mask, by climbing and by descents in turn, the best first.

    Args:
        inputs: of the search, of an observation without a mask.
        proposals: the best first.
        scored: makes a level's score, of its `size`, `faces` and `depth_range`.
        settings: of the levels.
        seed: of the draws.
    """
    descent, length_m = Descent(inputs, Recorder()), inputs.meshes.length_m
    first, *finer = settings.pyramid.levels
    counts = [*(level.hypotheses for level in finer), settings.pyramid.levels[-1].hypotheses]
    rng = np.random.default_rng(seed)
    score = scored(size=first.size, faces=first.faces, depth_range=settings.depth_range)
    kept = climbed(
        Scored.of(proposals.R, proposals.t, score), counts[0], settings.climb, rng, rounds=first.iterations,
        length_m=length_m, score=score,
    )  # fmt: skip
    climb, before = settings.climb, first
    for number, level in enumerate(finer, start=1):
        R, t = kept.R, kept.t
        score = scored(size=level.size, faces=level.faces, depth_range=settings.depth_range_fine)
        kept = Scored.of(R, t, score)
        found = descent.run(settings.pyramid.of_level(number), Hypotheses(R, t, np.arange(len(t))), Pose(R[0], t[0]))
        if isinstance(found, Failure):
            return found
        ended = found.ended.solution
        kept = kept.bettered(Scored.of(ended.R[:, 0], ended.t[:, 0], score))
        climb, before = climb.finer(level.size / before.size), level
        kept = climbed(kept, counts[number], climb, rng, rounds=climb.rounds_again, length_m=length_m, score=score)
    return kept


def mask_of(
    meshes: MeshLevels, observation: Observation, pose: Pose, box: Box, search: SearchSettings
) -> Mask | None:  # fmt: skip
    """Pixels (H, W) inside of a box in which the depth shows an object under a pose; None where it shows next to none.

    Args:
        meshes: the object, about its own middle.
        observation: with depth.
        pose: object to camera.
        box: first and last column and row (x0, y0, x1, y1), pixels.
        search: of the search.
    """
    from scipy.ndimage import binary_dilation

    window = choose_crop([box], observation.camera, margin=0.1, max_size=_MASK_PX)
    crop = observation.surfaces.crop(window)
    images = Renderer(meshes.mesh, crop.camera, buffers=meshes.buffers()).render(pose.R_m2c, pose.t_m2c)
    assert crop.depth is not None
    drawn = images.coverage[0] > 0.5
    away = np.where(crop.depth > 0.0, crop.depth - images.depth[0], 0.0)
    off = search.box.depth_range_fine * meshes.length_m
    agrees = drawn & (np.abs(away) < off)
    # At borders, depth is mixed of two surfaces: what is next to a pixel that agrees belongs to it.
    shown = agrees | (drawn & binary_dilation(agrees) & (away > -off))
    if np.count_nonzero(shown) < _FEWEST:
        return None
    whole = np.zeros((observation.camera.height, observation.camera.width), np.bool_)
    k = window.reduction
    area = whole[window.y0 : window.y0 + window.height, window.x0 : window.x0 + window.width]
    area[:] = np.repeat(np.repeat(shown, k, axis=0), k, axis=1)
    x0, y0, x1, y1 = (round(one) for one in box)
    kept = np.zeros_like(whole)
    kept[max(y0, 0) : y1 + 1, max(x0, 0) : x1 + 1] = True
    return np.asarray(whole & kept)


def _alike(one: Mask, other: Mask) -> bool:
    """Whether two masks show the same pixels, nearly."""
    return bool(np.count_nonzero(one & other) > _ALIKE * np.count_nonzero(one | other))
