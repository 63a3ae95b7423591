"""How sure a result is: a number in [0, 1] from the fit quality alone."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """Of a logistic regression on `features`: fitted, and its worth measured, by `python -m benchmarks.confidence`."""

    constant: float = -15.41
    overlap: float = 1.48
    no_mask: float = 2.51
    depth: float = 5.43
    no_depth: float = 1.55
    texture: float = 5.85
    no_texture: float = 0.79
    agreement: float = 2.81
    visible: float = 2.09
    outline: float = 10.08


NAMES = tuple(Weights.__dataclass_fields__)
WEIGHTS = np.array(astuple(Weights()))


def features(quality: FitQuality) -> F64:
    """The fit quality as numbers, in the order of `Weights`; what is missing has a number of its own."""
    no_mask, no_depth = quality.overlap is None, quality.depth_inliers is None
    no_texture = quality.texture is None
    return np.array(
        [
            1.0,
            0.0 if quality.overlap is None else -np.log(1.02 - quality.overlap),
            float(no_mask),
            0.0 if quality.depth_inliers is None else quality.depth_inliers,
            float(no_depth),
            0.0 if quality.texture is None else float(np.clip(quality.texture, -0.2, 0.8)),
            float(no_texture),
            0.5 if quality.agreement is None else quality.agreement,
            quality.visible,
            0.5 if quality.outline is None else quality.outline,
        ]
    )


def log_odds_of(quality: FitQuality) -> float:
    """Of a pose being right: where probabilities are close to 1, these still tell which is surer."""
    return float(features(quality) @ WEIGHTS)


def confidence_of(quality: FitQuality) -> float:
    """Estimated probability that a pose is right, that is within 3 % of the object's diameter (ADD-S)."""
    return float(1.0 / (1.0 + np.exp(-log_odds_of(quality))))


def agreement(R: F64, t: F64, cost: F64, best: Pose, length_m: float) -> float:
    """Share of poses (B, ...) within 6 degrees and 3 % of the diameter of the best, those of low cost counting more."""
    weight = np.exp(-(cost - cost.min()) / max(0.1 * float(cost.min()), 1e-9))
    turned = np.einsum("bij,ij->b", R, best.R_m2c) > 1.0 + 2.0 * np.cos(np.radians(6.0))
    near = np.linalg.norm(t - best.t_m2c, axis=1) < 0.03 * length_m
    return float(weight[turned & near].sum() / weight.sum())
