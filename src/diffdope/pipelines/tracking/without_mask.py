"""Frames whose mask the other images do not bear out: where depth and colours lead without it.

A mask says what of the object is hidden. One that is too large has fingers compared as if they were the object, and one
that is off draws the outline with it. Its border fits badly then. `refine` ends twice where a mask stands beside depth,
with it and without it (`search/mask_as_region.py`), which frames that are followed have no time for. So where the
border fits badly, a frame goes on from where the mask led, without it: if that convinces, it is followed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, without_codes
from diffdope.pipelines.attempt import Attempt, Refine
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.tracking.frame import sureness
from diffdope.scene.observation import Observation
from diffdope.search.mask_as_region import SHIFTED

_ALL = {"rgb", "depth", "mask"}
_FITS = 0.85  # of mask and outline together, what both cover: 0.86 where a mask of 80 pixels is shifted by 3
_SURELY = 0.9  # confidence with a mask from which on it does not matter how well that fits


def unless_misled(
    follow: Refine, convinces: Callable[[RefinementResult], bool], least: float, observation: Observation, start: Pose
) -> Attempt:  # fmt: skip
    """A frame with its mask, or, where that fits badly or does not convince, what is found from there without it.

    Depth alone slides along faces, and is not asked: colours and the photograph's edges hold what it leaves open.

    Args:
        follow: refines a frame from a start.
        convinces: whether a result is good enough to try nothing else.
        least: the confidence that counts without the mask.
        observation: the frame.
        start: where the object is expected.
    """
    masked = follow(observation, start)
    seen = masked.result.evidence
    if not masked.result.ok or not set(observation.modalities) >= _ALL or seen is None:
        return masked
    surely = seen.overlap is not None and (seen.overlap >= _FITS or sureness(masked.result) >= _SURELY)
    if seen.overlap is None or (surely and convinces(masked.result)):
        return masked
    free = follow(observation.without_mask(), masked.result.pose)
    if not free.result.ok or sureness(free.result) < least:
        return masked
    notes = without_codes(free.result.notes, {NoteCode.MASK_OFF, NoteCode.NO_MASK})
    return free._replace(result=replace(free.result, notes=(*notes, SHIFTED)))
