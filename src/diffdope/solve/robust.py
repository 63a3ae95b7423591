"""The scale of residuals, some of which are outliers.

Source: Huber and Ronchetti, Robust Statistics, 2nd edition, Wiley 2009, section 5.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

GAUSSIAN = 1.4826
"""Standard deviation of a Gaussian over its median absolute value."""


def scale(residual: F32, floor: float) -> float:
    """Standard deviation of the bulk of residuals of any shape, by their median absolute value.

    Args:
        residual: about zero, not about their own median: a common offset is an error too.
        floor: least result, in the residuals' units; rounding alone leaves as much.
    """
    if residual.size == 0:
        return floor
    size = np.abs(residual).ravel()
    middle = size.size // 2
    return max(float(GAUSSIAN * np.partition(size, middle)[middle]), floor)
