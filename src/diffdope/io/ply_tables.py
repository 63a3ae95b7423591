"""The elements of a PLY file as tables of columns, in text and in both orders of bytes.

Turk, The PLY Polygon File Format, 1994.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_choice, expected, refused
from diffdope.io.numbers import numbers_in

Int = NDArray[np.intp]

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "int64": "i8", "uint64": "u8",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_END = re.compile(rb"end_header[ \t]*(\r\n|\n|\r|$)")
_CURE = "the file is damaged; write it again"


class Lists(NamedTuple):
    """A column of lists: all values one after the other, and how many each row has."""

    values: NDArray[Any]
    sizes: Int


Column = NDArray[Any] | Lists
Table = dict[str, Column]


class _Property(NamedTuple):
    name: str
    kind: str
    count_kind: str  # empty unless it is a list


@dataclass
class _Element:
    name: str
    rows: int
    properties: list[_Property] = field(default_factory=list)


@dataclass
class Header:
    """What a PLY file says before its data.

    Attributes:
        name: the argument to blame.
        end: where the data begin.
        order: of the bytes, "<" or ">"; empty where the data are text.
        elements: by name, in their order.
        textures: the names in comments `TextureFile`.
        info: the first word of each line `obj_info` after its name.
    """

    name: str
    end: int
    order: str = ""
    elements: dict[str, _Element] = field(default_factory=dict)
    textures: list[str] = field(default_factory=list)
    info: dict[str, str] = field(default_factory=dict)


def read_header(name: str, data: bytes) -> Header:
    """What a PLY file says before its data.

    Args:
        name: the argument to blame.
        data: of the whole file.

    Raises:
        DiffDopeError: if it is not PLY's.
    """
    end = _END.search(data)
    if not data.startswith(b"ply") or end is None:
        raise expected(name, "a header from 'ply' to 'end_header'", repr(data[:20]) if data else "an empty file", _CURE)
    header = Header(name, end.end())
    element: _Element | None = None
    for line in data[: end.start()].decode("utf-8", "replace").splitlines():
        words = line.split()
        match words:
            case ["format", order, *_]:
                check_choice(name, order, _ORDERS)
                header.order = _ORDERS[order]
            case ["comment" | "obj_info", kind, *_] if kind.lower() == "texturefile":
                header.textures.append(line.split(None, 2)[2].strip() if len(words) > 2 else "")
            case ["obj_info", key, value, *_]:
                header.info[key] = value
            case ["element", kind, rows]:
                element = header.elements[kind] = _Element(kind, _count(name, rows))
            case ["property", "list", count, kind, label] if element is not None:
                element.properties.append(_Property(label.lower(), _type(name, kind), _type(name, count)))
            case ["property", kind, label] if element is not None:
                element.properties.append(_Property(label.lower(), _type(name, kind), ""))
    return header


def read_tables(data: bytes, header: Header, *, as_written: bool = False) -> dict[str, Table]:
    """The columns of each element.

    Args:
        data: of the whole file.
        header: of it.
        as_written: whether numbers in text are float64, with all their digits, and not of the types that it names.

    Raises:
        DiffDopeError: if the data end early.
    """
    body = _Binary(data, header) if header.order else _Text(data, header, as_written)
    return {element.name: _table(body, element) for element in header.elements.values()}


def _type(name: str, word: str) -> str:
    if word not in _TYPES:
        raise expected(name, f"a type of PLY ({', '.join(_TYPES)})", repr(word), _CURE)
    return _TYPES[word]


def _count(name: str, word: str) -> int:
    if not word.isdecimal():
        raise expected(name, "how many rows each element has", repr(word), _CURE)
    return int(word)


class _Text:
    """Data in text: a row's numbers are cells of one array."""

    def __init__(self, data: bytes, header: Header, as_written: bool) -> None:
        self.name = header.name
        self.cells = numbers_in(header.name, data[header.end :])
        self.as_written = as_written
        self.at = 0

    def width(self, kind: str) -> int:
        return 1

    def count_at(self, place: int, kind: str) -> int:
        return int(self.cells[place])

    def values(self, starts: Int, count: int, kind: str) -> NDArray[Any]:
        """`count` numbers from each of the places on (R, count)."""
        cells: NDArray[Any] = self.cells[starts[:, None] + np.arange(count)]
        return cells if self.as_written else cells.astype(kind)

    @property
    def end(self) -> int:
        return len(self.cells)


