"""Discs with k windows or teeth, and what alone tells by how many of them a disc is turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.mesh import Mesh

_BETWEEN, _HEIGHT_M = 60, 0.012  # columns around; one of the rim's is cut out by the notch
_RADII_M = np.array([0.010, 0.018, 0.026, 0.034, 0.042, 0.050])


def flange(k: int, notch: int = 1) -> Mesh:
    """A disc of 100 mm with a bore, k windows, and a notch of so many columns in its rim; z is its axis."""
    around = k * round(_BETWEEN / k)
    solid = np.ones((around, len(_RADII_M) - 1), np.bool_)
    each = np.arange(around) % (around // k)
    solid[each < around // k // 2, 2:4] = False
    solid[:notch, -2:] = False
    return _disc(solid)


def gear(teeth: int, windows: tuple[int, ...] = (0, 21, 43)) -> Mesh:
    """The same with teeth, a keyway, and three windows that begin at these columns and are in no step with the teeth.

    Four columns are a tooth and what is beside it.
    """
    around = 4 * teeth
    solid = np.ones((around, len(_RADII_M) - 1), np.bool_)
    solid[np.arange(around) % 4 >= 2, -1] = False
    for first in windows:
        solid[(first + np.arange(around // 8)) % around, 2] = False
    solid[:3, 0] = False
    return _disc(solid)


def _disc(solid: NDArray[np.bool_]) -> Mesh:
    """Of cells (columns around, rings) that are solid."""
    around = len(solid)
    angle = 2.0 * np.pi * np.arange(around + 1) / around
    x, y = _RADII_M * np.cos(angle)[:, None], _RADII_M * np.sin(angle)[:, None]

    def corner(i: int, j: int, top: bool) -> list[float]:
        return [x[i, j], y[i, j], 0.5 * _HEIGHT_M if top else -0.5 * _HEIGHT_M]

    quads = []
    for i, j in np.argwhere(solid):
        quads.append([corner(i, j, True), corner(i, j + 1, True), corner(i + 1, j + 1, True), corner(i + 1, j, True)])
        quads.append([corner(*at, False) for at in ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1))])
        walls = {
            (i, j - 1): ((i + 1, j), (i, j)), (i, j + 1): ((i, j + 1), (i + 1, j + 1)),
            (i - 1, j): ((i, j), (i, j + 1)), (i + 1, j): ((i + 1, j + 1), (i + 1, j)),
        }  # fmt: skip
        for (ni, nj), (one, other) in walls.items():
            if not 0 <= nj < solid.shape[1] or not solid[ni % around, nj]:
                quads.append([corner(*one, True), corner(*one, False), corner(*other, False), corner(*other, True)])
    vertices = np.array(quads).reshape(-1, 3)
    first = 4 * np.arange(len(quads))[:, None, None]
    faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3).astype(np.int32)
    points, index = np.unique(np.round(vertices, 9), axis=0, return_inverse=True)
    return Mesh(points, index.reshape(-1)[faces].astype(np.int32))
