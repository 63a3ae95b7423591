"""How sure a result is: the probability that its error is below a tolerance.

    confidence = f(P(it is the right minimum) P(the error within that minimum is below the tolerance))

The first follows from the fit quality (`right_minimum`), the second from the covariance
(`tolerance.probability_within`). So a pose whose covariance is wide is not known to the tolerance, however well it
fits. Searches compare poses by their fit alone. Both are taken for less than they are where they are small: f is how
often such products were right (`as_often_right`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, check_at_least_zero
from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

TOLERANCE = 0.03
"""The tolerance where none is set, as a share of the diameter."""
_LARGEST = 50.0  # log odds: beyond, a probability is 1
_SHARPER = 2.0  # fitted by `python -m benchmarks.confidence`
_WITH_EDGES = -2.8, 0.26, 5.3  # fitted to 224 results with depth and no mask; about as good on sets left out
_AHEAD, _STEEPNESS = 1.0, 1.2  # from a start; halves of 1076 results ask for 1.6 to 2.4, at which wrong ones are surer
_BELOW, _BY_MASK = 0.5, 2.0
"""Exponents of `as_often_right`. Halves of 1800 refinements ask for 0.05 to 0.6 below 0.5 and, where a mask alone tells
the distance, for 1.8 to 5 above. With depth they ask for 0.8 to 2.6 there: for nothing that holds."""
_COUNTS = 0.05  # weight of a pose, by the largest, below which it is not asked whether it looks the same
_EVEN = 0.01 - _AHEAD / _STEEPNESS  # log odds of a fit from which on a result from a start is not called failed


@dataclass(frozen=True)
@checked_fields()
class ConfidenceSettings:
    """What the confidence is about, and how a user's own data correct it.

    Attributes:
        tolerance_m: the confidence is the probability that the surface is off by less than this, metres (root mean
            square, modulo turns about an axis of revolution, or by a tooth); 0 for 3 % of the diameter.
        odds: factor on the odds p / (1 - p) of the confidence, after `slope`; `diffdope bop calibrate` fits both.
        slope: factor on the log odds of the confidence.

    Raises:
        DiffDopeError: if the tolerance is below 0, or a factor not above 0.
    """

    tolerance_m: float = 0.0
    odds: float = 1.0
    slope: float = 1.0

    def __post_init__(self) -> None:
        """Refuses numbers that are no tolerance, and a map that would turn the order around."""
        check_at_least_zero(self, "tolerance_m")
        check_above_zero(self, "odds", "slope")

    def tolerance_of(self, length_m: float) -> float:
        """The tolerance for an object, metres.

        Args:
            length_m: its diameter.
        """
        return self.tolerance_m or TOLERANCE * length_m

    @property
    def idle(self) -> bool:
        """Whether confidences stay as they are."""
        return self.odds == 1.0 and self.slope == 1.0

    def corrected(self, probability: float) -> float:
        """A confidence as the fitted map has it: p' / (1 - p') = odds (p / (1 - p))^slope.

        Args:
            probability: the confidence p.
        """
        if self.idle:
            return probability
        return sigmoid(float(np.log(self.odds)) + self.slope * log_odds(probability))


def right_minimum(fit: float, *, started: bool = False) -> float:
    """The probability that a pose is in the right minimum, from `confidence_of` its fit.

    The latter was fitted to errors below 3 % of the diameter, so it also counts what the covariance knows: where that
    is told apart, the fit tells more. And it was fitted to results most of which were wrong, those of the near search
    from afar; from a start, the whole search is right more often, and the same fit says more.

    Args:
        fit: probability.
        started: whether the pose was found from a start.
    """
    return sigmoid(_AHEAD + _STEEPNESS * log_odds(fit)) if started else sigmoid(_SHARPER * log_odds(fit))


def as_often_right(right: float, within: float, *, by_mask: bool) -> float:
    """How often results were right, of those for which the product p of both probabilities is this.

    It keeps the order, and what is rather wrong stays so: 0, 0.5 and 1 stay. No result is right more often than it is
    in the right minimum.

    Args:
        right: the probability of the right minimum.
        within: that of an error below the tolerance there.
        by_mask: whether a mask alone tells the distance: its border is taken to be worse than it mostly is.

    Returns:
        (2 p)^0.5 / 2 up to a half, and from there on p, or by a mask 1 - (2 - 2 p)^2 / 2; at most `right`.
    """
    both = right * within
    if both <= 0.5:
        return min(0.5 * math.pow(2.0 * both, _BELOW), right)
    return min(1.0 - 0.5 * math.pow(2.0 - 2.0 * both, _BY_MASK), right) if by_mask else both


def fit_of(right: float) -> float:
    """The fit by which a pose found from a start has this probability of being in the right minimum."""
    return sigmoid((log_odds(right) - _AHEAD) / _STEEPNESS)


def sigmoid(log_odds: float) -> float:
    """The probability of log odds."""
    return float(1.0 / (1.0 + np.exp(-np.clip(log_odds, -_LARGEST, _LARGEST))))


def log_odds(probability: float) -> float:
    """The log odds of a probability, those of 0 and 1 as if they were next to them."""
    p = min(max(probability, 1e-15), 1.0 - 1e-15)
    return float(np.log(p / (1.0 - p)))


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
            0.0 if quality.overlap is None else -math.log(1.02 - quality.overlap),
            float(no_mask),
            0.0 if quality.depth_inliers is None else quality.depth_inliers,
            float(no_depth),
            0.0 if quality.texture is None else min(max(quality.texture, -0.2), 0.8),
            float(no_texture),
            0.5 if quality.agreement is None else quality.agreement,
            quality.visible,
            0.5 if quality.outline is None else quality.outline,
        ]
    )


def log_odds_of(quality: FitQuality) -> float:
    """Of a pose being right: where probabilities are close to 1, these still tell which is surer.

    Where it is known which share of the outline lies at the strongest edges of the photograph, that says more than all
    else: the rest counts by a quarter beside it. Edges alone do not make a result fail, for some outlines have none.
    """
    fit = float(features(quality) @ WEIGHTS)
    if quality.edges is None:
        return fit
    constant, share, weight = _WITH_EDGES
    return max(constant + share * fit + weight * quality.edges, min(fit, _EVEN))


def confidence_of(quality: FitQuality) -> float:
    """Estimated probability that a pose is right, that is within 3 % of the object's diameter (ADD-S)."""
    return float(1.0 / (1.0 + np.exp(-log_odds_of(quality))))


def agreement(
    R: F64, t: F64, cost: F64, best: Pose, length_m: float, same: Callable[[int], bool] | None = None
) -> float:  # fmt: skip
    """Share of poses (B, ...) within 6 degrees and 3 % of the diameter of the best, those of low cost counting more.

    Args:
        R: (B, 3, 3) of the poses.
        t: (B, 3), metres.
        cost: (B,) of each.
        best: the best.
        length_m: the object's diameter.
        same: whether the pose of a number looks the same as the best, by the object's symmetry: it agrees then, too.
            Asked only of those that count; None for no symmetry.
    """
    weight = np.exp(-(cost - cost.min()) / max(0.1 * float(cost.min()), 1e-9))
    turned = np.einsum("bij,ij->b", R, best.R_m2c) > 1.0 + 2.0 * np.cos(np.radians(6.0))
    near = np.linalg.norm(t - best.t_m2c, axis=1) < 0.03 * length_m
    agrees = turned & near
    if same is not None:
        for k in np.flatnonzero(~agrees & (weight > _COUNTS * weight.max())):
            agrees[k] = same(int(k))
    return float(weight[agrees].sum() / weight.sum())
