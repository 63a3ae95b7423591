"""The PNGs that cameras write, grey or RGB of 8 bits and grey of 16, in a third to two thirds of Pillow's time.

A service decodes pictures all the time: of the computing beside a refinement it was more than half. With isal
(`diffdope[service]`) inflating takes a quarter of zlib's time. All other PNGs, and all that are broken, are left to
Pillow. Commands that read a picture or two leave all of them to it: loading the kernel would take longer.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3}  # of PNG's colour types: grey, RGB
_KNOWN = {(8, 0), (8, 2), (16, 0)}  # bits, colour type
_CHANGING = (b"tRNS", b"PLTE", b"acTL")  # what follows is not the picture as it is
_MOST = 2**28  # pixels; Pillow refuses less than that


def decode_png(data: bytes) -> NDArray[Any] | None:
    """The picture, (H, W) uint8 or uint16 or (H, W, 3) uint8, as Pillow gives it; None for what is left to Pillow.

    Args:
        data: of a file.
    """
    parts, packed = _parts(data), []
    head = next(parts, None)
    if head is None or head[0] != b"IHDR" or len(head[1]) != 13:
        return None
    width, height, bits, color, method, filters, interlaced = struct.unpack(">IIBBBBB", head[1])
    if (bits, color) not in _KNOWN or (method, filters, interlaced) != (0, 0, 0) or not 0 < width * height <= _MOST:
        return None
    for name, content in parts:
        if name in _CHANGING:
            return None
        if name == b"IDAT":
            packed.append(content)
        elif name == b"IEND":
            return _picture(b"".join(packed), width, height, _CHANNELS[color], bits // 8)
    return None


def _parts(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of each chunk, up to the first that is broken."""
    if not data.startswith(_SIGNATURE):
        return
    place, whole = len(_SIGNATURE), memoryview(data)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        end = place + 8 + length
        if end + 4 > len(data) or zlib.crc32(whole[place + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            return
        yield data[place + 4 : place + 8], whole[place + 8 : end]
        place = end + 4


def _picture(packed: bytes, width: int, height: int, channels: int, size: int) -> NDArray[Any] | None:
    from diffdope.io.png_kernel import unfilter

    row = width * channels * size
    stored = _inflated(packed, height * (1 + row))
    if stored is None:
        return None
    out = np.empty((height, row), np.uint8)
    nothing = np.zeros(row, np.uint8)
    if unfilter(np.frombuffer(stored, np.uint8), channels * size, nothing, out) != height:
        return None
    if size == 2:
        return out.view(">u2").astype(np.uint16)
    return out.reshape((height, width, 3) if channels == 3 else (height, width))


def _inflated(packed: bytes, size: int) -> bytes | None:
    """As many bytes as the picture has, and no more, whatever a stranger has packed."""
    inflate: Any = import_module("isal.isal_zlib" if find_spec("isal") is not None else "zlib")
    unpacking = inflate.decompressobj()
    try:
        stored: bytes = unpacking.decompress(packed, size + 1)
    except (ValueError, OSError, zlib.error, inflate.error):
        return None
    return stored if len(stored) == size and unpacking.eof else None
