"""PNG's filters taken back: each byte was stored less what is left of it, above it, or both.

Positions are unsigned: numba looks at signed ones for negative values, each time.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER

U8 = NDArray[np.uint8]


@njit(**EXACT_INNER)
def _paeth(left: int, above: int, corner: int) -> int:
    """Whichever is nearest to left + above - corner; without branches, which would be guessed wrong half the time."""
    to_left, to_above, to_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    nearest = above if to_above <= to_corner else corner
    return left if to_left <= min(to_above, to_corner) else nearest


@njit(**EXACT_ENTRY)
def unfilter(stored: U8, pixel: int, nothing: U8, out: U8) -> int:
    """Writes the bytes of a picture, row by row, and returns how many rows had a filter that there is.

    stored: (H * (1 + B),), of each row its filter (PNG, third edition, section 9.2) and B bytes; pixel: bytes of one;
    nothing: (B,) zeros, the row above the first; out: (H, B).
    """
    height, width = np.uint64(out.shape[0]), np.uint64(out.shape[1])
    back, one = np.uint64(pixel), np.uint64(1)
    above = nothing
    for y in range(height):
        row = out[y]
        start = y * (width + one) + one
        kind = stored[start - one]
        if kind > 4:
            return int(y)
        for x in range(
            min(back, width)
        ):  # nothing is to the left of these: of Paeth's three, only the one above counts
            add = np.int64(above[x]) if kind == 2 or kind == 4 else np.int64(above[x]) >> 1 if kind == 3 else 0
            row[x] = np.uint8(np.int64(stored[start + x]) + add)
        if kind == 0:
            for x in range(back, width):
                row[x] = stored[start + x]
        elif kind == 1:
            for x in range(back, width):
                row[x] = np.uint8(np.int64(stored[start + x]) + np.int64(row[x - back]))
        elif kind == 2:
            for x in range(back, width):
                row[x] = np.uint8(np.int64(stored[start + x]) + np.int64(above[x]))
        elif kind == 3:
            for x in range(back, width):
                mean = (np.int64(row[x - back]) + np.int64(above[x])) >> 1
                row[x] = np.uint8(np.int64(stored[start + x]) + mean)
        else:
            for x in range(back, width):
                guess = _paeth(np.int64(row[x - back]), np.int64(above[x]), np.int64(above[x - back]))
                row[x] = np.uint8(np.int64(stored[start + x]) + guess)
        above = row
    return int(height)
