"""Depth from the points of a camera, a point a pixel: arrays (H, W, 3), and organised .pcd and .ply files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.io.files import bytes_of
from diffdope.io.lzf import decompress_lzf
from diffdope.io.organised_ply import read_ply_points, sizes_of

_ALIGNED = 0.99  # correlation of x / z with columns: lenses' distortion leaves more, a turn by ten degrees less
_FEWEST = 16  # points that tell which way a picture lies
_CURE = "give points of the camera's own frame (x right, y down, z forward), or their z as an array (H, W)"
_LARGEST = 1 << 28  # numbers: no sensor has as many
_WORDS = ("FIELDS", "SIZE", "TYPE", "COUNT", "WIDTH", "HEIGHT", "POINTS", "DATA")
_KINDS = {"F": "f", "U": "u", "I": "i"}


def depth_of_points(points: NDArray[Any], name: str) -> NDArray[Any]:
    """z of each pixel's point, in the unit of the points; 0 where there is none.

    Args:
        points: (H, W, 3) floats or signed integers, x right, y down, z forward.
        name: the argument to blame.

    Raises:
        DiffDopeError: if they do not lie as a camera's do: x / z follows the columns, y / z the rows.
    """
    seen = _seen(points)
    wanted = "points as a camera sees them"
    if seen.sum() < _FEWEST:
        raise expected(name, wanted, f"{int(seen.sum())} points before it", _CURE)
    across, down = _along_pixels(points, seen)
    for axis, line, along in (("x / z", "columns", across), ("y / z", "rows", down)):
        if not along > _ALIGNED:
            raise expected(name, wanted, f"some whose {axis} does not grow with the {line}", _CURE)
    return np.where(seen, points[..., 2], points.dtype.type(0))


def depth_of_ply(name: str, path: Path) -> NDArray[Any]:
    """z of each pixel's point of an organised .ply file; see `depth_of_points`.

    Args:
        name: the argument to blame.
        path: the file.

    Raises:
        DiffDopeError: if it cannot be read, or its points are in no order of pixels, or not a camera's.
    """
    points, size = read_ply_points(name, path)
    if size is None:
        every = [(width, points.reshape(height, width, 3)) for width, height in sizes_of(len(points))]
        fitting = [one for _, one in every if min(_along_pixels(one, _seen(one))) > _ALIGNED]
        if len(fitting) != 1:
            got = f"{len(points)} points in no such order"
            raise expected(f"{name} {path}", "an organised cloud: a point for each pixel", got, _CURE)
        return depth_of_points(fitting[0], f"{name} {path}")
    return depth_of_points(points.reshape(size[1], size[0], 3), f"{name} {path}")


def _seen(points: NDArray[Any]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.isfinite(points).all(-1) & (points[..., 2] > 0))


def _along_pixels(points: NDArray[Any], seen: NDArray[np.bool_]) -> tuple[float, float]:
    """Correlations of x / z with the columns, and of y / z with the rows."""
    x, y, z = np.moveaxis(np.asarray(points[seen], np.float64), -1, 0)
    rows, columns = np.nonzero(seen)
    with np.errstate(over="ignore", invalid="ignore"):  # damaged numbers: a NaN is no correlation
        return _correlation(x / z, columns), _correlation(y / z, rows)


def _correlation(a: NDArray[np.float64], b: NDArray[np.int64]) -> float:
    if not len(a):
        return 0.0
    da, db = a - a.mean(), b - b.mean()
    size = float(np.sqrt((da @ da) * (db @ db)))
    return float(da @ db) / size if size > 0 else 0.0


def read_pcd(name: str, path: Path) -> NDArray[Any]:
    """The points (H, W, 3) of an organised .pcd file: text, bytes, or compressed ones.

    Args:
        name: the argument to blame.
        path: the file.

    Raises:
        DiffDopeError: if it cannot be read, was cut off, or its points are in no order of pixels.
    """
    content = bytes_of(path, name)
    said, start = _header(content, name, path)
    try:
        width, height = int(said["WIDTH"][0]), int(said["HEIGHT"][0])
        counts = [int(count) for count in said.get("COUNT", ["1"] * len(said["FIELDS"]))]
        sizes, kinds = said["SIZE"], [_KINDS[kind] for kind in said["TYPE"]]
        names = [f"{field}#{place}" if field in "_" else field for place, field in enumerate(said["FIELDS"])]
        parts = zip(names, sizes, kinds, counts, strict=True)
        record = np.dtype([(field, f"<{kind}{size}", (count,)) for field, size, kind, count in parts])
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise expected(f"{name} {path}", "the header of a .pcd file", f"a broken one ({error})") from error
    if height < 2 or width < 1:
        raise expected(f"{name} {path}", "an organised cloud: a point for each pixel", f"HEIGHT {height}", _CURE)
    if not 0 < width * height * record.itemsize <= _LARGEST:
        raise expected(f"{name} {path}", "as many points as a sensor has", f"{width} x {height}")
    missing = [axis for axis in "xyz" if axis not in (record.names or ()) or record[axis].shape != (1,)]
    if missing:
        raise expected(f"{name} {path}", "the fields x, y and z, a number each", f"no such {', '.join(missing)}")
    table = _table(content[start:], said["DATA"][0], record, width * height, f"{name} {path}")
    return np.stack([table[axis][:, 0] for axis in "xyz"], -1).reshape(height, width, 3)


def _header(content: bytes, name: str, path: Path) -> tuple[dict[str, list[str]], int]:
    """The header's words, and where the points begin."""
    said: dict[str, list[str]] = {}
    start = 0
    while "DATA" not in said:
        end = content.find(b"\n", start)
        if end < 0 or end - start > 10_000:
            raise expected(f"{name} {path}", "the header of a .pcd file", "none, or one that was cut off")
        words = content[start:end].decode("latin-1").split()
        start = end + 1
        if words and words[0] in _WORDS and len(words) > 1:
            said[words[0]] = words[1:]
    return said, start


