"""One search of a frame, and the presets of such searches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from diffdope.errors import expected
from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import Preset
from diffdope.scene.observation import Observation
from diffdope.terms.photometric_gain import PhotometricGain


class Attempt(NamedTuple):
    """A result, and the light in which its colours agree best, if they say anything about it."""

    result: RefinementResult
    gain: PhotometricGain | None


_STEPS, _FINER = 4, 0.1  # times as many steps as in a search, and the factor on its tolerances without depth

Refine = Callable[[Observation, Pose], Attempt]
Locate = Callable[[Observation], Attempt]
Follow = Callable[[Observation, Pose, PhotometricGain | None], Attempt]


def tracking_presets(preset: Preset) -> tuple[Preset, Preset]:
    """What tracking makes of a preset: for a frame (its near search), and for a lost object (the far one as well).

    Raises:
        DiffDopeError: if its solver has no confidence by which a lost object could be told.
    """
    if preset.solver != "newton":
        cure = 'give Refiner(mesh, preset="fast")'
        raise expected("preset", "one whose solver is newton, to track", f"{preset.name!r}, a {preset.solver}", cure)
    # The tracker has thresholds of its own for what it makes of a low confidence.
    search = replace(preset.search, least_confidence=0.0)
    # Which way round it is, the frames before have told.
    turns = replace(search.turns, all_around=False)
    near = replace(search, fallback_confidence=0.0, symmetric_alternatives=False, turns=turns)
    if set(near.near.hypotheses) == {1}:  # a frame must not wait for reduced meshes to be made
        near = replace(near, near=near.near.in_full_detail())
    return replace(preset, search=near), replace(preset, search=replace(search, fallback_confidence=1.0))


def followed_preset(near: Preset) -> Preset:
    """What a frame is followed with, where one hypothesis is refined in the light of the frame before.

    A photograph alone says little of the distance: its cost falls slowly along the view, and what stops early there
    lags behind the object, from frame to frame farther, until another minimum is nearer.
    """
    search, last = near.search, near.search.near.levels[-1]
    levels = (*search.near.levels[:-1], replace(last, iterations=_STEPS * last.iterations))
    step = replace(search.step, without_depth=_FINER * search.step.without_depth)
    return replace(near, search=replace(search, near=replace(search.near, levels=levels), step=step))
