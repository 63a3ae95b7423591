"""A result of fewer images, where one of them misled: what it takes to believe it, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode, code_of
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings

CONVINCES = 0.8
"""Probability that a fit without one of the images is right."""
LEFT_OUT = 0.75
"""Of such a fit at most, which is 0.9 of the right minimum: that an image was refused says that something is wrong."""


class RejectionTrial(NamedTuple):
    """A search with all images, and how it is made again without one of them.

    Attributes:
        attempt: what it found, in the object's own frame.
        meshes: the object.
        observation: the images.
        again: the search, of other images.
        start: in the own frame; None where there was none.
        search: its settings.
    """

    attempt: Attempt
    meshes: MeshLevels
    observation: Observation
    again: Callable[[Observation], Attempt]
    start: Pose | None
    search: SearchSettings


def convinces(attempt: Attempt, least: float = CONVINCES) -> bool:
    """Whether a search without one of the images is to be believed in the place of one with all: at least so sure."""
    return attempt.result.ok and (attempt.result.confidence or 0.0) >= least


def in_its_place(
    first: RefinementResult, other: Attempt, note: Note, off: NoteCode, search: SearchSettings,
    at_most: float = LEFT_OUT,
) -> Attempt:  # fmt: skip
    """An attempt without one of the images, with what it says, and less sure for it.

    Args:
        first: the result with all images.
        other: the attempt without one, which convinces.
        note: why that was left out.
        off: what the attempt says of its absence: the image was given.
        search: of the search.
        at_most: probability that the fit, or one of the answers, is right.
    """
    result = other.result
    some = 1.0 - (result.none_of_these or 0.0) if result.answers else result.confidence or 0.0
    doubted = with_lower_confidence(result, min(some, at_most), search, note)
    notes = (one for one in result.notes if code_of(one) is not off)
    return other._replace(result=replace(doubted, notes=(note, *notes), elapsed_s=first.elapsed_s + result.elapsed_s))
