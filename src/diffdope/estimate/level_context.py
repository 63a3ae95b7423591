"""What the last steps need to know of a level: its scale around a pose, and the errors that residuals do not show."""

from __future__ import annotations

import numpy as np

from diffdope.checked_fields import replace_unchecked
from diffdope.estimate.regression import RegressionContext
from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import GainModel, LevelProblem
from diffdope.terms.registry import NoiseSettings

_SHARED = 0.35  # of the distance between a mask's border and the outline: what all of the border may have in common
_LEAST_DISTANCE = 1e-3  # of the diameter: nothing so near is seen whole


def context_of(
    level: LevelProblem, pose: Pose, *, length_m: float, tilt: float, gain: GainModel
) -> RegressionContext:  # fmt: skip
    """What the regression needs to know of a level around a pose.

    Args:
        level: the last of a search.
        pose: of the object, where that ended.
        length_m: the object's diameter.
        tilt: of its facets, see `tessellation.facet_tilt`.
        gain: what was fitted to the colours.
    """
    # The middle of an object that reaches past the camera may lie in its plane, at no distance.
    camera, distance_m = level.crop.camera, max(float(pose.t_m2c[2]), _LEAST_DISTANCE * length_m)
    return RegressionContext(
        distance_m=distance_m, pixel_m=distance_m / camera.fx, length_m=0.5 * length_m,
        tilt=tilt, width=camera.width, light=gain, ray=pose.t_m2c / distance_m,
    )  # fmt: skip


def noise_at(
    level: LevelProblem, noise: NoiseSettings, border_px: float = 0.0, good_px: float = np.inf, *, told: bool = False
) -> NoiseSettings:  # fmt: skip
    """What is known about errors at a level: more where no mask says which pixels are the object's, or one is off.

    An outline that follows a mask hides its width: an unknown as large as what is left, if colours alone may tell it.

    Args:
        level: the last of a search.
        noise: as the settings have it.
        border_px: how far the mask's border is from the pose's outline, pixels of the crop; 0 without a mask.
        good_px: as far is that of a good mask; the width of one that is off is an unknown.
        told: whether it is known from elsewhere how far off the border is as a whole: it would count twice.
    """
    if level.crop.mask is not None:
        wider = float(np.sqrt(max(border_px**2 - good_px**2, 0.0))) * (level.colored and level.crop.depth is None)
        bias = 0.0 if told else max(noise.mask_bias_px, _SHARED * border_px)
        width = max(noise.mask_width_px, wider)
        return replace_unchecked(noise, mask_bias_px=bias, mask_width_px=width)
    return unmasked(noise)


def unmasked(noise: NoiseSettings) -> NoiseSettings:
    """What is known about errors where no mask says which pixels are the object's."""
    return replace_unchecked(noise, inflation=noise.inflation * noise.unmasked)
