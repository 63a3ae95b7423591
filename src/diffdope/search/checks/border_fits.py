"""What speaks for a result that a mask led: a border that follows its outline as exactly as pixels allow.

A mask that lacks what hides the object, or whose object is seen in part, overlaps less, and such a result looks worse
than it is. But the border of an object that is turned otherwise than it is drawn, or lies elsewhere, is nowhere near
the outline for long, and what is left between both is rough (`mask_width.Width`). Of 374 results whose border is no
rougher than rounding makes it, and that the images hold to the tolerance, 373 were in the right minimum, whatever the
fit quality said of them; of others it was right. A fifth of those looked at had starts the wrong way round.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffdope.estimate.confidence import TOLERANCE
from diffdope.estimate.fit_quality import FitQuality
from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.estimate.tolerance import probability_within
from diffdope.search.candidates import Candidates
from diffdope.search.mesh_levels import MeshLevels

_SPEAKS = 1.5  # log odds of the fit: most likely 4.6 where held, 1.5 where not asked; 1 to 4 give the same results
_HELD = 0.8, 0.95  # probability of an error below the tolerance that says nothing, and all
_WHOLE, _COVERED = 0.98, (0.92, 0.95)
"""Share of the object that is seen where nothing hides it, and overlaps with the mask then that say that the CAD model
differs, and that it does not: rounding to pixels leaves 0.95 of ladles and hooks."""
_PATTERN, _AGREES = 0.05, 0.3  # contrast from which on colours have a say, and the correlation at which they agree


def borne_out(found: Candidates, estimate: RobustEstimate, meshes: MeshLevels) -> Candidates:
    """The same, surer if the mask's border follows its outline exactly and the images hold it.

    Args:
        found: that a mask led; what was not asked for its border, or lies beside it, stays as it is.
        estimate: where the last steps ended, and how far off that may be.
        meshes: the object.
    """
    if found.border_fits == 0.0 or estimate.covariance is None or found.level.mask_refused_px is not None:
        return found
    tolerance_m, form = TOLERANCE * meshes.length_m, meshes.displacement_form
    held = probability_within(tolerance_m, estimate.covariance, form, estimate.pose.R_m2c)
    share = float(np.clip((held - _HELD[0]) / (_HELD[1] - _HELD[0]), 0.0, 1.0))
    speaks = _SPEAKS * share * found.border_fits * min(_colours_agree(found.quality), _covered(found.quality))
    return replace(found, beside=found.beside + speaks)


def _covered(quality: FitQuality) -> float:
    """From 0 to 1: what the mask lacks may be hidden; where nothing is, model and object differ."""
    if quality.overlap is None or quality.visible < _WHOLE:
        return 1.0
    return float(np.clip((quality.overlap - _COVERED[0]) / (_COVERED[1] - _COVERED[0]), 0.0, 1.0))


def _colours_agree(quality: FitQuality) -> float:
    """From 0 to 1: a silhouette may be that of another side, which a print tells."""
    if quality.texture is None or quality.contrast is None or quality.contrast < _PATTERN:
        return 1.0
    return float(np.clip(quality.texture / _AGREES, 0.0, 1.0))
