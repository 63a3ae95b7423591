"""A depth camera's scale: by which share of the distance depth reads too far, as what is printed on objects has it.

A print that is known in millimetres is as large in a photograph as it is far away. What it says of the distance is less
sure than what depth says, but its errors are others. The scale of depth is a number of the camera: it is nearly right,
or, of one camera in some, off by a percent or two. So what prints say decides between these two, and those of several
objects do so together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.regression import TermEquations
from diffdope.geometry.pose import Pose
from diffdope.terms.depth import DepthNoise

F64 = NDArray[np.float64]

_PRINT = 1.3  # times as unsure as its normal equations have it: at 70 right poses of four sets, z had an rms of 1.3
_SIZE = 0.003  # deviation of what all prints of a camera share: of K, and of the sizes of models
_TELLS = 0.5  # share of the variance that the spread leaves, beyond which the colours say nothing
_CLAIMS = 2.0  # deviations from which on a print contradicts depth, and is looked at where it has the object
_SHARES = 0.25, 0.5, 1.0  # of the colours' step: with depth 1.5 % off it went up to three times too far
_OUTLYING = 4.0  # degrees of freedom of Student's t, by which a print that stands out counts less
_ROUNDS, _SAME = 20, 1e-7  # of reweighting at most, and the change of the scale at which it has come to rest


ColoursCost = Callable[[Sequence[Pose]], F64]
"""Costs (B,) of the colours alone at poses."""


class ScaleEvidence(NamedTuple):
    """What one print says: share of the distance by which depth reads too far, and its deviation."""

    too_far: float
    deviation: float


class ScaleBelief(NamedTuple):
    """Of a camera.

    Attributes:
        off: the probability that its scale is off by more than depths share where nothing is wrong.
        too_far: the mean of the share by which depth reads too far if it is off.
        deviation: of that.
    """

    off: float
    too_far: float
    deviation: float

    @property
    def off_by(self) -> float:
        """Root mean square of that share if it is off."""
        return float(np.hypot(self.too_far, self.deviation))


RIGHT = ScaleBelief(0.0, 0.0, 0.0)
"""Of depth whose scale is not doubted."""


def scale_told(
    parts: Mapping[str, TermEquations], spread: F64, pose: Pose, cost: ColoursCost
) -> ScaleEvidence | None:  # fmt: skip
    """What the colours say beside depth, from both's normal equations at a pose where both are nearly least.

    The colours' step along the ray, everything else unknown, is how much farther they have the object; depth's own is
    how much farther depth has it. What a prior of the spread says is taken off again.

    A step is right as far as the colours are nearly linear. Where something else covers part of the object, it may lead
    far away. So colours that contradict depth must agree better somewhere on their way, or they say nothing.

    Args:
        parts: by modality, at the end of the last steps.
        spread: (6,) deviations of a pose of which nothing is known.
        pose: there, about the object's middle.
        cost: of the colours.
    """
    colours, depth = parts.get("rgb"), parts.get("depth")
    if colours is None or depth is None:
        return None
    distance_m = float(np.linalg.norm(pose.t_m2c))
    along = np.concatenate([pose.t_m2c / distance_m, np.zeros(3)])
    held = float(along @ depth.step @ along)
    covariance = np.linalg.inv(colours.information().matrix + np.diag(spread**-2.0))
    variance, most = float(along @ covariance @ along), float(spread[0] ** 2)
    if variance > _TELLS * most or held <= 0.0:
        return None
    known = 1.0 / (1.0 / variance - 1.0 / most)
    step = -covariance @ colours.gradient / max(1.0, colours.birge_ratio)
    read = -float(along @ depth.gradient) / held
    too_far = (read - float(along @ step) * known / variance) / distance_m
    told = ScaleEvidence(too_far, float(_PRINT * np.sqrt(known)) / distance_m)
    if abs(told.too_far) < _CLAIMS * told.deviation:
        return told
    here, *there = cost([pose, *(pose.retract(share * step) for share in _SHARES)])
    return told if min(there) < here else None


def scale_belief(every: Sequence[ScaleEvidence], noise: DepthNoise) -> ScaleBelief:
    """How probable it is that a camera's scale is off, and by how much, as all prints have it.

    Errors of single prints have Student's distribution, and all share one beside these. The scale has the prior N(0,
    `depth_bias`^2) or, with the probability `depth_off`, N(0, `depth_off_by`^2): Bayes' rule says how probable each is.

    Args:
        every: of prints; none where there is none.
        noise: the priors.
    """
    told, variance = _together(every)
    wide = noise.depth_off_by**2
    if noise.depth_off <= 0.0 or wide <= 0.0:
        return RIGHT
    if not np.isfinite(variance):
        return ScaleBelief(noise.depth_off, 0.0, noise.depth_off_by)
    right, wrong = variance + noise.depth_bias**2, variance + wide
    log_odds = 0.5 * float(np.log(right / wrong) + told**2 / right - told**2 / wrong)
    odds = noise.depth_off / (1.0 - noise.depth_off) * np.exp(min(log_odds, 50.0))
    return ScaleBelief(float(odds / (1.0 + odds)), wide / wrong * told, float(np.sqrt(wide / wrong * variance)))


def _together(every: Sequence[ScaleEvidence]) -> tuple[float, float]:
    """Mean and variance of what all say; an infinite variance for nothing."""
    if not every:
        return 0.0, np.inf
    told = np.array([one.too_far for one in every])
    variance = np.array([one.deviation**2 for one in every])
    mean = float(np.median(told))
    for _ in range(_ROUNDS):
        weight = (_OUTLYING + 1.0) / (_OUTLYING * variance + (told - mean) ** 2)
        before, mean = mean, float(weight @ told / weight.sum())
        if abs(mean - before) < _SAME:
            break
    return mean, float(1.0 / weight.sum()) + _SIZE**2
