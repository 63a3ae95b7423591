"""Whether the parts of a bin are mirror images of the mesh, where one of them says so and its surface is nearly alike.

Where the mirror image of a mesh is the same surface to the tolerance, as that of a bracket with an oblique hole, the
costs of both differ by less than one instance tells. All of them together tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from diffdope.note_codes import NoteCode, code_of
from diffdope.pipelines.diagnosis.mirrored_mesh import MESH_MIRRORED, mirror_image_cost
from diffdope.pipelines.locating.seen_instances import SeenInstance
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels

_FEWEST = 3  # instances that have a spread
_SURE = 2.0  # standard errors of the mean log ratio of costs
_FITS_LESS = 1.3
"""Times the cost, taken for what is not worth a search: of right brackets the mirror image cost 0.97 to 1.13 times as
much, and more where it fits far less."""


def told_of_mirror_image(
    found: Sequence[SeenInstance], meshes: MeshLevels, observation: Observation
) -> list[RefinementResult]:  # fmt: skip
    """Results as a user gets them, all with the note that the mirror image fits if they say so together, or none.

    Nothing is asked where none has the note. Where they disagree, as where both kinds lie in a bin, each keeps what it
    has; so does what is rather another part, for it has failed.

    Args:
        found: instances, each with its result as a user gets it.
        meshes: the object.
        observation: with depth, without a mask.
    """
    told = [one.told for one in found if one.told is not None]
    some = [one for one in found if one.sure]
    if len(some) < _FEWEST or not any(one.ok and NoteCode.MESH_MIRRORED in one.note_codes for one in told):
        return told
    costs = [mirror_image_cost(one.result, meshes, observation) for one in some]
    ratios = np.log([_FITS_LESS if one is None else one for one in costs])
    mean, error = float(ratios.mean()), float(ratios.std(ddof=1)) / np.sqrt(len(ratios))
    if abs(mean) < _SURE * error:
        return told
    return [_with_note(one, mirrored=mean < 0.0) if one.ok else one for one in told]


def _with_note(result: RefinementResult, *, mirrored: bool) -> RefinementResult:
    notes = tuple(note for note in result.notes if code_of(note) is not NoteCode.MESH_MIRRORED)
    return replace(result, notes=(*notes, MESH_MIRRORED) if mirrored else notes)
