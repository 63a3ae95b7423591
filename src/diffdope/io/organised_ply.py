"""Points of a PLY file that a camera has taken, a point a pixel.

Which size the picture has says PCL's element camera (viewportx, viewporty), the range grid of Stanford's scanners
(obj_info num_cols, num_rows; range_grid), or, where nothing does, the points: only in rows of the right length do x / z
and y / z grow with columns and rows.

The layout is that of Turk, The PLY Polygon File Format, 1994.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected, refused
from diffdope.io.files import why_unread

F64 = NDArray[np.float64]

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_MOST = 1 << 26  # points: no sensor has as many pixels
_LONGEST = 4  # times as wide as high, or as high as wide, at most: pictures of sensors are


@dataclass
class _Element:
    name: str
    rows: int
    fields: list[tuple[str, str]] = field(default_factory=list)
    list_of: tuple[str, str] | None = None  # types of its count and its values


@dataclass
class _Header:
    order: str
    start: int
    elements: list[_Element]
    size: dict[str, int]  # num_cols, num_rows


def read_ply_points(name: str, path: Path) -> tuple[NDArray[Any], tuple[int, int] | None]:
    """The points (N, 3) of a PLY file in the order of its pixels, and (width, height) where it says so.

    Args:
        name: the argument to blame.
        path: the file.

    Raises:
        DiffDopeError: if it cannot be read, was cut off, or has no points.
    """
    where = f"{name} {path}"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise refused(name, f"cannot read {path}: {why_unread(error)}") from error
    header = _header(data, where)
    tables = _text_tables(data, header, where) if not header.order else _tables(data, header, where)
    vertex, camera = tables.get("vertex", {}), tables.get("camera", {})
    if not all(axis in vertex for axis in "xyz"):
        raise expected(where, "an element vertex with x, y and z", "none")
    points = np.stack([vertex[axis] for axis in "xyz"], -1)
    size = header.size.get("num_cols", 0), header.size.get("num_rows", 0)
    if "range_grid" in tables:
        return _on_grid(points, tables["range_grid"][""], size, where), size
    if {"viewportx", "viewporty"} <= camera.keys() and len(camera["viewportx"]) == 1:
        size = int(camera["viewportx"][0]), int(camera["viewporty"][0])
    return points, size if min(size) > 1 and size[0] * size[1] == len(points) else None  # PCL writes N x 1, too


def sizes_of(count: int) -> list[tuple[int, int]]:
    """(width, height) of pictures with so many pixels, whose sides are not too different."""
    low = int(np.sqrt(count / _LONGEST))
    sides = [side for side in range(max(low, 2), int(np.sqrt(count * _LONGEST)) + 1) if count % side == 0]
    return [(width, count // width) for width in sides if count // width > 1]


def _header(data: bytes, where: str) -> _Header:
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        got = "none" if data else "an empty file"
        raise expected(where, "a header from 'ply' to 'end_header'", got, "write it again")
    stop = data.find(b"\n", end) + 1
    header = _Header("", stop if stop > 0 else len(data), [], {})
    try:
        for words in (line.split() for line in data[:end].decode("latin-1").splitlines()):
            match words:
                case ["format", order, *_]:
                    header.order = _ORDERS[order]
                case ["obj_info", "num_cols" | "num_rows" as side, number, *_]:
                    header.size[side] = int(number)
                case ["element", kind, rows]:
                    header.elements.append(_Element(kind, int(rows)))
                case ["property", "list", count, kind, _]:
                    header.elements[-1].list_of = _TYPES[count], _TYPES[kind]
                case ["property", kind, label]:
                    header.elements[-1].fields.append((label.lower(), _TYPES[kind]))
    except (KeyError, ValueError, IndexError) as error:
        raise expected(where, "the header of a PLY file", f"a broken one ({error})", "write it again") from error
    if any(not 0 <= element.rows <= _MOST for element in header.elements):
        raise expected(where, "as many points as a sensor has", max(element.rows for element in header.elements))
    return header


def _tables(data: bytes, header: _Header, where: str) -> dict[str, dict[str, NDArray[Any]]]:
    """Columns of the elements up to the first that holds lists; of the range grid, a vertex or -1 a row."""
    found: dict[str, dict[str, NDArray[Any]]] = {}
    at = header.start
    for element in header.elements:
        if element.list_of is not None:
            if element.name == "range_grid":
                found["range_grid"] = {"": _binary_grid(data[at:], header.order, element, where)}
            break
        record = _record([(label, header.order + kind) for label, kind in element.fields], where)
        size = record.itemsize * element.rows
        if at + size > len(data):
            raise _cut_off(where)
        rows = np.frombuffer(data, record, element.rows, at)
        found[element.name] = {label: rows[label] for label, _ in element.fields}
        at += size
    return found


def _record(fields: list[tuple[str, str]], where: str) -> np.dtype[Any]:
    try:
        return np.dtype(fields)
    except ValueError as error:
        raise expected(where, "properties of different names", str(error)) from error


def _binary_grid(data: bytes, order: str, element: _Element, where: str) -> NDArray[np.int64]:
    assert element.list_of is not None
    count, value = (np.dtype(order + kind) for kind in element.list_of)
    grid, at = np.full(element.rows, -1), 0
    for row in range(element.rows):
        if at + count.itemsize > len(data):
            raise _cut_off(where)
        many = int(np.frombuffer(data, count, 1, at)[0])
        at += count.itemsize
        if many == 1 and at + value.itemsize <= len(data):
            grid[row] = int(np.frombuffer(data, value, 1, at)[0])
        at += max(many, 0) * value.itemsize
    return grid


def _text_tables(data: bytes, header: _Header, where: str) -> dict[str, dict[str, NDArray[Any]]]:
    lines = data[header.start :].decode("latin-1").split("\n")
    found: dict[str, dict[str, NDArray[Any]]] = {}
    at = 0
    for element in header.elements:
        rows = lines[at : at + element.rows]
        if len(rows) < element.rows:
            raise _cut_off(where)
        at += element.rows
        try:
            if element.list_of is not None:
                words = [row.split() for row in rows]
                found[element.name] = {"": np.array([int(one[1]) if len(one) == 2 else -1 for one in words], np.int64)}
                continue
            numbers = np.array(" ".join(rows).split(), np.float64).reshape(element.rows, len(element.fields))
        except (ValueError, OverflowError) as error:
            raise expected(where, f"{element.rows} rows of numbers of {element.name}", str(error)) from error
        found[element.name] = {label: numbers[:, k] for k, (label, _) in enumerate(element.fields)}
    return found


def _on_grid(points: NDArray[Any], grid: NDArray[Any], size: tuple[int, int], where: str) -> NDArray[Any]:
    """A point a pixel; 0 where the scanner saw nothing."""
    if min(size) < 2 or size[0] * size[1] != len(grid):
        raise expected(where, f"obj_info num_cols and num_rows of {len(grid)} pixels", f"{size[0]} and {size[1]}")
    if len(grid) and not (grid.max() < len(points)):
        raise expected(where, f"vertices up to {len(points) - 1} in range_grid", int(grid.max()))
    seen = grid >= 0
    found = np.zeros((len(grid), 3), points.dtype)
    found[seen] = points[grid[seen]]
    return found


def _cut_off(where: str) -> DiffDopeError:
    return expected(where, "all the rows that its header names", "a file that was cut off", "write it again")
