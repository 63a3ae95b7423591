"""What is located where nobody says that it is there must stand on its support, not be sunk in it."""

from __future__ import annotations

from dataclasses import replace

from diffdope.estimate.confidence import sigmoid
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.lowered_confidence import with_lower_confidence
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import FAILS
from diffdope.search.checks.sunk_in_support import of_sinking
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings


def as_it_stands(attempt: Attempt, meshes: MeshLevels, observation: Observation, search: SearchSettings) -> Attempt:
    """An attempt that is not believed where its object would be sunk in what it stands on, with a note.

    Of what is set in a socket, a mask, a box or a start says that it is there; this is for results of which nothing
    does, so that a lower object of another kind is as likely.

    Args:
        attempt: in the object's own frame.
        meshes: the object.
        observation: with depth, without a mask.
        search: of the search.
    """
    result = attempt.result
    if not result.answers:
        return attempt
    doubt = of_sinking(meshes, observation.surfaces, result.pose)
    if not doubt.note:
        return attempt
    some = min(1.0 - (result.none_of_these or 0.0), sigmoid(doubt.at_most))
    lowered = with_lower_confidence(result, some, search, doubt.note if doubt.at_most < FAILS else "")
    return attempt._replace(result=replace(lowered, notes=(*lowered.notes, doubt.note)))
