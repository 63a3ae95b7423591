"""Whether what a result draws would hide what depth shows behind it.

Nothing is seen through an object: pixels inside of what is drawn that show something far behind it say that the object
is not there. Depth has no slope for them, as it goes by what is near, so that a descent in depth alone may end along a
face of the object, where the rest fits.
"""

from __future__ import annotations

import numpy as np

from diffdope.note_codes import NoteCode
from diffdope.render.renderer import RenderedImages
from diffdope.scene.observation import Observation
from diffdope.search.checks.contradictions import ShareOfPixels

_BEHIND = 0.1  # of the diameter: what is so far behind is no error of the pose along the view
_FEW, _MANY = 0.06, 0.12
"""Shares of the drawn pixels that say nothing, and that contradict. Right results of depth and no mask, of 72 of HOPE,
YCB-Video, `parts` and `sim`, whose depth is off by pixels in the first two, have 0.054 at most, and of 54 in scenes
that were path-traced 0.008; a box that had slid along its face by 8 % of its diameter, 0.11."""


def share_seen_through(crop: Observation, images: RenderedImages, length_m: float) -> float:
    """Share of the drawn pixels with a depth that have one far behind them, but for those next to the outline.

    Args:
        crop: what was observed.
        images: a pose, drawn there.
        length_m: the object's diameter.
    """
    from scipy.ndimage import minimum_filter

    depth = crop.depth
    if depth is None:
        return 0.0
    drawn = images.coverage[0] > 0.5
    known = drawn & (depth > 0.0)
    inside = minimum_filter(drawn, 3, mode="nearest")
    through = known & inside & (depth > images.depth[0] + _BEHIND * length_m)
    return float(np.count_nonzero(through)) / max(int(np.count_nonzero(known)), 1)


of_what_is_behind = ShareOfPixels(
    share_seen_through, _FEW, _MANY, NoteCode.OUTLINE_UNSEEN,
    "outline: at {:.0f} % of what is drawn, depth shows what is behind it: is the pose off, or the object of glass? A "
    "mask or a photograph can tell",
)  # fmt: skip
"""Whether depth shows what is behind a result where it is drawn."""
