"""A mask beside depth that may be off as a whole: what its residuals tell of that, and how little it counts then.

All points of a border count on their own in the regression, though what shifts one shifts all: an outline follows such
a mask, and nothing of it is seen in the residuals. A border that is rough, too, was drawn by a network, which shifts
what it roughens; a mask that is drawn from a pose, or cut out at the object, is neither. Depth then says where the
object is.
"""

from __future__ import annotations

from diffdope.estimate.gauss_newton import Parts
from diffdope.estimate.regression import RegressionContext, TermEquations
from diffdope.terms.registry import NoiseSettings

_ROUGH = 0.4  # of a pixel: errors anywhere within half of one have a robust scale of 0.37, known to a twentieth


def may_shift(parts: Parts, noise: NoiseSettings) -> bool:
    """Whether a mask stands beside depth, and masks may be off as a whole."""
    return noise.mask_shift_px > 0.0 and {"depth", "mask"} <= set(parts)


def is_rough(parts: Parts, noise: NoiseSettings) -> bool:
    """Whether the border of a mask that may shift is rougher than pixels are, at a pose to which it has led."""
    return may_shift(parts, noise) and parts["mask"].known.scale > _ROUGH


def loosened(
    parts: Parts, view: RegressionContext, noise: NoiseSettings
) -> dict[str, TermEquations]:  # fmt: skip
    """The same with a mask that says no more of a shift than masks of networks can (`mask_shift_px`)."""
    if "mask" not in parts:
        return dict(parts)
    return {**parts, "mask": parts["mask"].held_to((noise.mask_shift_px * view.pixel_m) ** -2.0)}
