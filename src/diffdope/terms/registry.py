"""Which terms there are. A new one is listed here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, check_at_least_zero, expected
from diffdope.terms.base import ImageTerm, PoseTerm
from diffdope.terms.depth import Depth, DepthNoise, DepthSettings
from diffdope.terms.gradient_magnitude import GradientMagnitude, GradientMagnitudeSettings
from diffdope.terms.photometric import Photometric, PhotometricNoise, PhotometricSettings
from diffdope.terms.silhouette import Silhouette, SilhouetteNoise, SilhouetteSettings
from diffdope.terms.support_plane import SupportPlane, SupportPlaneSettings

IMAGE_TERMS: tuple[ImageTerm, ...] = (Photometric(), Depth(), Silhouette(), GradientMagnitude())
"""In the order of the columns of the fused pass (`terms/layout.py`)."""
POSE_TERMS: tuple[PoseTerm, ...] = (SupportPlane(),)
"""Terms of the pose alone: of the cost of levels, and of the last steps and the covariance."""
BY_NAME = {term.name: term for term in IMAGE_TERMS}


@dataclass(frozen=True, kw_only=True)
@checked_fields()
class ObjectiveSettings(
    PhotometricSettings, DepthSettings, SilhouetteSettings, GradientMagnitudeSettings, SupportPlaneSettings
):
    """Weights of the image terms, and how robust they are; each term owns the fields that begin with its name.

    Costs are means over the observed mask (or start region), rgb in [0, 1], depth over the object's diameter, so that
    the weights mean the same at every resolution. A residual above its cap does not grow further; a pixel of the mask
    that the object leaves uncovered pays the cap too, so that leaving the mask is never a gain.
    """

    uncovered: float = 1.0
    """What an uncovered pixel pays, as a share of the cap."""
    uncovered_unmasked: float = 0.5
    """The same without a mask, where a pixel that is not covered may well be something else."""
    occlusion_margin: float = 0.1
    """Share of the object's size by which an observed surface must be nearer than the object, or, without depth, a
    gap in the mask deeper, to be taken for an occluder, behind which the mask says nothing."""
    irls_floor: float = 1e-3
    """Residuals below it do not gain weight in the normal matrix."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no cost."""
        self.check_photometric()
        self.check_depth()
        self.check_silhouette()
        self.check_gradient_magnitude()
        self.check_support_plane()
        check_at_least_zero(self, "uncovered", "uncovered_unmasked", "occlusion_margin")
        check_above_zero(self, "irls_floor")
        if all(term.weight(self) == 0.0 for term in IMAGE_TERMS):
            raise expected("weights", "at least one modality with a weight > 0", "none")


@dataclass(frozen=True, kw_only=True)
@checked_fields()
class NoiseSettings(DepthNoise, SilhouetteNoise, PhotometricNoise):
    """What is known about errors that the residuals do not show, or not enough; each term owns its fields."""

    tiles: tuple[int, ...] = (8, 16, 32)
    """Sides, in pixels of the crop, of the tiles over which residuals are taken to be correlated; the most pessimistic
    counts."""
    inflation: float = 1.0
    """Factor on all standard deviations, for what nothing above knows."""
    unmasked: float = 1.4
    """The same, multiplied with it, where no mask says which pixels are the object's."""
    spread_deg: float = 20.0
    """Standard deviation of a turn that is not observed: that the images do not determine to half of this."""
    spread: float = 0.1
    """The same of a shift, as a share of the diameter."""

    def __post_init__(self) -> None:
        """Refuses numbers that are no deviations."""
        self.check_photometric()
        self.check_depth()
        self.check_silhouette()
        check_above_zero(self, "inflation", "unmasked", "spread_deg", "spread")
        if any(tile < 1 for tile in self.tiles):
            raise expected("tiles", "sides of at least 1 pixel", self.tiles)
