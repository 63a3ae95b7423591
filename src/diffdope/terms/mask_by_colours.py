"""A mask whose border lies where the photograph's colours change: what is left of a detector's errors.

A network's mask is some pixels too wide or too narrow, cut or shifted. In a photograph alone an object that is nearer
or farther fits such a mask to a fraction of a pixel, so the pose follows it. But on both sides of its border, farther
from it than it may be off, colours are known: from the means and variances around each pixel near the border follows on
which side it rather is (Hanek and Beetz, The Contracting Curve Density Algorithm, IJCV 2004).
"""

from __future__ import annotations

import numpy as np

from diffdope.geometry.crop import crop_around
from diffdope.render.arrays import readable
from diffdope.scene.observation import Observation
from diffdope.terms.mask_by_colours_kernel import CHANNELS, move_border

_SIZE = 192  # pixels of the crop's longer side, at most
_BAND, _LEAST, _MOST = 0.05, 2.0, 6.0  # share of the mask's longer side by which its border may be off, and pixels
_SOFTNESS = 0.4  # of that: scale of the logistic distribution of where it is
_AROUND = 3.0  # of that: how far the surroundings reach


def with_border_by_colours(observation: Observation) -> Observation:
    """The same images with a mask whose border is where the colours of both sides meet.

    Beside depth it stays as it is: depth tells the distance, and masks that are good to a pixel get worse where a hand
    has the object's colours.

    Args:
        observation: of which a mask that is empty stays as it is, too.
    """
    box = observation.mask_box
    if box is None or observation.modalities != ("rgb", "mask"):
        return observation
    side = max(box[2] - box[0], box[3] - box[1]) + 1.0
    margin = max(_AROUND * _BAND, (_AROUND * _LEAST + 1.0) / side)
    window = crop_around([box], observation.camera, margin=margin, max_size=_SIZE)
    crop = observation.crop(window)
    assert crop.rgb is not None and crop.mask is not None and observation.mask is not None
    height, width = crop.mask.shape
    band = float(np.clip(round(_BAND * side / window.reduction), _LEAST, _MOST))
    sums = np.empty((2, height + 1, width + 1, CHANNELS))
    moved = np.empty((height, width), np.bool_)
    move_border(
        readable(crop.rgb), readable(crop.mask), np.float32(band), _SOFTNESS * band, 2 * round(band),
        np.empty((2, height, width), np.float32), *sums, moved,
    )  # fmt: skip
    full = observation.mask.copy()
    part = full[window.y0 : window.y0 + window.height, window.x0 : window.x0 + window.width]
    changed = moved != (crop.mask > 0.5)
    if window.reduction > 1:
        moved, changed = (image.repeat(window.reduction, 0).repeat(window.reduction, 1) for image in (moved, changed))
    part[changed] = moved[changed]
    return observation.with_shares(full)
