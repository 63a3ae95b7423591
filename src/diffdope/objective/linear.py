"""An objective seen as a regression: residuals and Jacobians of one pose, each modality in its own units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]


class Block(NamedTuple):
    """One modality at one pose.

    residual (N, C) rendered less observed: colours in [0, 1] (C = 3), metres of depth or share of coverage (C = 1);
    jacobian (N, C, 6) of it by (rho [m], phi [rad]); weight (N,) in (0, 1], how much a pixel counts; pixel (N,)
    row-major index in the crop; offset (N, 3) metres, from the object's origin to the surface point.
    """

    residual: F32
    jacobian: F32
    weight: F32
    pixel: NDArray[np.int32]
    offset: F32

    def kept(self, keep: NDArray[np.bool_]) -> Block:
        """Only some of the pixels."""
        if keep.all():
            return self
        return Block(self.residual[keep], self.jacobian[keep], self.weight[keep], self.pixel[keep], self.offset[keep])


class Linearised(NamedTuple):
    """All modalities at one pose, by name: rgb, depth, mask; those that are off or nowhere seen are missing."""

    blocks: dict[str, Block]
    width: int
    height: int
