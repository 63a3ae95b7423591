"""Masks of more than the object: two things whose masks a network has put together, or a mask that has run over.

Such a mask draws the pose to the middle of both. Depth tells the two apart, but its search begins in the mask. So a
search that failed, or found that depth and mask contradict each other about the size, is made again without the mask,
and counts if it convinces in a place in which the mask shows the object, and something beside it.
"""

from __future__ import annotations

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, of_codes
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.implausible_inputs import of_units
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial, in_its_place
from diffdope.pipelines.diagnosis.swapped_inputs import CROP_PX, mask_and_drawn, second_part
from diffdope.pipelines.result import Status
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels

_MORE = 1.2  # times as large as the object is at the start: less is a border that is off, or the start's distance
_CONVINCES = 0.6
"""Probability that a fit without a mask is right: 0.79 of the packaged example, for which a mask would speak, too.
The place says as much again, in which the mask must have the object."""
_OF_SIZE = frozenset({NoteCode.DEPTH_SCALE, NoteCode.DEPTH_SCALE_UNSURE})


def without_wrong_mask(trial: RejectionTrial) -> Attempt:
    """The same attempt, or one without the mask where that shows more than the object, and depth convinces without it.

    Without a start nothing but the mask says which of several things it is, and it is the same attempt.
    """
    attempt, meshes, observation, again, start, search = trial
    first = attempt.result
    if not search.contradictions or start is None:
        return attempt
    misled = first.status is Status.FAILED or bool(of_codes(first.notes, _OF_SIZE))
    if not misled or not {"depth", "mask"} <= set(observation.modalities) or observation.mask_box is None:
        return attempt
    if _larger(meshes, observation, start) < _MORE or any(of_units(meshes.mesh, observation, start)):
        return attempt
    other = again(observation.without_mask())
    if not other.result.ok or (other.result.confidence or 0.0) < _CONVINCES:
        return attempt
    more = next(second_part(meshes, observation, other.result.pose), None)
    if more is None:
        return attempt
    note = more.worded(f"the mask is left out, depth convinces without it: {more}")
    return in_its_place(first, other, note, NoteCode.MASK_OFF, search)


def _larger(meshes: MeshLevels, observation: Observation, pose: Pose) -> float:
    """How many times as large as the object at a pose the mask is; 0 where the object is not in the picture."""
    both = mask_and_drawn(meshes, observation, pose, meshes.corners_m, CROP_PX)
    mask, drawn = (0, 0) if both is None else map(np.count_nonzero, both)
    return mask / drawn if drawn else 0.0
