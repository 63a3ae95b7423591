"""How sure a result is: a number in [0, 1] from the evidence alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.refine.evidence import Evidence

F64 = NDArray[np.float64]

_BIAS, _VISIBLE, _AGREEMENT = -11.6, 3.4, 2.2
_OVERLAP, _NO_MASK = 2.8, 6.0
_DEPTH, _NO_DEPTH = 3.9, -0.85
_TEXTURE, _NO_TEXTURE = 4.6, 0.85


def agreement(R: F64, t: F64, cost: F64, best: Pose, length_m: float) -> float:
    """Share of poses (B, ...) within 6 degrees and 3 % of the diameter of the best, those of low cost counting more."""
    weight = np.exp(-(cost - cost.min()) / max(0.1 * float(cost.min()), 1e-9))
    turned = np.einsum("bij,ij->b", R, best.R_m2c) > 1.0 + 2.0 * np.cos(np.radians(6.0))
    near = np.linalg.norm(t - best.t_m2c, axis=1) < 0.03 * length_m
    return float(weight[turned & near].sum() / weight.sum())


def confidence_of(evidence: Evidence) -> float:
    """Probability that a pose is right, by a logistic regression on the evidence.

    Its weights were fitted by `python -m benchmarks.confidence` to refinements that ended right (ADD-S below 5 mm) and
    wrong; what is missing counts by a weight of its own.
    """
    score = _BIAS + _VISIBLE * evidence.visible
    score += _NO_MASK if evidence.overlap is None else -_OVERLAP * float(np.log(1.02 - evidence.overlap))
    score += _NO_DEPTH if evidence.depth_inliers is None else _DEPTH * evidence.depth_inliers
    score += _NO_TEXTURE if evidence.texture is None else _TEXTURE * float(np.clip(evidence.texture, -0.2, 0.8))
    score += _AGREEMENT * (0.5 if evidence.agreement is None else evidence.agreement)
    return float(1.0 / (1.0 + np.exp(-score)))
