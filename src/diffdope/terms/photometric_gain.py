"""Photometric gain and bias: how the colours of the photograph differ from those of the model, per channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.render.arrays import readable

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

HOLD = 0.01  # of the bias: no more than keeps it where colours do not vary
HOLD_UNMASKED = 0.1  # where some of the pixels are other things'


@dataclass(frozen=True)
class PhotometricGain:
    """observed = gain * model + bias, both (3,)."""

    gain: F64
    bias: F64

    def removed(self, rgb: F32) -> F32:
        """The photograph (H, W, 3) as the model's colours; it may leave [0, 1]."""
        return np.asarray((rgb - self.bias.astype(np.float32)) / self.gain.astype(np.float32), np.float32)


def colors_at(rgb: F32, pixels: NDArray[np.intp]) -> F64:
    """Colours (3, N) of some pixels of (H, W, 3), given by their flat indices."""
    return np.ascontiguousarray(rgb.reshape(-1, 3).take(pixels, axis=0).T, np.float64)


NEUTRAL = PhotometricGain(np.ones(3), np.zeros(3))


def fit_gain(model: F64, observed: F64, *, with_bias: bool, hold: float = HOLD) -> PhotometricGain:
    """Gain, and bias, of each channel: a robust straight line through pairs of colours (N, 3).

    Least absolute deviations by reweighted least squares (Schlossmacher 1973), so that a label that differs, a
    highlight or an occluder does not decide. A weak prior holds gain 1 and bias 0 where colours do not vary.

    Args:
        model: rendered colours.
        observed: photographed ones.
        with_bias: whether there is a bias.
        hold: how strongly the bias is held to 0, as a share of what all pixels say about it. Where patterns do not lie
            on each other yet, the steepest line is too flat and its bias takes the rest of the colour.
    """
    from diffdope.terms.photometric_gain_kernel import FEWEST

    if len(model) < FEWEST:
        return NEUTRAL
    x, y = np.ascontiguousarray(model.T), np.ascontiguousarray(observed.T)
    return lines_through(x, y, np.zeros(3), with_bias=with_bias, hold=hold).gain


class LinesThrough(NamedTuple):
    """A gain, and sums over all colours of how far the photograph's are from it (left) and from another (there)."""

    gain: PhotometricGain
    left: float
    there: float


def lines_through(
    model: F64, observed: F64, middle: F64, *, with_bias: bool = True, hold: float = HOLD
) -> LinesThrough:  # fmt: skip
    """The lines of `fit_gain` and what they leave.

    Args:
        model: rendered colours (3, N).
        observed: photographed ones (3, N).
        middle: (3,) a colour of which what is `there` differs.
        with_bias: see `fit_gain`, as all that follow.
        hold: how strongly the bias is held to 0.
    """
    from diffdope.terms.photometric_gain_kernel import line_through

    lines = np.empty((2, 3))
    left, there = line_through(model, observed, middle, np.empty(model.shape[1]), with_bias, hold, lines)
    return LinesThrough(PhotometricGain(lines[0], lines[1]), left, there)


def fit_gain_at(
    model: F32, photo: F32, coverage: F32, appearance: F32, *, with_bias: bool, hold: float,
) -> PhotometricGain:  # fmt: skip
    """The same over the pixels of two images that show the object and nothing else.

    Args:
        model: rendered colours (H, W, 3).
        photo: observed ones (H, W, 3).
        coverage: of the rendering (H, W).
        appearance: weights (H, W) of the photograph's pixels.
        with_bias: see `fit_gain`, as the next three.
        hold: how strongly the bias is held to 0.
    """
    from diffdope.terms.photometric_gain_kernel import fit_lines

    lines, room = np.repeat([[1.0], [0.0]], 3, axis=1), np.empty((7, coverage.size))
    fit_lines(
        model.reshape(-1, 3), readable(photo).reshape(-1, 3), coverage.reshape(-1), readable(appearance).reshape(-1),
        room, with_bias, hold, lines,
    )  # fmt: skip
    return PhotometricGain(lines[0], lines[1])
