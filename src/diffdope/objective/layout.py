"""Arrays and numbers of an objective, as the kernels see them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MODALITIES = ("rgb", "depth", "mask", "edge")
RGB, DEPTH, MASK, EDGE = 0, 1, 2, 3


class Observed(NamedTuple):
    """The observed crop, flat (H*W,) float32 planes; a missing image is a plane of zeros."""

    red: NDArray[np.float32]
    green: NDArray[np.float32]
    blue: NDArray[np.float32]
    depth: NDArray[np.float32]  # metres, 0 = missing
    mask: NDArray[np.float32]
    care: NDArray[np.float32]  # how much a pixel counts for the mask
    gate: NDArray[np.float32]  # how much a pixel counts for the others
    intensity: NDArray[np.float32]  # mean of the channels
    edge: NDArray[np.float32]  # gradient magnitude of the intensity
    packed: NDArray[np.float32]  # (H*W, 8) what stands above side by side, from red to intensity in the chunk's order


class Terms(NamedTuple):
    """Weights already divided by the sum of the gate; 0 switches a modality off."""

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


class Painted(NamedTuple):
    """Flat images of one evaluated pose, as `render_pose` writes them; all empty where none are wanted."""

    rgb: NDArray[np.float32]  # (H*W, 3)
    depth: NDArray[np.float32]  # (H*W,)
    coverage: NDArray[np.float32]  # (H*W,)


def canvas(pixels: int) -> Painted:
    """Room for images of so many pixels."""
    return Painted(np.empty((pixels, 3), np.float32), np.empty(pixels, np.float32), np.empty(pixels, np.float32))


NOTHING = canvas(0)
