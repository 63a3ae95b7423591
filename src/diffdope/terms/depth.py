"""The depth term: rendered against measured depth, as a share of the object's diameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_above_zero, check_at_least_zero, expected
from diffdope.terms.base import LEAST_PIXELS, Comparison, ImageTerm, PixelGeometry, median

F32 = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class DepthSettings:
    """Of the depth term."""

    depth_weight: float = 1.0
    depth_cap: float = 0.5
    """Residual, as a share of the diameter, above which the loss does not grow."""
    depth_cap_unmasked: float = 0.1
    """The same without a mask: larger residuals are other things, not errors. The lesser of the two counts."""

    def check_depth(self) -> None:
        """Refuses numbers that make no cost."""
        check_at_least_zero(self, "depth_weight")
        check_above_zero(self, "depth_cap", "depth_cap_unmasked")


@dataclass(frozen=True, kw_only=True)
class DepthNoise:
    """What is known about errors of depth."""

    depth_bias: float = 0.001
    """Standard deviation of an offset that all depths of the object share, as a share of its distance."""
    depth_off: float = 0.1
    """Probability that a camera's depth is off by more: its scale, as of one that is not calibrated; less than 1. It
    makes results less sure, but for what is printed on the object; 0: depth is as right as `depth_bias` says."""
    depth_off_by: float = 0.015
    """Standard deviation of that, as a share of the distance: 2 % is what makers of stereo cameras state at most."""
    least_depth_m: float = 1e-4
    """Least standard deviation of a depth."""

    def check_depth(self) -> None:
        """Refuses numbers that are no deviations."""
        check_at_least_zero(self, "depth_bias", "depth_off_by")
        check_above_zero(self, "least_depth_m")
        if not 0.0 <= self.depth_off < 1.0:
            raise expected("depth_off", "a probability from 0 to less than 1", self.depth_off)


@final
class Depth(ImageTerm):
    """See the module."""

    name = "depth"
    image = "depth"

    def least_deviation(self, noise: Any) -> float:
        """In metres."""
        return float(noise.least_depth_m)

    def common_error(self, jacobian: F32, noise: Any, geometry: PixelGeometry) -> F32 | None:
        """A camera's depth is off by a share of the distance, everywhere alike."""
        return np.full(jacobian.shape[-1], noise.depth_bias * geometry.distance_m, np.float32)

    def assess(self, seen: Comparison) -> dict[str, float | None]:
        """Share of visible depths that fit, and their median error as a share of the diameter."""
        observed, rendered = seen.crop.depth, seen.rendering.depth
        if observed is None:
            return {}
        there = np.flatnonzero(seen.visible & (observed > 0) & (rendered > 0))
        if len(there) < LEAST_PIXELS:
            return {}
        size = np.abs(observed.ravel()[there] - rendered.ravel()[there])
        inliers = np.count_nonzero(size < max(0.03 * seen.length_m, 0.003)) / len(size)
        return {"depth_inliers": float(inliers), "depth_error": float(median(size) / seen.length_m)}
