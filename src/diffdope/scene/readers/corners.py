"""Polygons whose corners have indices of their own for places, texture coordinates and colours, as one piece."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.scene.parts import Part
from diffdope.scene.polygons import triangulate

F64 = NDArray[np.float64]
Int = NDArray[np.intp]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Polygons:
    """Polygons, one after the other.

    Attributes:
        sizes: (P,) how many corners each one has.
        place: (C,) index of each corner's point.
        uv: (C,) index of each corner's texture coordinates; None if there are none.
        color: (C,) index of each corner's colour; None if there are none.
    """

    sizes: Int
    place: Int
    uv: Int | None = None
    color: Int | None = None

    def where(self, chosen: Bool) -> Polygons:
        """Some of the polygons (P,)."""
        if chosen.all():
            return self
        corners = np.repeat(chosen, self.sizes)
        place = self.place[corners]
        others = (None if k is None else place if k is self.place else k[corners] for k in (self.uv, self.color))
        return Polygons(self.sizes[chosen], place, *others)

    def of_corners(self, corner_values: Int) -> Int:
        """The least of a value (C,) over each polygon's corners (P,); -1 where it has none."""
        least = np.full(len(self.sizes), -1, np.intp)
        some = self.sizes > 0
        if some.any():
            least[some] = np.minimum.reduceat(corner_values, (np.cumsum(self.sizes) - self.sizes)[some])
        return least


def as_part(points: F64, polygons: Polygons, uv: F64 | None = None, colors: F64 | None = None) -> Part:
    """The polygons as triangles, with a vertex for each combination of point, texture coordinates and colour.

    Where corners have points alone, the vertices are the points, in their order, without those that none has.

    Args:
        points: (V, 3).
        polygons: whose `uv` and `color` count only where those are given.
        uv: texture coordinates (U, 2).
        colors: (K, 3) in [0, 1].

    Raises:
        DiffDopeError: if an index is out of range.
    """
    uv = uv if polygons.uv is not None else None
    colors = colors if polygons.color is not None else None
    streams = [("points", points, polygons.place), ("texture coordinates", uv, polygons.uv),
               ("colours", colors, polygons.color)]  # fmt: skip
    given = [(what, values, index) for what, values, index in streams if values is not None and index is not None]
    for what, values, index in given:
        _check(what, index, len(values))
    triangles, _ = triangulate(points, polygons.place, polygons.sizes)
    if all(index is polygons.place and len(values) == len(points) for _, values, index in given):
        return compact(Part(points, polygons.place[triangles], uv=uv, colors=colors))
    corners = triangles.ravel()
    first, faces = _combinations([(index[corners], len(values)) for _, values, index in given])
    chosen = corners[first]
    return Part(
        points[polygons.place[chosen]],
        faces.reshape(-1, 3),
        uv=None if uv is None or polygons.uv is None else uv[polygons.uv[chosen]],
        colors=None if colors is None or polygons.color is None else colors[polygons.color[chosen]],
    )


def _combinations(columns: list[tuple[Int, int]]) -> tuple[Int, Int]:
    """Where each combination of indices comes first, and the number of the combination in each row.

    Args:
        columns: indices (C,), and the number that they are below.
    """
    number = np.zeros(len(columns[0][0]), np.int64)
    for index, count in columns:
        if number.max(initial=0) > 2**62 // max(count, 1):  # numbered anew, so that they do not run over
            number = np.unique(number, return_inverse=True)[1]
        number = number * count + index
    _, first, rows = np.unique(number, return_index=True, return_inverse=True)
    return first, rows


def compact(part: Part) -> Part:
    """The part without the vertices that it does not use.

    Raises:
        DiffDopeError: if an index is out of range.
    """
    _check("vertices", part.faces, len(part.vertices))
    used = np.zeros(len(part.vertices), np.bool_)
    used[part.faces.ravel()] = True
    if used.all():
        return part
    uv, colors = (None if array is None else array[used] for array in (part.uv, part.colors))
    return replace(part, vertices=part.vertices[used], faces=(np.cumsum(used) - 1)[part.faces], uv=uv, colors=colors)


def _check(what: str, index: Int, count: int) -> None:
    if len(index) and (index.min() < 0 or index.max() >= count):
        got = f"{int(index.min())} to {int(index.max())}"
        raise expected("mesh", f"indices of {what} from 0 to {count - 1}", got, "the file is damaged")
