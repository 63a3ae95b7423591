"""Images read at places between their pixels: colours blended, masks by the share of a pixel, depth never mixed.

Places are of an image (H, W); those outside of it by more than half a pixel, and NaN, show nothing.
"""

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY
from diffdope.kernel_loading import njit

F32 = NDArray[np.float32]


@njit(**EXACT_ENTRY)
def blended(image: NDArray[np.generic], columns: F32, rows: F32, whole: float, out: NDArray[np.generic]) -> None:
    """Bilinear values of (H, W, C); outside, those of the nearest border, so that no contour appears there.

    whole: 0.5 where numbers are whole, which rounds them, else 0.
    """
    height, width, channels = image.shape
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            x, y = columns[v, u], rows[v, u]
            if not (x == x and y == y):  # NaN
                x = y = np.float32(0.0)
            x = min(max(x, np.float32(0.0)), np.float32(width - 1))
            y = min(max(y, np.float32(0.0)), np.float32(height - 1))
            x0, y0 = int(x), int(y)
            x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
            ax, ay = x - x0, y - y0
            for c in range(channels):
                top = (1 - ax) * image[y0, x0, c] + ax * image[y0, x1, c]
                bottom = (1 - ax) * image[y1, x0, c] + ax * image[y1, x1, c]
                out[v, u, c] = (1 - ay) * top + ay * bottom + whole


@njit(**EXACT_ENTRY)
def shares(mask: NDArray[np.generic], columns: F32, rows: F32, out: F32) -> None:
    """Bilinear values of (H, W); outside, 0."""
    height, width = mask.shape
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            x, y = columns[v, u], rows[v, u]
            out[v, u] = np.float32(0.0)
            if not (x > -0.5 and x < width - 0.5 and y > -0.5 and y < height - 0.5):
                continue
            x0, y0 = int(np.floor(x)), int(np.floor(y))
            for i in range(2):
                for j in range(2):
                    if 0 <= y0 + i < height and 0 <= x0 + j < width:
                        ax = x - x0 if j else 1 - (x - x0)
                        ay = y - y0 if i else 1 - (y - y0)
                        out[v, u] += np.float32(ax * ay * mask[y0 + i, x0 + j])


@njit(**EXACT_ENTRY)
def depth_between(
    depth: NDArray[np.generic], columns: F32, rows: F32, factor: F32, same: np.float32, whole: float,
    out: NDArray[np.generic],
) -> None:  # fmt: skip
    """Bilinear depth of (H, W) where all four neighbours are of one surface, else the nearest; 0 outside.

    factor: (H, W), or (1, 1), by which depth is multiplied. same: share by which depths of one surface may differ.
    """
    height, width = depth.shape
    for v in range(out.shape[0]):
        for u in range(out.shape[1]):
            x, y = columns[v, u], rows[v, u]
            out[v, u] = 0
            if not (x > -0.5 and x < width - 0.5 and y > -0.5 and y < height - 0.5):
                continue
            x0, y0 = int(np.floor(x)), int(np.floor(y))
            ax, ay = x - x0, y - y0
            value = np.float32(depth[y0 + (1 if ay >= 0.5 else 0), x0 + (1 if ax >= 0.5 else 0)])
            if x0 >= 0 and y0 >= 0 and x0 + 1 < width and y0 + 1 < height:
                a, b = np.float32(depth[y0, x0]), np.float32(depth[y0, x0 + 1])
                c, d = np.float32(depth[y0 + 1, x0]), np.float32(depth[y0 + 1, x0 + 1])
                low, high = min(a, b, c, d), max(a, b, c, d)
                if low > 0 and high - low <= same * low:
                    value = (1 - ay) * ((1 - ax) * a + ax * b) + ay * ((1 - ax) * c + ax * d)
            if value > 0:
                out[v, u] = value * factor[v % factor.shape[0], u % factor.shape[1]] + whole
