"""Images reduced by a whole factor: k x k pixels become one. Compiled, since a tracker does it for every frame.

Loops over single numbers that allocate nothing: cutting, reshaping, filling or making a whole array would each add up
to a second to compiling. So nothing counts references either (`_nrt`).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}


@njit(fastmath=True, **_OPTIONS)
def mean_of_blocks(image: F32, x0: int, y0: int, k: int, line: F32, out: F32) -> None:
    """Means of the k x k blocks of (H, W * C), from column x0 and row y0 on, into (h, w, C). line: (w * k * C,)."""
    height, width, channels = out.shape
    share = np.float32(1.0) / np.float32(k * k)
    length = np.uint64(line.size)  # rows are summed up first: as one run of numbers, which vectorises
    start = np.uint64(x0 * channels)
    for row in range(height):
        first = np.uint64(y0 + row * k)
        for i in range(length):
            line[i] = image[first, start + i]
        for y in range(1, k):
            for i in range(length):
                line[i] += image[first + np.uint64(y), start + i]
        for column in range(width):
            for c in range(channels):
                total = np.float32(0.0)
                for x in range(k):
                    total += line[(column * k + x) * channels + c]
                out[row, column, c] = total * share


@njit(**_OPTIONS)
def depth_of_blocks(depth: F32, x0: int, y0: int, k: int, same: np.float32, samples: F32, out: F32) -> None:
    """Mean of a block's samples within the share `same` of their lower median; 0 where fewer than half are there."""
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            count, low, high, total = np.int64(0), np.float32(np.inf), np.float32(0.0), np.float32(0.0)
            for y in range(y0 + row * k, y0 + (row + 1) * k):
                for x in range(x0 + column * k, x0 + (column + 1) * k):
                    z = depth[y, x]
                    if z > np.float32(0.0):
                        samples[count] = z
                        count += 1
                        low, high, total = min(low, z), max(high, z), total + z
            if 2 * count < k * k:
                out[row, column] = np.float32(0.0)
            elif high - low <= same * low:  # one surface: all samples are close to their median, whichever it is
                out[row, column] = total / np.float32(count)
            else:
                out[row, column] = mean_near_median(samples, count, same)


@njit(**_OPTIONS)
def mean_near_median(samples: F32, count: int, same: np.float32) -> np.float32:
    """Mean of those of the first `count` samples that are within a share of their lower median; sorts them."""
    for i in range(1, count):
        z, place = samples[i], i
        while place > 0 and samples[place - 1] > z:
            samples[place] = samples[place - 1]
            place -= 1
        samples[place] = z
    # The lower of two middle samples, because their mean could lie between two surfaces.
    middle = samples[(count - 1) // 2]
    total, near = np.float32(0.0), 0
    for i in range(count):
        if abs(samples[i] - middle) <= same * middle:
            total += samples[i]
            near += 1
    return total / np.float32(near)
