"""PFM files of one channel, as Middlebury's stereo benchmark and networks write disparities.

The header is `Pf`, width and height, and a number whose sign tells the order of the bytes (negative: little-endian);
rows follow from the bottom up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.io.files import bytes_of

_HEADER = 4  # words
_LONGEST = 200  # bytes of a header


def read_pfm(name: str, path: Path) -> NDArray[np.float32]:
    """The numbers (H, W), the top row first.

    Args:
        name: the argument to blame.
        path: the file.

    Raises:
        DiffDopeError: if it cannot be read, is none, was cut off, or holds colours.
    """
    where = f"{name} {path}"
    data = bytes_of(path, name)
    words = data[:_LONGEST].split(None, _HEADER)[:_HEADER]
    if words[:1] == [b"PF"]:
        raise expected(where, "one channel (Pf)", "three (PF), colours or points", "save one channel alone")
    try:
        kind, width, height, scale = words[0], int(words[1]), int(words[2]), float(words[3])
        if kind != b"Pf" or min(width, height) < 1 or not 0.0 < abs(scale) < np.inf:
            raise ValueError("no header")
    except (ValueError, IndexError) as error:
        got = "something else" if data else "an empty file"
        raise expected(where, "a PFM file: Pf, width, height and scale", got) from error
    start = 0
    for word in words:  # each stands behind the one before; one white character ends the last
        start = data.index(word, start) + len(word)
    size = 4 * width * height
    if len(data) - start - 1 != size:
        got = "a file that was cut off" if len(data) - start - 1 < size else "more"
        raise expected(where, f"{width} x {height} numbers", got)
    rows = np.frombuffer(data, "<f4" if scale < 0 else ">f4", width * height, start + 1)
    return np.ascontiguousarray(rows.reshape(height, width)[::-1], np.float32)
