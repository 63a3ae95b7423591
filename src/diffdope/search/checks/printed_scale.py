"""What the print of an object says of depth's scale, where its search has ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.depth_scale import scale_told
from diffdope.estimate.fit_quality import FitQuality
from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import ALL_MODALITIES, LevelProblem
from diffdope.problem.variables import Variables
from diffdope.search.candidates import Candidates
from diffdope.terms.registry import NoiseSettings

F64 = NDArray[np.float64]


def with_scale_told(
    found: Candidates, estimate: RobustEstimate, noise: NoiseSettings, length_m: float
) -> FitQuality:  # fmt: skip
    """The fit quality of a result with what colours and depth say of the scale.

    Args:
        found: the result before its last steps.
        estimate: and after.
        noise: how little may be known of a pose.
        length_m: the object's diameter.
    """
    spread = np.repeat([noise.spread * length_m, np.radians(noise.spread_deg)], 3)
    cost = partial(_colours_cost, found.level, length_m=length_m)
    told = scale_told(estimate.parts or {}, spread, estimate.pose, cost)
    if told is None:
        return found.quality
    return replace(found.quality, too_far=told.too_far, too_far_deviation=told.deviation)


def _colours_cost(level: LevelProblem, poses: Sequence[Pose], *, length_m: float) -> F64:
    """Costs (B,) of the colours alone at poses, in the light that was fitted."""
    R, t = np.stack([one.R_m2c for one in poses]), np.stack([one.t_m2c for one in poses])
    drawn = level.problem(Variables.one_object(0.5 * length_m)).evaluate(R, t, with_normal=False)
    return np.asarray(drawn.each[:, ALL_MODALITIES.index("rgb")])
