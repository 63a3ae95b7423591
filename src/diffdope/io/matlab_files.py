"""Reading MATLAB's .mat files of versions 5 to 7, by the MAT-File Format that MathWorks publishes (chapter 1).

scipy.io.loadmat reads them, too, but damaged ones end the process. Numbers, text, structs and cells are read; objects
of MATLAB's classes, sparse arrays and functions are left out.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.errors import expected
from diffdope.io.files import bytes_of

_SAVE = "in MATLAB: s = toStruct(cameraParams); save('camera.mat', 's', '-v7')"
_HEAD = 128  # bytes before the first element
_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8", 16: "u1", 17: "u2",
    18: "u4",
}  # fmt: skip
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _TEXT = 1, 2, 4
_NUMERIC = range(6, 16)
_DEEPEST = 16  # structs within structs
_LARGEST = 1 << 28  # bytes of a variable, unpacked


class _Broken(Exception):
    """What is wrong with a file."""


def read_structs(path: Path, name: str) -> dict[str, Any]:
    """The variables of a file: structs as objects, arrays as lists without axes of length 1.

    Args:
        path: the file.
        name: the argument to blame.

    Raises:
        DiffDopeError: if it cannot be read, is of version 7.3 (HDF5), or holds objects of MATLAB's classes alone, which
            nothing but MATLAB reads.
    """
    content = bytes_of(path, name)
    where, wanted = f"{name} file {path}", "a .mat file of version 7"
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None or not content.startswith(b"MATLAB"):
        raise expected(where, wanted, "an empty file" if not content else "a file of another kind", _SAVE)
    (version,) = struct.unpack(f"{order}H", content[124:126])
    if version != 0x0100:
        raise expected(where, wanted, "one of version 7.3" if version == 0x0200 else f"version {version}", _SAVE)
    try:
        variables = [_matrix(body, order) for kind, body in _unpacked(content[_HEAD:], order) if kind == _MATRIX]
    except (_Broken, zlib.error, struct.error, UnicodeDecodeError, ValueError) as error:
        raise expected(where, wanted, f"a damaged file ({error})", _SAVE) from error
    found = {key: value for key, value in variables if key and value is not None}
    if not found:
        raise expected(where, "structs or numbers", "objects of MATLAB's classes" if variables else "nothing", _SAVE)
    return found


def _unpacked(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    for kind, body in _elements(data, order):
        if kind == _COMPRESSED:
            unpacked = zlib.decompressobj().decompress(body, _LARGEST)
            yield from _elements(unpacked, order)
        else:
            yield kind, body


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """(type, bytes) of each element; those of up to four bytes are packed into their tag."""
    at = 0
    while at + 8 <= len(data):
        kind, count = struct.unpack_from(f"{order}2I", data, at)
        if kind >> 16:
            kind, count, begin = kind & 0xFFFF, kind >> 16, at + 4
            end = at + 8
        else:
            begin = at + 8
            end = begin + count + (0 if kind == _COMPRESSED else -count % 8)
        if begin + count > len(data) or (end == at + 8 and count > 4):
            raise _Broken("it was cut off")
        yield kind, data[begin : begin + count]
        at = end


def _matrix(body: bytes, order: str, depth: int = 0) -> tuple[str, Any]:
    """Name and value of an array; the value is None if it is of a kind that is left out."""
    parts = _elements(body, order)
    if depth > _DEEPEST:
        raise _Broken("structs within structs")
    flags = _array(next(parts, None), order)
    if not flags.size:
        return "", []
    kind = int(flags[0]) & 0xFF
    if kind not in (_CELL, _STRUCT, _TEXT, *_NUMERIC):
        return "", None
    shape = [int(side) for side in _array(next(parts, None), order)]
    name = _text(next(parts, None), order)
    count = math.prod(shape)
    if any(side < 0 for side in shape) or count > _LARGEST:
        raise _Broken(f"an array of {shape}")
    if kind == _CELL:
        return name, [_inner(parts, order, depth) for _ in range(_within(count, body))]
    if kind == _STRUCT:
        return name, _structs(parts, order, _within(count, body), depth)
    if kind == _TEXT:
        return name, _text(next(parts, None), order)
    numbers = _array(next(parts, None), order)
    if numbers.size != count:
        raise _Broken(f"{numbers.size} numbers in place of {count}")
    return name, np.squeeze(numbers.reshape(shape, order="F")).tolist()


def _structs(parts: Iterator[tuple[int, bytes]], order: str, count: int, depth: int) -> Any:
    length = _array(next(parts, None), order)
    names = next(parts, (0, b""))[1]
    width = int(length[0]) if length.size else 0
    if width < 1 and names:
        raise _Broken("fields without names")
    fields = [names[k : k + width].split(b"\0")[0].decode("latin-1") for k in range(0, len(names), max(width, 1))]
    found = [{field: _inner(parts, order, depth) for field in fields} for _ in range(count)]
    kept = [{field: value for field, value in one.items() if value is not None} for one in found]
    return kept[0] if len(kept) == 1 else kept


def _within(count: int, body: bytes) -> int:
    """The number of arrays within another, each of which takes 8 bytes at least."""
    if 8 * count > len(body):
        raise _Broken("it was cut off")
    return count


def _inner(parts: Iterator[tuple[int, bytes]], order: str, depth: int) -> Any:
    kind, body = next(parts, (0, b""))
    if kind != _MATRIX:
        raise _Broken("it was cut off")
    return _matrix(body, order, depth + 1)[1]


def _array(element: tuple[int, bytes] | None, order: str) -> np.ndarray[Any, np.dtype[Any]]:
    """The numbers of an element; none where it is missing."""
    if element is None:
        return np.empty(0)
    kind, body = element
    if kind not in _NUMBERS:
        raise _Broken(f"an element of type {kind}")
    return np.frombuffer(body, order + _NUMBERS[kind])


def _text(element: tuple[int, bytes] | None, order: str) -> str:
    if element is None:
        return ""
    kind, body = element
    end = "le" if order == "<" else "be"
    return body.decode({4: f"utf-16-{end}", 17: f"utf-16-{end}", 18: f"utf-32-{end}"}.get(kind, "utf-8"))
