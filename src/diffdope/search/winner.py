"""What speaks for the pose that a descent ended at."""

from __future__ import annotations

from typing import NamedTuple

from diffdope.checked_fields import replace_unchecked
from diffdope.estimate.confidence import agreement
from diffdope.estimate.fit_quality import FitQuality, assess_with_gain
from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.responsibility import border_error
from diffdope.search.candidates import Reached
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.base import Comparison, Rendering
from diffdope.terms.keyframe import Keyframe
from diffdope.terms.photometric_gain import PhotometricGain


class Winner(NamedTuple):
    """How well the winner fits; in which light, if colours tell; and how far the mask's border is off its outline."""

    quality: FitQuality = FitQuality()
    gain: PhotometricGain | None = None
    border_px: float = 0.0


def assess_winner(
    level: LevelProblem, rendering: Rendering, best: Pose, meshes: MeshLevels, before: Reached | None,
    keyframe: Keyframe | None,
) -> Winner:  # fmt: skip
    """What speaks for the winner.

    Args:
        level: the last one.
        rendering: of the winner there, in full detail.
        best: the winner.
        meshes: of the object.
        before: where the hypotheses ended that may agree with it.
        keyframe: what a film has shown of the object from about there.
    """
    seen = Comparison(rendering, level.crop, level.responsibility.silhouette, meshes.length_m)
    quality, gain = assess_with_gain(seen)
    if level.contour_active and not meshes.mesh.has_pattern:  # contours stand for its single colour
        quality, gain = replace_unchecked(quality, texture=None), None
    if level.contours is not None:
        drawn = rendering.coverage, rendering.depth
        quality = replace_unchecked(quality, outline=level.contours.support(*drawn))
        if keyframe is not None:
            learned = keyframe.support(level.contours.smooth, *drawn, level.crop, best, meshes.length_m)
            quality = replace_unchecked(quality, learned=learned)
    # A single one cannot agree with itself, nor those that a mask led with what was found without it.
    if before is not None and len(before.cost) > 1 and level.mask_refused_px is None:
        voters = before.hypotheses
        agreed = agreement(voters.R, voters.t, before.cost, best, meshes.length_m)
        quality = replace_unchecked(quality, agreement=agreed)
    mask, weights = level.crop.mask, level.responsibility.silhouette
    border_px = 0.0 if mask is None else border_error(rendering.coverage, mask, weights)
    return Winner(quality, gain, border_px)
