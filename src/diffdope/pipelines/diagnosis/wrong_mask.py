"""Masks of more than the object: two things whose masks a network has put together, or a mask that has run over.

Such a mask draws the pose to the middle of both. Depth tells the two apart, but its search begins in the mask. So a
search that failed, or found that depth and mask contradict each other about the size, is made again without the mask,
and counts if it convinces in a place in which the mask shows the object, and something beside it.

Masks that are some pixels beside the object are the other kind. Depth is followed then, but what a mask overlaps
speaks for or against a pose as if its place were right, and of a small object that is enough to make a right pose fail,
or to make depth, which is right, look as if it were the image that is not. Moved by a few pixels, such a mask is what
the object covers: one that is too wide or too narrow is none, for depth of another scale would make it look so, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode, of_codes
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.diagnosis.implausible_inputs import of_units
from diffdope.pipelines.diagnosis.modality_rejection import RejectionTrial, convinces, in_its_place
from diffdope.pipelines.diagnosis.swapped_inputs import CROP_PX, mask_and_drawn, second_part
from diffdope.pipelines.result import Status
from diffdope.problem.region import projected_box
from diffdope.render.renderer import draw
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels

_MORE = 1.2  # times as large as the object is at the start: less is a border that is off, or the start's distance
_CONVINCES = 0.6
"""Probability that a fit without a mask is right: 0.79 of the packaged example, for which a mask would speak, too.
The place says as much again, in which the mask must have the object."""
_DOUBTED = 0.5  # probability of a fit below which a mask beside the object is asked whether it is the reason
_REACH = 3.0  # deviations of a mask's place, within which it is moved
_MOVED = 0.9  # intersection over union with a mask once moved: a border of 60 pixels that is 1.6 too wide
_AS_LARGE = 0.025  # share by which it may be larger or smaller than the object: half of what contradicts K or depth
_BORDERS_PX = 2.0  # ... or a pixel at either side, to which an outline is known beside an edge of something in front
_BEFORE = 0.04  # of the diameter, by which a surface is in front of what is drawn: it hides it
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
    if not convinces(other, _CONVINCES):
        return attempt
    more = next(second_part(meshes, observation, other.result.pose), None)
    if more is None:
        return attempt
    note = more.worded(f"the mask is left out, depth convinces without it: {more}")
    return in_its_place(first, other, note, NoteCode.MASK_OFF, search)


def without_shifted_mask(trial: RejectionTrial) -> Attempt:
    """The same attempt, or one without the mask where depth contradicts its place, and convinces without it.

    Only where the first is in doubt: a mask that is a little off still tells more than none.
    """
    attempt, meshes, observation, again, start, search = trial
    first = attempt.result
    if not search.contradictions or start is None or not of_codes(first.notes, (NoteCode.MASK_SHIFTED,)):
        return attempt
    if first.status is not Status.FAILED and (first.confidence or 0.0) >= _DOUBTED:
        return attempt
    other = again(observation.without_mask())
    if not convinces(other, _CONVINCES):
        return attempt
    moved = moved_overlap(meshes, observation, other.result.pose, _REACH * search.noise.mask_shift_px)
    if moved.overlap < _MOVED or abs(moved.mask_px - moved.drawn_px) > max(_AS_LARGE * moved.drawn_px, _BORDERS_PX):
        return attempt
    note = Note(NoteCode.MASK_SHIFTED, "the mask is left out: it is beside the object, and depth convinces without it")
    return in_its_place(first, other, note, NoteCode.MASK_OFF, search)


class MovedOverlap(NamedTuple):
    """Intersection over union of a mask and an object moved in the image; square roots of both areas, pixels."""

    overlap: float
    mask_px: float
    drawn_px: float


def moved_overlap(meshes: MeshLevels, observation: Observation, pose: Pose, reach_px: float) -> MovedOverlap:
    """How much of a mask and of the object at a pose is one, once the object is moved to where that is most.

    What depth has something in front of counts only where the mask has it.

    Args:
        meshes: the object.
        observation: with depth and a mask.
        pose: object to camera.
        reach_px: by which the object is moved at most, along either axis.

    Returns:
        zeros where the object or the mask is not in the picture.
    """
    mask_box, box = observation.mask_box, projected_box(meshes.corners_m, pose, observation.camera)
    if mask_box is None or isinstance(box, Status):
        return MovedOverlap(0.0, 0.0, 0.0)
    window = choose_crop([box, mask_box], observation.camera, margin=0.0, max_size=2 * CROP_PX)
    crop = observation.crop(window)
    assert crop.mask is not None and crop.depth is not None
    images = draw(meshes.buffers(), crop.camera, pose)
    reach = int(np.ceil(reach_px / window.reduction))
    drawn, mask = (np.pad(one > 0.5, reach) for one in (images.coverage[0], crop.mask))
    before = (crop.depth > 0.0) & (crop.depth < images.depth[0] - _BEFORE * meshes.length_m)
    counts = mask | ~(drawn & np.pad(before, reach))
    steps = range(-reach, reach + 1)
    best, mask_px = MovedOverlap(0.0, 0.0, 0.0), float(np.sqrt(np.count_nonzero(mask)))
    for shift in ((down, right) for down in steps for right in steps):
        moved = np.roll(drawn, shift, (0, 1)) & counts
        overlap = float(np.count_nonzero(moved & mask) / np.count_nonzero(moved | mask))
        best = max(best, MovedOverlap(overlap, mask_px, float(np.sqrt(np.count_nonzero(moved)))))
    return best


def _larger(meshes: MeshLevels, observation: Observation, pose: Pose) -> float:
    """How many times as large as the object at a pose the mask is; 0 where the object is not in the picture."""
    both = mask_and_drawn(meshes, observation, pose, meshes.corners_m, CROP_PX)
    mask, drawn = (0, 0) if both is None else map(np.count_nonzero, both)
    return mask / drawn if drawn else 0.0
