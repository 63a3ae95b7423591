"""Which pixels look like the object, and which like what is around it: what holds the outline in films of photographs.

Where neither a mask nor depth says where the object ends, a pixel beside it would be covered wherever that costs less
than a fixed price for leaving it out: where the surroundings resemble the object, it grows. But a film shows both: from
the colours inside of the outline that is expected and those around it follows, for each pixel, the probability that it
is the object's. These pixel-wise posteriors (Bibby and Reid, ECCV 2008; Prisacariu and Reid, IJCV 2012) count as the
pixels of a mask do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_at_least_zero
from diffdope.terms.colour_statistics_kernel import BINS, fill_posterior
from diffdope.terms.contour_points import writable

F32 = NDArray[np.float32]

_RING = 0.1  # share of the crop around the outline that is taken for the surroundings


@dataclass(frozen=True)
@checked_fields(least={"size": 8})
class RegionSettings:
    """How colours on both sides hold the outline of an object that is followed in photographs alone."""

    weight: float = 0.3
    """Weight of a pixel's probability, as `objective.mask_weight` is that of a mask's pixel; 0 leaves it out."""
    uncovered: float = 0.15
    """What a pixel that is not covered pays beside, as a share of the colours' cap, in place of
    `objective.uncovered_unmasked`."""
    rims: float = 0.1
    """What an outline pays that is one pixel off clear rims all around (`terms/rim.py`); 0 leaves them out."""
    size: int = 128
    """Pixels of the crop's longer side, if that is more than the level's: a pixel too many all around is 3 % of the
    distance in a crop of 80."""

    def __post_init__(self) -> None:
        """Refuses numbers that are no weights."""
        check_at_least_zero(self, "weight", "uncovered", "rims")


def posterior_of(rgb: F32, coverage: F32) -> F32:
    """The probability of each pixel (H, W) that it shows the object, by its colour, given where that is expected.

    Args:
        rgb: the photograph (H, W, 3).
        coverage: of the rendering of the expected pose (H, W).
    """
    height, width = coverage.shape
    counts = np.zeros((2, BINS**3), np.float32)
    room = np.empty((2, BINS**3), np.float32)
    of_pixels = np.empty((height, width), np.float32)
    fill_posterior(
        rgb, writable(coverage), round(_RING * max(height, width)), np.empty((height, width), np.int32),
        *counts, *room, of_pixels,
    )  # fmt: skip
    return of_pixels
