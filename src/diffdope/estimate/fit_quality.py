"""What speaks for a pose: how well its rendering explains the photograph, in numbers that compare across objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from diffdope.terms.base import Comparison
from diffdope.terms.photometric import appearance
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.registry import IMAGE_TERMS


@dataclass(frozen=True)
class FitQuality:
    """Agreement of one rendering with one crop; None where there is nothing to compare. Terms fill in their fields.

    Attributes:
        overlap: intersection over union of rendering and mask, leaving out what an occluder hides.
        depth_inliers: share of the object's pixels whose depth is within 3 % of its diameter (and 3 mm) of the measured
            one; pixels without a measurement, and those behind an occluder, are left out.
        depth_error: median absolute deviation of those depths, as a share of the diameter.
        texture: correlation of rendered and observed colours, each channel's light taken out: 1 if the pattern is the
            same, 0 if there is no relation.
        contrast: standard deviation of the rendered colours: texture means little where there is none.
        visible: share of the object's pixels that nothing hides, of those inside the picture.
        agreement: share of the last level but one's poses, weighted by their costs, that agree with the result.
        outline: share of the outline that lies on edges of the photograph, where there is no mask.
        learned: in a film, share of the object's points whose colours are those that frames before have shown, where
            the mesh itself has none. It says nothing about whether the pose in those frames was right, so it is no part
            of the confidence.
        matched: where the object was found by keypoints of the photograph, how many of these agree with the pose; those
            that were looked for once it was known do not count.
        edges: share of the outline at which the colours of the photograph step most, of all places beside it, where
            nothing else holds it (`search/checks/outline_evidence.py`): from a start, with depth and no mask, or with a
            mask that was left out.
        left: by how much one more step would move the surface, as a share of the diameter, where no last steps are
            made: what has not come to rest, or is hardly held, is off by more.
        print_open: by how much the surface may be turned although its print should tell, a deviation as a share of the
            diameter (`search/print_turn.py`); 0 where the photograph tells the turn, or nobody would see it.
        too_far: share of the distance by which depth reads too far, as what is printed on the object has it
            (`estimate/depth_scale.py`); where colours and depth are compared, and last steps are made.
        too_far_deviation: of that.
    """

    overlap: float | None = None
    depth_inliers: float | None = None
    depth_error: float | None = None
    texture: float | None = None
    contrast: float | None = None
    visible: float = 1.0
    agreement: float | None = None
    outline: float | None = None
    learned: float | None = None
    matched: float | None = None
    edges: float | None = None
    left: float | None = None
    print_open: float | None = None
    too_far: float | None = None
    too_far_deviation: float | None = None


def assess(seen: Comparison, *, colours: bool = True) -> FitQuality:
    """The fit quality of a rendered pose in its crop; colours: whether it is asked how well these fit."""
    if not seen.drawn.any():
        return FitQuality(overlap=0.0, visible=0.0)
    found: dict[str, Any] = {}
    for term in IMAGE_TERMS:
        if colours or not term.needs_color:
            found |= term.assess(seen)
    visible = float(np.count_nonzero(seen.visible) / np.count_nonzero(seen.drawn))
    return FitQuality(**found, visible=visible)


def assess_with_gain(seen: Comparison) -> tuple[FitQuality, PhotometricGain | None]:
    """The same, and the light in which the colours agree best; None where they say nothing about it."""
    return assess(seen), appearance(seen)[1]
