"""Strips and fans of triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.intp]


def triangles_of_strips(corners: Int) -> Int:
    """Triangles (T, 3) of strips (C,), one after the other, that -1 ends; each second one is turned around."""
    pieces = np.split(corners, np.flatnonzero(corners == -1))
    return np.concatenate([np.empty((0, 3), np.intp), *(strip(piece[piece >= 0]) for piece in pieces)])


def strip(corners: Int) -> Int:
    """Triangles (T, 3) of one strip."""
    if len(corners) < 3:
        return np.empty((0, 3), np.intp)
    triangles = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    triangles[1::2] = triangles[1::2, ::-1]
    return triangles


def fan(corners: Int) -> Int:
    """Triangles (T, 3) around the first corner."""
    if len(corners) < 3:
        return np.empty((0, 3), np.intp)
    return np.stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]], axis=1)
