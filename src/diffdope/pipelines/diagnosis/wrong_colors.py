"""Colours of something else: light that was baked into a mesh, another print, channels the other way round.

Where depth and mask put the object, its colours are not those of the photograph. They draw the pose away, and speak
against a right one. So the search of a result that failed is made again without colours, and counts if it convinces.
The turn of an object of revolution, which its print alone tells, is not known then, but for what its start says.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffdope.note_codes import CONTRADICTIONS, Note, NoteCode, of_codes
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.implausible_inputs import of_units
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial, convinces, in_its_place
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.print_turn import turned_share

_ALL = {"rgb", "depth", "mask"}
_NOTE = Note(
    NoteCode.COLOURS_LEFT_OUT,
    "colours are left out: they contradict depth and mask, which convince without them: has the mesh another print, "
    "are its colours those of another light, or are the photograph's channels in another order?",
)


def without_wrong_colors(trial: RejectionTrial) -> Attempt:
    """The same attempt, or one without colours where it failed, and depth and mask convince without them."""
    attempt, meshes, observation, again, start, search = trial
    first = attempt.result
    compared = meshes.mesh.has_color and set(observation.modalities) >= _ALL and "rgb" in first.modalities
    if first.status is not Status.FAILED or not compared or of_codes(first.notes, CONTRADICTIONS):
        return attempt
    if any(of_units(meshes.mesh, observation, start)):
        return attempt
    other = again(observation.without_rgb())
    if not convinces(other):
        return attempt
    placed = in_its_place(first, other, _NOTE, NoteCode.RGB_OFF, search)
    return placed._replace(result=with_open_turn(placed.result, meshes, search.noise.spread_deg))


def with_open_turn(result: RefinementResult, meshes: MeshLevels, spread_deg: float) -> RefinementResult:
    """A result without the print, which alone would have told its turn about an axis of revolution.

    Args:
        result: in the object's own frame.
        meshes: the object.
        spread_deg: how far it may be turned where no covariance is known.
    """
    if result.evidence is None:
        return result
    covariance = result.covariance
    if covariance is None:
        covariance = np.diag([0.0, 0.0, 0.0, *[np.radians(spread_deg) ** 2] * 3])
    print_open = turned_share(covariance, result.pose, meshes)
    return replace(result, evidence=replace(result.evidence, print_open=print_open))
