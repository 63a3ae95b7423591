"""PNGs that came over the net are decoded as Pillow does, and what is not sure is left to Pillow."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.io.images import read_image
from diffdope.io.memory_file import MemoryFile
from diffdope.io.png import decode_png

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def filtered(rows: np.ndarray, pixel: int, kinds: list[int]) -> bytes:
    """Rows (H, B) of bytes, each with its filter, as the standard has it."""
    stored, above = [], np.zeros(rows.shape[1], np.int64)
    for row, kind in zip(rows.astype(np.int64), kinds, strict=True):
        left = np.concatenate([np.zeros(pixel, np.int64), row[:-pixel]])
        corner = np.concatenate([np.zeros(pixel, np.int64), above[:-pixel]])
        guess = left + above - corner
        away = np.abs([guess - left, guess - above, guess - corner])
        paeth = np.choose(np.argmin(away, axis=0), [left, above, corner])
        taken = [0, left, above, (left + above) // 2, paeth][kind]
        stored.append(bytes([kind]) + ((row - taken) % 256).astype(np.uint8).tobytes())
        above = row
    return b"".join(stored)


def png(array: np.ndarray, kinds: list[int], *between: bytes, parts: int = 1) -> bytes:
    bits, color = 8 * array.dtype.itemsize, 2 if array.ndim == 3 else 0
    pixel = array.dtype.itemsize * (3 if array.ndim == 3 else 1)
    rows = np.frombuffer(array.astype(array.dtype.newbyteorder(">")).tobytes(), np.uint8).reshape(len(array), -1)
    packed = zlib.compress(filtered(rows, pixel, kinds))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", array.shape[1], array.shape[0], bits, color, 0, 0, 0))
    size = -(-len(packed) // parts)
    data = [chunk(b"IDAT", packed[k : k + size]) for k in range(0, len(packed), size)]
    return b"".join([SIGNATURE, head, *between, *data, chunk(b"IEND", b"")])


def pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


SHAPES: list[tuple[tuple[int, ...], Any]] = [
    ((7, 5), np.uint8), ((7, 5, 3), np.uint8), ((7, 5), np.uint16), ((1, 1, 3), np.uint8), ((5, 1), np.uint16),
    ((40, 33, 3), np.uint8),
]  # fmt: skip


@pytest.fixture(params=["isal", "zlib"])
def inflating(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "isal":
        pytest.importorskip("isal", reason="isal inflates faster; it is not installed")
    else:
        monkeypatch.setattr("diffdope.io.png.find_spec", lambda name: None)


@pytest.mark.usefixtures("inflating")
@pytest.mark.parametrize(("shape", "kind"), SHAPES)
def test_every_filter(shape: tuple[int, ...], kind: Any, rng: np.random.Generator) -> None:
    array = rng.integers(0, np.iinfo(kind).max, shape, endpoint=True).astype(kind)
    smooth = np.cumsum(array % 3, axis=0).astype(kind)  # rows that are alike: Paeth chooses each of the three
    for picture in (array, smooth):
        for kinds in ([k] * len(array) for k in range(5)):
            data = png(picture, kinds)
            assert np.array_equal(pillow(data), picture)  # the encoder of this test is right
            decoded = decode_png(data)
            assert decoded is not None and decoded.dtype == kind and np.array_equal(decoded, picture), kinds[0]
        mixed = png(picture, rng.integers(0, 5, len(array)).tolist(), chunk(b"gAMA", bytes(4)), parts=3)
        assert np.array_equal(decode_png(mixed), picture)  # type: ignore[arg-type]


@pytest.mark.usefixtures("inflating")
def test_what_is_not_such_a_picture_is_left_to_pillow(rng: np.random.Generator) -> None:
    array = rng.integers(0, 255, (9, 8, 3)).astype(np.uint8)
    whole = png(array, [4] * 9)
    assert decode_png(whole) is not None
    for end in range(len(whole)):
        assert decode_png(whole[:end]) is None
    for place in range(8, len(whole)):  # a checksum finds every changed byte
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x41
        assert decode_png(bytes(spoilt)) is None, place
    assert decode_png(png(array, [0] * 9, chunk(b"tRNS", bytes(6)))) is None
    assert decode_png(png(array, [0] * 9, chunk(b"acTL", bytes(8)))) is None
    for mode in ("RGBA", "LA", "P", "1"):
        file = io.BytesIO()
        Image.fromarray(array).convert(mode).save(file, "PNG")
        assert decode_png(file.getvalue()) is None, mode
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG")
    assert decode_png(file.getvalue()) is None


def head_of(width: int, height: int) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


@pytest.mark.usefixtures("inflating")
def test_sizes_that_lie() -> None:
    """More or less than the head says, none at all, and a filter that there is not."""
    for rows in (b"\0" + bytes(3), (b"\0" + bytes(4)) * 3, (b"\0" + bytes(4)) * 100_000, b"\5" + bytes(4) + b"\0" * 5):
        data = head_of(4, 2) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        assert decode_png(data) is None
    for head in (head_of(0, 2), head_of(4, 0), head_of(2**31, 2**31)):
        assert decode_png(head + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")) is None


def test_a_file_in_memory_is_read_as_the_same_on_the_disk(tmp_path: Any, rng: np.random.Generator) -> None:
    for array in (rng.integers(0, 255, (9, 8, 3)).astype(np.uint8), rng.integers(0, 65535, (9, 8)).astype(np.uint16)):
        for ending in ("png", "jpg") if array.ndim == 3 else ("png",):
            path = tmp_path / f"a.{ending}"
            Image.fromarray(array).save(path)
            read = read_image("rgb", MemoryFile("rgb", path.read_bytes()))
            assert np.array_equal(read, read_image("rgb", path))
    assert "diffdope.io.png_kernel" in sys.modules
