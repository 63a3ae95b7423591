"""STL: triangles with corners of their own, in bytes or in text."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, refused
from diffdope.io.numbers import numbers_in
from diffdope.scene.parts import Part
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.topology import weld

F64 = NDArray[np.float64]
U16 = NDArray[np.uint16]

_HEAD = 84  # 80 bytes of title, and the number of triangles
_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_stl(source: MeshSource) -> list[Part]:
    """The one piece of an STL file, with equal corners welded, and with the colours of its triangles.

    STL has no colours, but two customs keep 5 bits a channel in a triangle's two spare bytes: VisCAM's, where bit
    15 says that there is a colour, and Magics', where the title has `COLOR=` and bit 15 says that there is none.

    Raises:
        DiffDopeError: if the file ends early, or is no STL.
    """
    data = source.path.read_bytes()
    count = int.from_bytes(data[80:_HEAD], "little")
    size = _HEAD + count * _TRIANGLE.itemsize
    # Some binary files begin with `solid`, so the length decides.
    if len(data) >= _HEAD and (len(data) == size or not _is_text(data)):
        if len(data) < size:
            raise refused("mesh", f"the file ends before all {count} triangles: it was cut off; export it again")
        triangles = np.frombuffer(data, _TRIANGLE, count, _HEAD)
        corners = triangles["corners"].astype(np.float64).reshape(-1, 3)
        colors = _colors(data[:80], triangles["attribute"], source)
    else:
        corners, colors = _corners_in_text(data), None
    if len(corners) == 0:
        return []
    if colors is not None:
        return [Part(corners, np.arange(len(corners)).reshape(-1, 3), colors=np.repeat(colors, 3, axis=0))]
    welded = weld(corners)
    first = np.empty(welded.max() + 1, np.intp)
    first[welded[::-1]] = np.arange(len(welded))[::-1]
    return [Part(corners[first], welded.reshape(-1, 3))]


def _is_text(data: bytes) -> bool:
    start = data[:1000].lstrip().lower()
    return start.startswith(b"solid") and (b"facet" in start or b"endsolid" in start)


def _corners_in_text(data: bytes) -> F64:
    if not data.lstrip().lower().startswith(b"solid"):
        raise expected("mesh", "an STL file", "neither its bytes nor its text", "the file is damaged")
    # The word `vertex` followed by three numbers; names of solids may hold it too.
    found = re.findall(rb"^\s*vertex\s+(\S+\s+\S+\s+\S+)\s*$", data.replace(b"\r", b"\n"), re.IGNORECASE | re.MULTILINE)
    corners = numbers_in("mesh", b"\n".join(found)).reshape(-1, 3)
    if b"endsolid" not in data.lower():
        raise refused("mesh", "the file ends before its last line, endsolid: it was cut off; export it again")
    if len(corners) % 3:
        raise refused("mesh", "expected three corners for each triangle; the file is damaged")
    return corners


def _colors(title: bytes, attribute: U16, source: MeshSource) -> F64 | None:
    """Colours (F, 3) of the triangles, if all have one."""
    flag = attribute >> 15 == 1
    five = np.stack([attribute >> shift & 31 for shift in (10, 5, 0)], axis=1) / 31.0
    at = title.find(b"COLOR=")
    if at >= 0:
        whole = np.frombuffer(title[at + 6 : at + 9].ljust(3, b"\0"), np.uint8) / 255.0
        colors: F64 = np.where(flag[:, None], whole, five[:, ::-1])
        return colors
    if flag.all():
        return five
    if flag.any():
        source.note("only some triangles have a colour; none is taken")
    return None
