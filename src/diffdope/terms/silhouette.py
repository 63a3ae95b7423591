"""The silhouette term: rendered coverage against the mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_above_zero, check_at_least_zero
from diffdope.terms.base import Comparison, ImageTerm, PixelGeometry

F32 = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class SilhouetteSettings:
    """Of the silhouette term."""

    mask_weight: float = 1.0

    def check_silhouette(self) -> None:
        """Refuses numbers that make no cost."""
        check_at_least_zero(self, "mask_weight")


@dataclass(frozen=True, kw_only=True)
class SilhouetteNoise:
    """What is known about errors of masks."""

    mask_bias_px: float = 0.05
    """Standard deviation of the width by which a mask is too wide or too narrow, in pixels of the last level's crop."""
    mask_width_px: float = 0.0
    """The same of a width that the last steps take for an unknown, so that other images may tell the distance: at least
    as much as a mask's border is farther from the outline than a good one's (`search.mask_error_px`), as squares."""
    mask_shift_px: float = 2.0
    """The same of a shift of the whole mask, where depth tells it (note `mask-shifted`), or nothing but the
    photograph's edges: as far as those of networks may be off; 0: masks are where they should be."""
    mask_border_px: float = 1.5
    """The same of the width of a mask that alone tells the distance, in pixels of the image: as much as those of
    networks are off, but for what its shape and the photograph's edges tell of it; 0: all masks are exact, as those
    that are drawn."""
    least_mask: float = 0.1
    """Least standard deviation of a pixel's coverage."""

    def check_silhouette(self) -> None:
        """Refuses numbers that are no deviations."""
        check_at_least_zero(self, "mask_bias_px", "mask_width_px", "mask_shift_px", "mask_border_px")
        check_above_zero(self, "least_mask")


@final
class Silhouette(ImageTerm):
    """See the module."""

    name = "mask"
    image = "mask"

    def least_deviation(self, noise: Any) -> float:
        """As a share of a pixel."""
        return float(noise.least_mask)

    def common_error(self, jacobian: F32, noise: Any, geometry: PixelGeometry) -> F32 | None:
        """A mask that is too wide all around.

        A pixel's coverage changes as the border moves along its normal, whether the pose or the mask moves it.
        """
        return of_width(jacobian, geometry, float(np.hypot(noise.mask_bias_px, noise.mask_width_px)))

    def unknown_error(self, jacobian: F32, noise: Any, geometry: PixelGeometry) -> F32 | None:
        """The same of a width that is not known."""
        return of_width(jacobian, geometry, noise.mask_width_px) if noise.mask_width_px > 0.0 else None

    def assess(self, seen: Comparison) -> dict[str, float | None]:
        """Intersection over union of rendering and mask, leaving out what an occluder hides."""
        if seen.crop.mask is None:
            return {}
        mask, counts = seen.crop.mask > 0.5, seen.silhouette > 0.5
        both, either = (int(np.count_nonzero(one & counts)) for one in (seen.drawn & mask, seen.drawn | mask))
        return {"overlap": both / max(either, 1)}


def of_width(jacobian: F32, geometry: PixelGeometry, width_px: float) -> F32:
    """(N,) what a mask that is too wide by so many pixels all around changes of coverages of a Jacobian (1, 6, N)."""
    along = np.linalg.norm(jacobian[0, :3], axis=0)
    return np.asarray(along * np.float32(geometry.pixel_m * width_px), np.float32)