def _table(body: bytes, kind: str, record: np.dtype[Any], count: int, where: str) -> NDArray[Any]:
    if kind == "binary":
        if len(body) < count * record.itemsize:
            raise expected(where, f"{count} points", "a file that was cut off")
        return np.frombuffer(body, record, count)
    if kind == "binary_compressed":
        return _decompressed(body, record, count, where)
    if kind != "ascii":
        raise expected(where, "DATA ascii, binary or binary_compressed", kind)
    try:
        numbers = np.array(body.split(), np.float64)
    except ValueError as error:
        raise expected(where, "numbers", str(error)) from error
    lengths = [record[field].shape[0] for field in record.names or ()]
    if numbers.size != count * sum(lengths):
        raise expected(where, f"{count} points", f"{numbers.size / sum(lengths):g}")
    rows = numbers.reshape(count, sum(lengths))
    table = np.zeros(count, [(field, "f8", (1,)) for field in "xyz"])
    for field in "xyz":
        table[field][:, 0] = rows[:, sum(lengths[: (record.names or ()).index(field)])]
    return table


def _decompressed(body: bytes, record: np.dtype[Any], count: int, where: str) -> NDArray[Any]:
    """PCL's compressed bytes: two sizes, and by LZF one field after the other, each of all points."""
    packed, plain = np.frombuffer(body, "<u4", 2).tolist() if len(body) >= 8 else (0, 0)
    if plain != count * record.itemsize or len(body) < 8 + packed:
        raise expected(where, f"{count} points", "a file that was cut off, or a damaged one")
    data = decompress_lzf(body[8 : 8 + packed], plain)
    if data is None:
        raise expected(where, f"{count} points", "a damaged file")
    table, at = np.zeros(count, record), 0
    for field in record.names or ():
        part = record[field]
        table[field] = np.frombuffer(data, part.base, count * part.shape[0], at).reshape(count, part.shape[0])
        at += count * part.itemsize
    return table


def is_points(array: NDArray[Any]) -> bool:
    """Whether an array may hold a point for each pixel: three numbers that differ, which are no colours."""
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype.kind not in "fi" or array.shape[0] < 2:
        return False
    return not np.array_equal(array[..., 0], array[..., 2], equal_nan=array.dtype.kind == "f")
