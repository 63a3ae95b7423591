"""Mip pyramids: a texture seen from afar is read from a smaller copy, so that it does not alias."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_shape, expected
from diffdope.scene.texture_kernel import fill_pyramid


class MipPyramid(NamedTuple):
    """All levels of a texture, one after the other, row by row; level 0 is the texture itself.

    texels: packed colours r | g << 8 | b << 16 | 255 << 24, where level l starts at offsets[l] and has
    heights[l] rows of widths[l] texels. The last level is a single texel.
    """

    texels: NDArray[np.uint32]
    offsets: NDArray[np.int32]
    widths: NDArray[np.int32]
    heights: NDArray[np.int32]


def build_pyramid(texture: NDArray[np.uint8]) -> MipPyramid:
    """Halves a texture (H, W, 3) by 2 x 2 box averages down to one texel.

    Odd sizes are made even by repeating the last row or column. Levels are averaged before they are rounded.

    Raises:
        DiffDopeError: if the texture is not uint8 or not (H, W, 3).
    """
    check_shape("texture", texture, (None, None, 3))
    if texture.dtype != np.uint8 or texture.size == 0:
        raise expected("texture", "uint8 colours", f"{texture.dtype} of shape {texture.shape}")
    sizes = [texture.shape[:2]]
    while sizes[-1] != (1, 1):
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    heights, widths = np.array(sizes, np.int32).T.copy()
    counts = heights.astype(np.int64) * widths
    offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32)
    texels = np.empty(int(counts.sum()), np.uint32)
    means = np.empty((2, int(counts[1:2].sum()), 3), np.float32)
    # Some textures cannot be written to, which is another type to numba: the kernel takes all of them so.
    shown = np.ascontiguousarray(texture).view()
    shown.flags.writeable = False
    fill_pyramid(shown, offsets, widths, heights, means, texels)
    return MipPyramid(texels, offsets, widths, heights)
