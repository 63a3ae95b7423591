"""Textures without the gaps between their charts: what no face shows gets the colour of what is beside it.

Charts of a texture lie apart, and what is between them is usually black, half of the picture and more. From afar, a
texture is read from copies in which neighbouring texels are averaged, and there the gaps are averaged in: every seam,
and every face that is seen at a slant, as those next to an outline are, would turn dark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

_MOST_LAYERS = 64  # faces that lie over one another on the texture, on average: beyond it, nobody packed charts


def without_gaps(texture: U8, uv: F64, faces: I32) -> U8:
    """A texture (H, W, 3) in which only the texels that faces show count; `texture` itself if all do.

    Args:
        texture: as the file has it.
        uv: texture coordinates (V, 2), v down.
        faces: (F, 3) indices of them.
    """
    from diffdope.scene.texture_gaps_kernel import fill_unused, mark_used

    height, width = texture.shape[:2]
    used = np.zeros((height, width), np.uint8)
    corners = (uv * [width, height] - 0.5)[faces]
    known = mark_used(corners, _MOST_LAYERS * used.size, used)
    if not known or used.all() or not used.any():
        return texture
    heights, widths = _halved(height), _halved(width)
    count = max(len(heights), len(widths))
    rows, columns = (np.array(sizes + [1] * (count - len(sizes)), np.int64) for sizes in (heights, widths))
    filled = texture.copy()
    fill_unused(filled, used, np.zeros((int(rows @ columns), 4), np.float32), rows, columns)
    filled.flags.writeable = False
    return filled


def _halved(size: int) -> list[int]:
    """How many blocks of 2, 4, 8 ... texels there are along an axis, down to one."""
    sizes = [-(-size // 2)]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // 2))
    return sizes
