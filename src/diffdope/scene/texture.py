"""Mip pyramids: a texture seen from afar is read from a smaller copy, so that it does not alias."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_shape, expected

F32 = NDArray[np.float32]


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
    level: F32 = np.ascontiguousarray(np.moveaxis(texture, 2, 0), np.float32)  # by itself, each channel vectorises
    packed, sizes = [_pack(level)], [texture.shape[:2]]
    while level.shape[1:] != (1, 1):
        level = _halve(level)
        packed.append(_pack(np.rint(level)))
        sizes.append(level.shape[1:])
    offsets = np.concatenate([[0], np.cumsum([len(texels) for texels in packed])[:-1]])
    heights, widths = np.array(sizes, np.int32).T.copy()
    return MipPyramid(np.concatenate(packed), offsets.astype(np.int32), widths, heights)


def _halve(level: F32) -> F32:
    """Means (3, H / 2, W / 2) of blocks of 2 x 2 texels (3, H, W)."""
    height, width = level.shape[1:]
    if height % 2:
        level = np.concatenate([level, level[:, -1:]], axis=1)
    if width % 2:
        level = np.concatenate([level, level[..., -1:]], axis=2)
    rows = level[:, 0::2] + level[:, 1::2]
    result: F32 = (rows[..., 0::2] + rows[..., 1::2]) * np.float32(0.25)
    return result


def _pack(level: F32) -> NDArray[np.uint32]:
    """Whole numbers from 0 to 255 (3, H, W) as colours (H W,)."""
    r, g, b = level.reshape(3, -1).astype(np.uint32)
    return np.asarray(r | g << np.uint32(8) | b << np.uint32(16) | np.uint32(255 << 24))
