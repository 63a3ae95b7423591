"""Points of a PLY file that a camera has taken, a point a pixel.

Which size the picture has says PCL's element camera (viewportx, viewporty), the range grid of Stanford's scanners
(obj_info num_cols, num_rows; range_grid), or, where nothing does, the points: only in rows of the right length do x / z
and y / z grow with columns and rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.io.files import bytes_of
from diffdope.io.numbers import is_whole
from diffdope.io.ply_tables import Lists, read_header, read_tables

_MOST = 1 << 26  # points: no sensor has as many pixels
_LONGEST = 4  # times as wide as high, or as high as wide, at most: pictures of sensors are


def read_ply_points(name: str, path: Path) -> tuple[NDArray[Any], tuple[int, int] | None]:
    """The points (N, 3) of a PLY file in the order of its pixels, and (width, height) where it says so.

    Args:
        name: the argument to blame.
        path: the file.

    Raises:
        DiffDopeError: if it cannot be read, was cut off, or has no points.
    """
    where = f"{name} {path}"
    data = bytes_of(path, name)
    header = read_header(where, data)
    most = max((element.rows for element in header.elements.values()), default=0)
    if most > _MOST:
        raise expected(where, "as many points as a sensor has", most)
    tables = read_tables(data, header, as_written=True)
    vertex, camera, grid = (tables.get(kind, {}) for kind in ("vertex", "camera", "range_grid"))
    columns = [vertex.get(axis) for axis in "xyz"]
    if any(column is None or isinstance(column, Lists) for column in columns):
        raise expected(where, "an element vertex with x, y and z", "none")
    points = np.stack(columns, -1)  # type: ignore[arg-type]
    size = _number(header.info.get("num_cols")), _number(header.info.get("num_rows"))
    for rows in grid.values():
        if isinstance(rows, Lists):
            return _on_grid(points, rows, size, where), size
    sides = [camera.get(name) for name in ("viewportx", "viewporty")]
    if all(isinstance(one, np.ndarray) and one.shape == (1,) and np.isfinite(one[0]) for one in sides):
        size = int(sides[0][0]), int(sides[1][0])  # type: ignore[index]
    return points, size if min(size) > 1 and size[0] * size[1] == len(points) else None  # PCL writes N x 1, too


def sizes_of(count: int) -> list[tuple[int, int]]:
    """(width, height) of pictures with so many pixels, whose sides are not too different."""
    low = int(np.sqrt(count / _LONGEST))
    sides = [side for side in range(max(low, 2), int(np.sqrt(count * _LONGEST)) + 1) if count % side == 0]
    return [(width, count // width) for width in sides if count // width > 1]


def _number(word: str | None) -> int:
    return int(word) if word is not None and is_whole(word) else 0


def _on_grid(points: NDArray[Any], rows: Lists, size: tuple[int, int], where: str) -> NDArray[Any]:
    """A point a pixel, of rows that have a vertex or none; 0 where the scanner saw nothing."""
    one = rows.sizes == 1
    vertex = np.full(len(one), -1)
    vertex[one] = rows.values[np.repeat(one, rows.sizes)]
    if min(size) < 2 or size[0] * size[1] != len(vertex):
        raise expected(where, f"obj_info num_cols and num_rows of {len(vertex)} pixels", f"{size[0]} and {size[1]}")
    if not vertex.max(initial=-1) < len(points):
        raise expected(where, f"vertices up to {len(points) - 1} in range_grid", int(vertex.max()))
    seen = vertex >= 0
    found = np.zeros((len(vertex), 3), points.dtype)
    found[seen] = points[vertex[seen]]
    return found
