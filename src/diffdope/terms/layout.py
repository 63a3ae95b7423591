"""Arrays and numbers of the image terms of one object in one view, as the kernels see them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

MODALITIES = ("rgb", "depth", "mask", "edge")
RGB, DEPTH, MASK, EDGE = 0, 1, 2, 3
CONTOUR = 4  # column of the contour term's costs, after the image terms'


class IntensityImages(NamedTuple):
    """What the gradient magnitude term compares, flat (H*W,) planes; empty where that term is off."""

    intensity: F32  # mean of the channels
    edge: F32  # gradient magnitude of the intensity
    gate: F32  # weight of a pixel


class TermWeights(NamedTuple):
    """Weights already divided by the sum of the pixel weights; 0 switches a term off."""

    rgb: np.float32
    depth: np.float32
    mask: np.float32
    edge: np.float32
    cap_rgb: np.float32
    cap_depth: np.float32
    cap_edge: np.float32
    kappa_rgb: np.float32
    kappa_depth: np.float32
    kappa_edge: np.float32
    inverse_length: np.float32  # 1 / m: makes depth residuals dimensionless
    floor: np.float32  # residuals below it do not gain weight in the normal matrix


class Canvas(NamedTuple):
    """Flat images of one evaluated pose, as `render_poses` writes them; all empty where none are wanted."""

    rgb: F32  # (H*W, 3)
    depth: F32  # (H*W,)
    coverage: F32  # (H*W,)

    @classmethod
    def of(cls, pixels: int) -> "Canvas":
        """Room for images of so many pixels."""
        return cls(np.empty((pixels, 3), np.float32), np.empty(pixels, np.float32), np.empty(pixels, np.float32))
