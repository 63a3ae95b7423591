"""Where there is no mask: a box is checked, and counts against results; the surest of several is taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from diffdope.errors import as_floats, check_finite, check_shape, expected
from diffdope.geometry.crop import Box
from diffdope.pipelines.result import MESSAGES, RefinementResult, Status
from diffdope.scene.observation import Observation
from diffdope.search.box_proposals import share_outside
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings

_WORTH_A_WORD = 2.0  # times what boxes are off by
IN_A_PIECE = "found without mask and box, in a piece that stands out from the planes of the depth image"
_DRAWN = "the mask was drawn from the box: what fits the object there"


def checked_box(box: ArrayLike, observation: Observation) -> Box:
    """First and last column and row (x0, y0, x1, y1) of a box (x, y, width, height), pixels.

    Raises:
        DiffDopeError: if it is no box, or has no pixel in the image, or if there is a mask as well, or no depth.
    """
    four = as_floats("box", box)
    check_shape("box", four, (4,))
    check_finite("box", four)
    if "depth" not in observation.modalities:
        cure = "give depth as well; or a mask, for a photograph alone does not tell what in a box is the object"
        raise expected("box", "none, for the observation has no depth", four.tolist(), cure)
    if observation.mask_box is not None:
        raise expected("box", "none, for the observation has a mask", four.tolist(), "give one of them")
    x, y, width, height = (float(one) for one in four)
    if not (width > 0.0 and height > 0.0):
        raise expected("box", "(x, y, width, height) of a width and a height above 0, in pixels", four.tolist())
    camera = observation.camera
    x0, y0 = max(x, 0.0), max(y, 0.0)
    x1, y1 = min(x + width, camera.width) - 1.0, min(y + height, camera.height) - 1.0
    if x1 < x0 or y1 < y0:
        cure = "it is (x, y, width, height) in pixels of the whole image, not corners and not shares of it"
        got = f"{four.tolist()} in an image of {camera.width} x {camera.height}"
        raise expected("box", "at least one pixel of the image in it", got, cure)
    return x0, y0, x1, y1


def with_note(result: RefinementResult, note: str) -> RefinementResult:
    """A result that says one thing more."""
    return replace(result, notes=(*result.notes, note))


def surest(found: Iterable[RefinementResult], enough: float) -> RefinementResult:
    """The surest of some results, at least one; none is looked at after one that is as sure as is enough."""
    best: RefinementResult | None = None
    for one in found:
        if best is None or (one.confidence or 0.0) > (best.confidence or 0.0):
            best = one
        if best.ok and (best.confidence or 0.0) >= enough:
            break
    assert best is not None
    return best


def doubted(
    result: RefinementResult, meshes: MeshLevels, observation: Observation, box: Box, search: SearchSettings
) -> RefinementResult:
    """A result that is less sure the more of its visible part lies outside of the box.

    Boxes are off by shares of about sigma: the log odds of a share s are lower by (s / sigma)^2 / 2, as those of a
    normal distribution.

    Args:
        result: located in a mask that was drawn from the box, in the object's own frame.
        meshes: the object.
        observation: with depth, without a mask.
        box: first and last column and row (x0, y0, x1, y1), pixels.
        search: of the search.
    """
    if not result.answers:
        return result
    outside = share_outside(meshes, observation, box, result.pose, search.box.depth_range_fine)
    off = outside / search.box.sticking_out
    some = 1.0 - (result.none_of_these or 0.0)
    lower = np.exp(-0.5 * off**2)
    still = some * lower / (1.0 - some + some * lower) if some < 1.0 else 1.0
    factor = still / some if some > 0.0 else 1.0
    answers = tuple(replace(one, probability=one.probability * factor) for one in result.answers)
    confidence = answers[0].probability
    notes = [*result.notes, _DRAWN]
    if off > _WORTH_A_WORD:
        notes.append(f"box: {100 * outside:.0f} % of what is seen of the result lies outside of it")
    status, message = result.status, result.message
    if status.ok and confidence < search.least_confidence:
        status = Status.FAILED
        message = MESSAGES[status]
    return replace(
        result, answers=answers, none_of_these=1.0 - sum(one.probability for one in answers), confidence=confidence,
        notes=tuple(notes), status=status, message=message,
    )  # fmt: skip