class _Binary:
    """Data in bytes."""

    def __init__(self, data: bytes, header: Header) -> None:
        self.name = header.name
        self.bytes = np.frombuffer(data, np.uint8)
        self.data = data
        self.order = header.order
        self.at = header.end

    def width(self, kind: str) -> int:
        return int(kind[1])

    def count_at(self, place: int, kind: str) -> int:
        return int(struct.unpack_from(self.order + np.dtype(kind).char, self.data, place)[0])

    def values(self, starts: Int, count: int, kind: str) -> NDArray[Any]:
        size = count * self.width(kind)
        step = int(starts[1] - starts[0]) if len(starts) > 1 else size
        if len(starts) and (len(starts) == 1 or (np.diff(starts) == step).all()) and step >= size:
            # The usual case, rows of one length, without an index for each byte.
            rows = np.lib.stride_tricks.as_strided(self.bytes[starts[0] :], (len(starts), size), (step, 1))
        else:
            rows = self.bytes[starts[:, None] + np.arange(size)]
        values: NDArray[Any] = np.ascontiguousarray(rows).view(self.order + kind).astype(kind, copy=False)
        return values

    @property
    def end(self) -> int:
        return len(self.data)


def _table(body: _Text | _Binary, element: _Element) -> Table:
    if not element.properties or element.rows == 0:
        return {}
    places, counts = _same_rows(body, element) or _each_row(body, element)
    table: Table = {}
    for k, prop in enumerate(element.properties):
        if prop.count_kind:
            table[prop.name] = _lists(body, places[k], counts[k], prop.kind)
        else:
            table[prop.name] = body.values(places[k], 1, prop.kind)[:, 0]
    return table


def _lists(body: _Text | _Binary, places: Int, counts: Int, kind: str) -> Lists:
    if len(counts) and (counts == counts[0]).all():
        return Lists(body.values(places, int(counts[0]), kind).ravel(), counts)
    first = np.cumsum(counts) - counts
    values = np.empty(int(counts.sum()), kind)
    for count in np.unique(counts).tolist():
        rows = np.flatnonzero(counts == count)
        values[first[rows][:, None] + np.arange(count)] = body.values(places[rows], count, kind)
    return Lists(values, counts)


def _too_short(body: _Text | _Binary, element: _Element) -> DiffDopeError:
    text = f"the file ends before all {element.rows} rows of {element.name}: it was cut off; write it again"
    return refused(body.name, text)


def _same_rows(body: _Text | _Binary, element: _Element) -> tuple[list[Int], list[Int]] | None:
    """Where each property's values begin in each row, if all rows are like the first; else None."""
    place, offsets, sizes = body.at, [], []
    for prop in element.properties:
        if prop.count_kind:
            if place + body.width(prop.count_kind) > body.end:
                raise _too_short(body, element)
            sizes.append(body.count_at(place, prop.count_kind))
            place += body.width(prop.count_kind)
        else:
            sizes.append(1)
        offsets.append(place - body.at)
        place += max(sizes[-1], 0) * body.width(prop.kind)
    stride, lists = place - body.at, any(prop.count_kind for prop in element.properties)
    if body.at + stride * element.rows > body.end:
        if lists:
            return None
        raise _too_short(body, element)
    rows = body.at + stride * np.arange(element.rows)
    for prop, offset, size in zip(element.properties, offsets, sizes, strict=True):
        if prop.count_kind:
            counted = body.values(rows + offset - body.width(prop.count_kind), 1, prop.count_kind)
            if size < 0 or not (counted == size).all():
                return None
    body.at = place - stride + stride * element.rows
    return [rows + offset for offset in offsets], [np.full(element.rows, size) for size in sizes]


def _each_row(body: _Text | _Binary, element: _Element) -> tuple[list[Int], list[Int]]:
    """Where each property's values begin in each row, and how many there are, found row by row."""
    if element.rows > body.end - body.at:
        raise _too_short(body, element)
    steps = [(prop.count_kind, prop.count_kind and body.width(prop.count_kind), body.width(prop.kind))
             for prop in element.properties]  # fmt: skip
    place, places, counts = body.at, [], []
    for _ in range(element.rows):
        for count_kind, before, width in steps:
            count = 1
            if count_kind:
                if place >= body.end:
                    raise _too_short(body, element)
                count = body.count_at(place, count_kind)
                if count < 0:
                    raise expected(body.name, "lists of at least no values", count, _CURE)
                place += int(before)
            places.append(place)
            counts.append(count)
            place += count * width
    if place > body.end:
        raise _too_short(body, element)
    body.at = place
    shape = (element.rows, len(steps))
    return list(np.array(places).reshape(shape).T), list(np.array(counts).reshape(shape).T)
