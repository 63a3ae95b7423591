"""By how much a whole mask may be shifted, where nothing but the mask and the photograph's edges hold the outline.

A mask that is shifted has the object's shape and takes the object with it, and nothing is left by which it could be
refused. The photograph's edges stay: outside of the border on one side, and inside of it on the other.
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
_EVERY = 3  # points of the outline are asked: neighbours err alike
_STEPS = np.linspace(-2.5, 2.5, 21)  # deviations by which a mask may be shifted, along either axis
_ASIDE = np.stack(np.meshgrid(_STEPS, _STEPS, indexing="ij"), axis=-1).reshape(-1, 2)
_BEFOREHAND = np.exp(-0.5 * np.sum(_ASIDE**2, axis=1))


class Steps(NamedTuple):
    """The photograph's largest steps along an outline: place (N,) beside it, in pixels of the crop; the probability
    (N,) that each is the object's end; normal (N, 2); and how far others may be (`reach_px`)."""

    place: F64
    at_end: F64
    normal: F64
    reach_px: float


def shift_of(steps: Steps, outside_px: float, shift_px: float, scale: float) -> float:
    """By how many pixels of the image a mask may be shifted along one axis, root mean square, by the edges beside it.

    Beside a border that is b outside and shifted by s, the object's end is at x_i ~ N(-b - s n_i, w^2) along the normal
    n_i, with the probability that the step is clear, or anywhere within reach. A mask is not shifted, or by
    s ~ N(0, shift_px^2) along either axis, which is as likely beforehand.

    Args:
        steps: beside the border.
        outside_px: b, pixels of the image.
        shift_px: deviation of shifts beforehand, the same; above 0.
        scale: pixels of the crop in one of the image.
    """
    place, at_end, normal = (one[::_EVERY] for one in steps[:3])
    away = (place + scale * outside_px)[:, None] + normal @ (scale * shift_px * _ASIDE).T
    likely = np.exp(-0.5 * (away / WITHIN_PX) ** 2) * (at_end / (np.sqrt(2.0 * np.pi) * WITHIN_PX))[:, None]
    every = np.log(likely + ((1.0 - at_end) / (2.0 * steps.reach_px))[:, None]).sum(axis=0) * (_EVERY / ALIKE)
    likely = _less_sure(np.exp(every - every.max()), scale * shift_px)
    share = likely * _BEFOREHAND / _BEFOREHAND.sum()
    total = float(likely[len(likely) // 2] + share.sum())
    return shift_px * float(np.sqrt(0.5 * share @ np.sum(_ASIDE**2, axis=1) / total))


def _less_sure(likely: F64, shift_px: float) -> F64:
    """Likelihoods (K,) by `_ASIDE`, if edges may be aside by what they have in common.

    Args:
        likely: (K,) if they are not.
        shift_px: deviation of shifts, pixels of the crop.
    """
    near = np.exp(-0.5 * ((_STEPS[:, None] - _STEPS) * shift_px / SHARED_PX) ** 2)
    near /= near.sum(axis=1, keepdims=True)
    return np.asarray(near @ likely.reshape(len(_STEPS), -1) @ near.T).reshape(-1)
