"""Images reduced by a whole factor: k x k pixels become one. Compiled, since a tracker does it for every frame.

An image comes in the numbers in which it was given, so that a large photograph is read once and never converted as a
whole. The kernels take it as one of three arrays, of which the other two are empty: with one signature for all, there
is one compiled version of each kernel, in memory and in numba's cache.

Loops over single numbers that allocate nothing: cutting, reshaping, filling or making a whole array would each add up
to a second to compiling.
"""

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
F32 = NDArray[np.float32]
U32 = NDArray[np.uint32]

_FEW = 32  # samples are sorted as fast as their median is found in any other way


@njit(**{**EXACT_ENTRY, "fastmath": True})
def mean_of_blocks(
    bytes_: U8, words: U16, floats: F32, x0: int, y0: int, k: int, step: int, unit: float, line: F32, out: F32
) -> None:
    """Means of the k x k blocks of (H, W * C), from column x0 and row y0 on, into (h, w, C).

    Every `step`-th row of a block is read; the middle of those is the block's if `step` is odd, as it has to be.
    line: (w * k * C,). `unit`: what 1 in bytes or words stands for.
    """
    height, width, channels = out.shape
    rows = rows_read(k, step)
    share = np.float32(1.0) / np.float32(rows * k)
    length = np.uint64(line.size)  # rows are summed up first: as one run of numbers, which vectorises
    start = np.uint64(x0 * channels)
    for row in range(height):
        for i in range(length):
            line[i] = np.float32(0.0)
        top = y0 + row * k + (k - 1 - (rows - 1) * step) // 2
        for y in range(top, top + rows * step, step):
            v = np.uint64(y)
            if bytes_.size > 0:
                for i in range(length):
                    line[i] += np.float32(np.float64(bytes_[v, start + i]) * unit)
            elif words.size > 0:
                for i in range(length):
                    line[i] += np.float32(np.float64(words[v, start + i]) * unit)
            else:
                for i in range(length):
                    line[i] += floats[v, start + i]
        for column in range(width):
            for c in range(channels):
                total = np.float32(0.0)
                for x in range(k):
                    total += line[(column * k + x) * channels + c]
                out[row, column, c] = total * share


@njit(**EXACT_INNER)
def rows_read(k: int, step: int) -> int:
    """How many rows, `step` (odd) apart, fit into k with as many left over above as below."""
    rows = (k - 1) // step + 1
    return rows - (k - rows) % 2


@njit(**EXACT_ENTRY)
def depth_of_blocks(
    words: U16,
    floats: F32,
    x0: int,
    y0: int,
    k: int,
    step: int,
    unit: float,
    same: np.float32,
    fewest: np.float32,
    room: F32,
    samples: F32,
    out: F32,
) -> None:
    """Mean of a block's samples within the share `same` of their lower median; 0 where fewer than a share are there.

    Most blocks are of one surface, of which all samples are close to their median, whichever it is: that is seen by
    their extremes, which vectorise. Of the others, every q-th sample is looked at, with the least q for which `samples`
    has room. `step`: see `mean_of_blocks`; room (5, w * k), samples (N,); `unit`: metres that 1 in words stands for;
    `fewest`: share of a block's pixels of which at least one has to be there.
    """
    length, start = np.uint64(out.shape[1] * k), np.uint64(x0)
    none, far, one = np.float32(0.0), np.float32(np.inf), np.float32(1.0)
    count, low, high, total, line = room[0], room[1], room[2], room[3], room[4]
    rows = rows_read(k, step)
    for row in range(out.shape[0]):
        top = y0 + row * k + (k - 1 - (rows - 1) * step) // 2
        bottom = top + rows * step
        for i in range(length):
            count[i], low[i], high[i], total[i] = none, far, none, none
        for y in range(top, bottom, step):
            v = np.uint64(y)
            if words.size > 0:
                for i in range(length):
                    line[i] = np.float32(np.float64(words[v, start + i]) * unit)
            else:
                for i in range(length):
                    line[i] = floats[v, start + i]
            for i in range(length):
                z, least, most = line[i], low[i], high[i]
                count[i] += one if z > none else none
                near = z if z > none else far
                low[i] = near if near < least else least
                high[i] = z if z > most else most
                total[i] += z
        for column in range(out.shape[1]):
            n, least, most, sum_ = none, far, none, none
            for x in range(column * k, (column + 1) * k):
                n, sum_ = n + count[x], sum_ + total[x]
                least, most = low[x] if low[x] < least else least, high[x] if high[x] > most else most
            if n == none or n < fewest * np.float32(rows * k):
                out[row, column] = none
            elif most - least <= same * least:
                out[row, column] = sum_ / n
            else:
                every, number, there = (int(n) + samples.size - 1) // samples.size, 0, 0
                for y in range(top, bottom, step):
                    for x in range(x0 + column * k, x0 + (column + 1) * k):
                        z = np.float32(np.float64(words[y, x]) * unit) if words.size > 0 else floats[y, x]
                        if z > none:
                            if there % every == 0:
                                samples[number] = z
                                number += 1
                            there += 1
                out[row, column] = mean_near_median(samples, number, same)


@njit(**EXACT_INNER)
def mean_near_median(samples: F32, count: int, same: np.float32) -> np.float32:
    """Mean of those of the first `count` samples that are within a share of their lower median; reorders them.

    A few are sorted; of many, the range of places that may hold the median is halved (Hoare's FIND). The lower of two
    middle samples, because their mean could lie between two surfaces.
    """
    first, last, wanted = 0, count - 1, (count - 1) // 2
    if count <= _FEW:
        for i in range(1, count):
            z, place = samples[i], i
            while place > 0 and samples[place - 1] > z:
                samples[place] = samples[place - 1]
                place -= 1
            samples[place] = z
        first = last
    while first < last:
        pivot, i, j = samples[(first + last) // 2], first, last
        while i <= j:
            while samples[i] < pivot:
                i += 1
            while samples[j] > pivot:
                j -= 1
            if i <= j:
                samples[i], samples[j] = samples[j], samples[i]
                i += 1
                j -= 1
        if wanted <= j:
            last = j
        elif wanted >= i:
            first = i
        else:
            break
    middle = samples[wanted]
    of_few, of_many, near = np.float32(0.0), 0.0, 0  # float32 is as exact as needed for a few only
    for i in range(count):
        if abs(samples[i] - middle) <= same * middle:
            of_few += samples[i]
            of_many += np.float64(samples[i])
            near += 1
    return of_few / np.float32(near) if count <= _FEW else np.float32(of_many / near)


@njit(**EXACT_ENTRY)
def mean_of_texels(texture: U8, k: int, line: U32, out: U8) -> None:
    """Rounded means of the k x k blocks of (H, W * C), from the first row on, into (h, w, C). line: (w * k * C,)."""
    height, width, channels = out.shape
    length, rows = np.uint64(line.size), np.uint64(k)
    half, area = np.uint32(k * k // 2), np.uint32(k * k)
    for row in range(np.uint64(height)):
        for i in range(length):  # rows are summed up first: as one run of numbers, which vectorises
            line[i] = texture[row * rows, i]
        for y in range(np.uint64(1), rows):
            for i in range(length):
                line[i] += texture[row * rows + y, i]
        for column in range(width):
            for c in range(channels):
                total = half
                for x in range(k):
                    total += line[(column * k + x) * channels + c]
                out[row, column, c] = total // area
