"""An objective seen as a regression: residuals and Jacobians of one pose, each modality in its own units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


CHANNELS = {"rgb": slice(0, 3), "depth": slice(3, 4), "mask": slice(4, 5)}


class Lists(NamedTuple):
    """What the kernel fills; see there."""

    pixel: NDArray[np.int32]
    offset: F32
    rendered: F32
    jacobian: F32

    @staticmethod
    def of(size: int) -> Lists:
        """For images of so many pixels."""
        f32 = np.float32
        return Lists(
            np.empty(size, np.int32), np.empty((3, size), f32), np.empty((5, size), f32), np.empty((5, 6, size), f32)
        )


class Block(NamedTuple):
    """One modality at one pose, the pixels (N) last: they are many, and what is summed over should lie side by side.

    residual (C, N) rendered less observed: colours in [0, 1] (C = 3), metres of depth or share of coverage (C = 1);
    jacobian (C, 6, N) of it by (rho [m], phi [rad]); rendered (C, N); weight (N,) in [0, 1], how much a pixel counts;
    pixel (N,) row-major index in the crop; offset (3, N) metres, from the object's origin to the surface point;
    lever (N,): square of how far a value moves if the surface leans by a small angle, over that of its own Jacobian:
    a colour that is seen straight on does not notice; slide (6, N): Jacobian of the depth [m] of what is seen there,
    None on an outline.
    """

    residual: F32
    jacobian: F32
    rendered: F32
    weight: F32
    pixel: NDArray[np.int32]
    offset: F32
    lever: F32
    slide: F32 | None


class Linearised(NamedTuple):
    """All modalities at one pose, by name: rgb, depth, mask; those that are off or seen nowhere are missing.

    The arrays are reused by the next pose.
    """

    blocks: dict[str, Block]
    width: int
    height: int
