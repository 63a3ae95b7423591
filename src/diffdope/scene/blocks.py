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
    """Means of the k x k blocks of (H, W * C), from column x0 and row y0 on, into (h, w, C); C is 1 or 3.

    Every `step`-th row of a block is read; the middle of those is the block's if `step` is odd, as it has to be.
    line: (w * k * C,). `unit`: what 1 in bytes or words stands for; their sums are whole numbers until the end.
    """
    height, width, channels = out.shape
    rows = rows_read(k, step)
    share = np.float32((1.0 if floats.size > 0 else unit) / (rows * k))
    start, wide, apart = np.uint64(x0 * channels), np.uint64(k), np.uint64(channels)
    for row in range(height):  # rows are summed up first: as one run of numbers, which vectorises
        top = y0 + row * k + (k - 1 - (rows - 1) * step) // 2
        for y in range(top, top + rows * step, step):
            v = np.uint64(y)
            if bytes_.size > 0:
                add_row(bytes_, v, start, y == top, line)
            elif words.size > 0:
                add_row(words, v, start, y == top, line)
            else:
                add_row(floats, v, start, y == top, line)
        for column in range(np.uint64(width)):
            first = column * wide * apart
            if channels == 1:
                total = line[first]
                for x in range(np.uint64(1), wide):
                    total += line[first + x]
                out[row, column, 0] = total * share
            else:  # sums that do not wait for each other
                a, b, c = line[first], line[first + np.uint64(1)], line[first + np.uint64(2)]
                for x in range(np.uint64(1), wide):
                    place = first + x * apart
                    a, b, c = a + line[place], b + line[place + np.uint64(1)], c + line[place + np.uint64(2)]
                out[row, column, 0], out[row, column, 1], out[row, column, 2] = a * share, b * share, c * share


@njit(**{**EXACT_INNER, "fastmath": True})
def add_row(values: NDArray[np.generic], row: np.uint64, start: np.uint64, first: bool, line: F32) -> None:
    """Adds a part of a row, from a column on, to a line (N,), of which nothing is known before the first."""
    for i in range(np.uint64(line.size)):
        line[i] = np.float32(values[row, start + i]) + (np.float32(0.0) if first else line[i])


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

    Most blocks are of one surface, of which all samples are there and close to their median, whichever it is: that is
    seen by their extremes, which vectorise. Of blocks with holes, samples are counted. Where there are two surfaces,
    every q-th sample is looked at, with the least q for which `samples` has room. `step`: see `mean_of_blocks`; room
    (3, w * k), samples (N,); `unit`: metres that 1 in words stands for, in which they are compared; `fewest`: share of
    a block's pixels of which at least one has to be there.
    """
    start, wide, none, far = np.uint64(x0), np.uint64(k), np.float32(0.0), np.float32(np.inf)
    low, high, total = room[0], room[1], room[2]
    rows = rows_read(k, step)
    whole, scale = np.float32(rows * k), np.float32(1.0 if floats.size > 0 else unit)
    for row in range(out.shape[0]):
        top = y0 + row * k + (k - 1 - (rows - 1) * step) // 2
        bottom = top + rows * step
        for y in range(top, bottom, step):
            if words.size > 0:
                take_row(words, np.uint64(y), start, y == top, low, high, total)
            else:
                take_row(floats, np.uint64(y), start, y == top, low, high, total)
        for column in range(np.uint64(out.shape[1])):
            first = column * wide
            least, most, sum_ = low[first], high[first], total[first]
            for x in range(first + np.uint64(1), first + wide):
                sum_ += total[x]
                least = low[x] if low[x] < least else least
                most = high[x] if high[x] > most else most
            if most == none:
                out[row, column] = none
                continue
            n, left = whole, x0 + np.int64(first)
            if least == none:
                n, least = none, far
                for y in range(top, bottom, step):
                    for x in range(left, left + k):
                        z = np.float32(words[y, x]) if words.size > 0 else floats[y, x]
                        if z > none:
                            n += np.float32(1.0)
                            least = z if z < least else least
                if n < fewest * whole:
                    out[row, column] = none
                    continue
            if most - least <= same * least:
                out[row, column] = sum_ / n * scale
            else:
                every, number, there = (int(n) + samples.size - 1) // samples.size, 0, 0
                for y in range(top, bottom, step):
                    for x in range(left, left + k):
                        z = np.float32(words[y, x]) if words.size > 0 else floats[y, x]
                        if z > none:
                            if there % every == 0:
                                samples[number] = z
                                number += 1
                            there += 1
                out[row, column] = mean_near_median(samples, number, same) * scale


@njit(**EXACT_INNER)
def take_row(
    values: NDArray[np.generic], row: np.uint64, start: np.uint64, first: bool, low: F32, high: F32, total: F32
) -> None:
    """Takes a part of a row, from a column on, to extremes and sums (N,), of which nothing is known before the first.

    The least is 0 where anything is missing.
    """
    if first:
        for i in range(np.uint64(low.size)):
            z = np.float32(values[row, start + i])
            low[i], high[i], total[i] = z, z, z
    else:
        for i in range(np.uint64(low.size)):
            z, least, most = np.float32(values[row, start + i]), low[i], high[i]
            low[i] = z if z < least else least
            high[i] = z if z > most else most
            total[i] += z


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
