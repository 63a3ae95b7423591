"""How far pixels are from the border of what a mask shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def signed_distance(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(H, W) pixels from the border of a region, negative within it.

    Distances are between centres of pixels; the border lies between them, half a pixel from either.

    Args:
        inside: (H, W), neither empty nor everything.
    """
    from scipy.ndimage import distance_transform_edt

    return np.asarray(np.where(inside, 0.5 - distance_transform_edt(inside), distance_transform_edt(~inside) - 0.5))
