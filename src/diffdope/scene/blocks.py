"""Images reduced by a whole factor: k x k pixels become one. Compiled, since a tracker does it for every frame.

Loops over single numbers that allocate nothing: cutting, reshaping, filling or making a whole array would each add up
to a second to compiling. So nothing counts references either (`_nrt`).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from diffdope.render.kernels.options import KEPT

F32 = NDArray[np.float32]

_OPTIONS = {"nogil": True, "cache": KEPT, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}


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
def depth_of_blocks(depth: F32, x0: int, y0: int, k: int, same: np.float32, room: F32, samples: F32, out: F32) -> None:
    """Mean of a block's samples within the share `same` of their lower median; 0 where fewer than half are there.

    Most blocks are of one surface, of which all samples are close to their median, whichever it is: that is seen by
    their extremes, which vectorise. room (4, w * k), samples (k * k,).
    """
    length, start = np.uint64(out.shape[1] * k), np.uint64(x0)
    none, far, one = np.float32(0.0), np.float32(np.inf), np.float32(1.0)
    count, low, high, total = room[0], room[1], room[2], room[3]
    for row in range(out.shape[0]):
        first = np.uint64(y0 + row * k)
        for i in range(length):
            count[i], low[i], high[i], total[i] = none, far, none, none
        for y in range(k):
            for i in range(length):
                z, least, most = depth[first + np.uint64(y), start + i], low[i], high[i]
                count[i] += one if z > none else none
                near = z if z > none else far
                low[i] = near if near < least else least
                high[i] = z if z > most else most
                total[i] += z
        for column in range(out.shape[1]):
            n, least, most, sum_m = none, far, none, none
            for x in range(column * k, (column + 1) * k):
                n, sum_m = n + count[x], sum_m + total[x]
                least, most = low[x] if low[x] < least else least, high[x] if high[x] > most else most
            if np.float32(2.0) * n < np.float32(k * k):
                out[row, column] = none
            elif most - least <= same * least:
                out[row, column] = sum_m / n
            else:
                number = 0
                for y in range(y0 + row * k, y0 + (row + 1) * k):
                    for x in range(x0 + column * k, x0 + (column + 1) * k):
                        if depth[y, x] > none:
                            samples[number] = depth[y, x]
                            number += 1
                out[row, column] = mean_near_median(samples, number, same)


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
