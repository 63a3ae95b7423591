"""Mip pyramids, compiled: each level is read once. Nothing here allocates."""

# mypy: allow-untyped-defs, allow-untyped-decorators

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]


@njit(**EXACT_INNER)
def _packed(r, g, b):
    """A colour of whole numbers from 0 to 255 as r | g << 8 | b << 16 | 255 << 24."""
    eight, sixteen, opaque = np.uint32(8), np.uint32(16), np.uint32(255 << 24)
    return np.uint32(r) | np.uint32(g) << eight | np.uint32(b) << sixteen | opaque


@njit(**EXACT_INNER)
def _halve(level, height, width, first, means, texels):
    """Means of blocks of 2 x 2 texels of a level (height, width, 3), into means and, packed, into texels from first on.

    Of odd sizes the last row or column is repeated.
    """
    one, two = np.uint64(1), np.uint64(2)  # numbers with a sign might count from the end, which takes time to rule out
    across = (width + one) // two
    for y in range((height + one) // two):
        top, bottom = two * y, min(two * y + one, height - one)
        for x in range(across):
            left, right = two * x, min(two * x + one, width - one)
            k = y * across + x
            for c in range(3):
                here = np.float32(level[top, left, c]) + np.float32(level[bottom, left, c])
                beside = np.float32(level[top, right, c]) + np.float32(level[bottom, right, c])
                means[k, c] = (here + beside) * np.float32(0.25)
            texels[first + k] = _packed(np.rint(means[k, 0]), np.rint(means[k, 1]), np.rint(means[k, 2]))


@njit(**EXACT_ENTRY)
def fill_pyramid(texture: U8, offsets: I32, widths: I32, heights: I32, means: F32, texels: U32) -> None:
    """Packs a texture and all smaller copies of it, as `MipPyramid` has them.

    Args:
        texture: (H, W, 3).
        offsets: of the levels in `texels`.
        widths: of the levels.
        heights: the same.
        means: (2, K, 3) for levels before they are rounded, in turns; K: texels of the second level.
        texels: all levels; filled.
    """
    height, width = np.uint64(texture.shape[0]), np.uint64(texture.shape[1])
    for y in range(height):
        for x in range(width):
            texels[y * width + x] = _packed(texture[y, x, 0], texture[y, x, 1], texture[y, x, 2])
    for level in range(1, len(offsets)):
        height, width = np.uint64(heights[level - 1]), np.uint64(widths[level - 1])
        to = means[level % 2]
        if level == 1:
            _halve(texture, height, width, np.uint64(offsets[level]), to, texels)
        else:
            finer = means[(level - 1) % 2][: height * width].reshape(height, width, 3)
            _halve(finer, height, width, np.uint64(offsets[level]), to, texels)
