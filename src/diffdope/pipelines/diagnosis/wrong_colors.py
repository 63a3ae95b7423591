"""Colours of something else: light that was baked into a mesh, another print, channels the other way round.

Where depth and mask put the object, its colours are not those of the photograph. They draw the pose away, and speak
against a right one. So the search of a result that failed is made again without colours, and counts if it convinces.
"""

from __future__ import annotations

from diffdope.note_codes import CONTRADICTIONS, Note, NoteCode, of_codes
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.implausible_inputs import of_units
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial, convinces, in_its_place
from diffdope.pipelines.result import Status

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
    return in_its_place(first, other, _NOTE, NoteCode.RGB_OFF, search) if convinces(other) else attempt
