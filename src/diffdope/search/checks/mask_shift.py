"""By how much a whole mask may be shifted, where nothing but the mask and the photograph's edges hold the outline.

A mask that is shifted has the object's shape and takes the object with it, and nothing is left by which it could be
refused. The photograph's edges stay: outside of the border on one side, and inside of it on the other. But shadows lie
on one side, too, and are sharper than the object's end beside them. So all of the steps along a normal count, and not
the largest alone: at the border of a mask that is shifted there is none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

WITHIN_PX = 0.7
"""Deviation of edges that are at one place, pixels of the crop."""
ALIKE = 12.0
"""Points, a pixel of the crop apart, that err together; of 240 results, 6 and 25 change two at most."""
SHARED_PX = 0.5
"""By which edges of all sides are aside, pixels of the crop: at the truth of HOPE's photographs, in the median."""
LEAST = 1e-9
"""Of a step that is divided by, or whose logarithm is taken."""
_EVERY = 3  # points of the outline are asked: neighbours err alike
_STEPS = np.linspace(-2.5, 2.5, 21)  # deviations by which a mask may be shifted, along either axis
_ASIDE = np.stack(np.meshgrid(_STEPS, _STEPS, indexing="ij"), axis=-1).reshape(-1, 2)
_BEFOREHAND = np.exp(-0.5 * np.sum(_ASIDE**2, axis=1))


class Steps(NamedTuple):
    """How a photograph's colours step beside an outline, of N points of it, in pixels of the crop.

    Attributes:
        place: (N,) of the largest step beside the outline.
        at_end: (N,) the probability that it is the object's end.
        normal: (N, 2) outwards.
        reach_px: to both sides of the outline, where steps are known.
        along: (N, K) of all places within reach, over their mean.
    """

    place: F64
    at_end: F64
    normal: F64
    reach_px: float
    along: F64


class MaskShift(NamedTuple):
    """Of a whole mask: the probability that it is shifted, and by how many pixels of the image along one axis then."""

    shifted: float
    if_shifted_px: float

    @property
    def aside_px(self) -> float:
        """Root mean square along one axis, whether it is shifted or not."""
        return float(np.sqrt(self.shifted) * self.if_shifted_px)


def shift_of(steps: Steps, outside_px: float, shift_px: float, scale: float) -> MaskShift:
    """Whether a mask is shifted, and how far, by the edges beside it.

    Beside a border that is b outside and shifted by s, the object's end is at x_i = -b - s n_i along the normal n_i.
    With the probability that a step is the end, any place is it as likely as colours step there, over their mean g_i;
    else nothing is known. So the likelihood is the product of a_i g_i(x_i) + 1 - a_i. A mask is not shifted, or by
    s ~ N(0, shift_px^2) along either axis, which is as likely beforehand.

    Args:
        steps: beside the border.
        outside_px: b, pixels of the image.
        shift_px: deviation of shifts beforehand, the same; above 0.
        scale: pixels of the crop in one of the image.
    """
    at_end, normal, along = (one[::_EVERY] for one in (steps.at_end, steps.normal, steps.along))
    end = -scale * outside_px - normal @ (scale * shift_px * _ASIDE).T
    last = along.shape[1] - 1
    column = np.clip(np.rint((0.5 * end / steps.reach_px + 0.5) * last), 0, last).astype(np.intp)
    likely = at_end[:, None] * np.take_along_axis(along, column, axis=1) + (1.0 - at_end)[:, None]
    every = np.log(np.maximum(likely, LEAST)).sum(axis=0) * (_EVERY / ALIKE)
    likely = _less_sure(np.exp(every - every.max()), scale * shift_px)
    share = likely * _BEFOREHAND / _BEFOREHAND.sum()
    some = float(share.sum())
    by_px = shift_px * float(np.sqrt(0.5 * share @ np.sum(_ASIDE**2, axis=1) / max(some, LEAST)))
    return MaskShift(some / float(likely[len(likely) // 2] + some), by_px)


def _less_sure(likely: F64, shift_px: float) -> F64:
    """Likelihoods (K,) by `_ASIDE`, if edges may be aside by what they have in common.

    Args:
        likely: (K,) if they are not.
        shift_px: deviation of shifts, pixels of the crop.
    """
    near = np.exp(-0.5 * ((_STEPS[:, None] - _STEPS) * shift_px / SHARED_PX) ** 2)
    near /= near.sum(axis=1, keepdims=True)
    return np.asarray(near @ likely.reshape(len(_STEPS), -1) @ near.T).reshape(-1)
