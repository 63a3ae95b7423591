"""Colours of something else: light that was baked into a mesh, another print, channels the other way round.

Where depth and mask put the object, its colours are not those of the photograph. They draw the pose away, and speak
against a right one. So the search of a result that failed is made again without colours, and counts if it convinces.
The turn of an object of revolution, which its print alone tells, is not known then, but for what its start says.

Another print decides by chance which side is seen, where no start does or against it, and the result does not fail for
it: depth and mask fit well. So a print of which next to nothing is seen there is not asked either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from diffdope.estimate.fit_quality import FitQuality
from diffdope.note_codes import CONTRADICTIONS, Note, NoteCode, of_codes
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.implausible_inputs import of_units
from diffdope.pipelines.diagnosis.mirrored_mesh import mirror_image
from diffdope.pipelines.diagnosis.modality_rejection import CONVINCES, RejectionTrial, convinces, in_its_place
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.print_turn import turned_share
from diffdope.search.settings import SearchSettings

_NOTHING_OF_IT = 0.12  # share of a photograph's contrast: other prints explain it by chance, right ones 0.15 and more
_STRONG = 0.2  # standard deviation of a mesh's colours: of a plain one, light and shade leave as little
_ALL = {"rgb", "depth", "mask"}
_NOTE = Note(
    NoteCode.COLOURS_LEFT_OUT,
    "colours are left out: they contradict depth and mask, which convince without them: has the mesh another print, "
    "are its colours those of another light, or are the photograph's channels in another order?",
)


def without_wrong_colors(trial: RejectionTrial) -> Attempt:
    """The same attempt, or one without colours where depth and mask convince without them.

    It is made where the result failed, or a print tells the side of which next to nothing is seen there.
    """
    attempt, meshes, observation, again, start, search = trial
    first = attempt.result
    compared = meshes.mesh.has_color and set(observation.modalities) >= _ALL and "rgb" in first.modalities
    chosen = start is None or NoteCode.TURNED in first.note_codes  # the side, by the print
    refused = first.status is Status.FAILED or (chosen and is_elsewhere(first.evidence))
    if not refused or not compared or of_codes(first.notes, CONTRADICTIONS):
        return attempt
    if any(of_units(meshes.mesh, observation, start)):
        return attempt
    return _without_colors(attempt, meshes, observation, again, search)


def without_other_print(
    attempt: Attempt, meshes: MeshLevels, observation: Observation, again: Callable[[Observation], Attempt],
    search: SearchSettings,
) -> Attempt:  # fmt: skip
    """An attempt in a box, or one without colours where these chose the side, and next to nothing of them is seen.

    Args:
        attempt: with all images, in the object's own frame.
        meshes: the object.
        observation: without a mask.
        again: the same in the box, of other images.
        search: its settings.
    """
    first = attempt.result
    compared = meshes.mesh.has_color and "rgb" in first.modalities and "depth" in first.modalities
    if not (compared and first.ok and is_elsewhere(first.evidence)) or of_codes(first.notes, CONTRADICTIONS):
        return attempt
    return _without_colors(attempt, meshes, observation, again, search)


def _without_colors(
    attempt: Attempt, meshes: MeshLevels, observation: Observation, again: Callable[[Observation], Attempt],
    search: SearchSettings,
) -> Attempt:  # fmt: skip
    """The same attempt, or one without colours, if that convinces."""
    if attempt.result.ok and mirror_image(attempt.result, meshes, observation) is not None:
        return attempt  # it is the mesh's own print, the other way round, and that is said
    return _unless_unsure(attempt, again(observation.without_rgb()), meshes, search)


def _unless_unsure(attempt: Attempt, other: Attempt, meshes: MeshLevels, search: SearchSettings) -> Attempt:
    """Another attempt, without colours, in the place of one with them, if it convinces."""
    if not (convinces(other) or one_of_several(other.result)):
        return attempt
    placed = in_its_place(attempt.result, other, _NOTE, NoteCode.RGB_OFF, search)
    return placed._replace(result=with_open_turn(placed.result, meshes, search.noise.spread_deg))


def is_elsewhere(seen: FitQuality | None) -> bool:
    """Whether a mesh has a strong print, and the photograph next to nothing of it."""
    if seen is None or seen.texture is None or seen.contrast is None:
        return False
    return seen.texture < _NOTHING_OF_IT and seen.contrast > _STRONG


def one_of_several(result: RefinementResult) -> bool:
    """Whether a result is one of several answers that are right together, as probably as one that convinces alone."""
    return result.status is Status.AMBIGUOUS and 1.0 - (result.none_of_these or 0.0) >= CONVINCES


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
