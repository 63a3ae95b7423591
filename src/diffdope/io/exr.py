"""OpenEXR files as renderers write depth: scan lines, without compression or with RLE or ZIP.

The layout is that of the specification 'OpenEXR File Layout', openexr.com. Tiles, several parts and the wavelet and DCT
compressions are read where the package OpenEXR is installed (extra `exr`), else refused by name.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected
from diffdope.io.files import bytes_of

_MAGIC = 20000630
_COMPRESSIONS = ("NONE", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")
_LINES = {"NONE": 1, "RLE": 1, "ZIPS": 1, "ZIP": 16}
_KINDS = (np.dtype("<u4"), np.dtype("<f2"), np.dtype("<f4"))
_MOST_PIXELS = 2**28  # of a picture: a damaged header may promise any number
_TILES_OR_PARTS, _PARTS = 0x1A00, 0x1000  # bits of the version


@dataclass(frozen=True)
class ExrHeader:
    """What the file says of itself.

    Attributes:
        channels: (name, number type) in the order of the file.
        compression: by its name.
        size: (height, width) of the data window.
        top: row of its first line.
        start: of the line offset table, bytes.
    """

    channels: tuple[tuple[str, np.dtype[Any]], ...]
    compression: str
    size: tuple[int, int]
    top: int
    start: int


def read_exr(name: str, path: Path) -> NDArray[Any]:
    """The depth channel (H, W): Z, or the only channel, or the first of three that are equal.

    It is that of the whole picture (`displayWindow`), 0 where the file has no pixels: programs for compositing leave
    out the border that is empty, and renderers may draw beyond the picture.

    Args:
        name: the argument to blame.
        path: the file.

    Raises:
        DiffDopeError: if the file is none, is packed in a way that is not read, or has no channel that is depth.
    """
    try:
        data = bytes_of(path, name)
        other = _other_packing(data)
        if other:
            return _depth_of(_by_openexr(other, data, name, path), name, path)
        depth = _depth_of(_channels(data, _header(data, path, name), name, path), name, path)
        return _whole_picture(depth, *_windows(data))
    except DiffDopeError:
        raise
    except (struct.error, ValueError, IndexError, zlib.error, OverflowError, UnicodeDecodeError) as error:
        raise expected(name, f"an EXR image in {path}", str(error)) from error


def _header(data: bytes, path: Path, name: str) -> ExrHeader:
    if struct.unpack_from("<I", data)[0] != _MAGIC:
        raise expected(name, f"an EXR image in {path}", "another kind of file")
    values, at = _attributes(data)
    if not {"channels", "compression", "dataWindow"} <= set(values):
        raise ValueError("channels, compression or dataWindow is missing")
    compression = _COMPRESSIONS[values["compression"][0]]
    left, top, right, bottom = struct.unpack("<4i", values["dataWindow"])
    height, width = bottom - top + 1, right - left + 1
    if not (height > 0 and width > 0 and height * width <= _MOST_PIXELS):
        raise ValueError(f"a picture of {width} x {height}")
    return ExrHeader(_channel_list(values["channels"]), compression, (height, width), top, at + 1)


def _windows(data: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First column and row, last column and row, of the pixels and of the picture."""
    values, _ = _attributes(data)
    pixels = values["dataWindow"]
    return struct.unpack("<4i", pixels), struct.unpack("<4i", values.get("displayWindow", pixels))


def _whole_picture(image: NDArray[Any], pixels: tuple[int, ...], shown: tuple[int, ...]) -> NDArray[Any]:
    """The pixels of the data window (h, w) in the picture that is to be shown."""
    if pixels == shown:
        return image
    left, top, _, _ = pixels
    first, above, last, below = shown
    height, width = below - above + 1, last - first + 1
    if not (height > 0 and width > 0 and height * width <= _MOST_PIXELS):
        raise ValueError(f"a picture of {width} x {height}")
    whole = np.zeros((height, width), image.dtype)
    rows, columns = (np.arange(n) + start for n, start in zip(image.shape, (top - above, left - first), strict=True))
    in_rows, in_columns = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    whole[np.ix_(rows[in_rows], columns[in_columns])] = image[np.ix_(in_rows, in_columns)]
    return whole


def _attributes(data: bytes, at: int = 8) -> tuple[dict[str, bytes], int]:
    """What stands in the head of a part, the first unless it is told where, and where it ends."""
    values = {}
    while data[at]:
        key, at = _text(data, at)
        _, at = _text(data, at)
        (size,) = struct.unpack_from("<I", data, at)
        values[key] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return values, at


def _number_of_parts(data: bytes) -> int:
    if not struct.unpack_from("<I", data, 4)[0] & _PARTS:
        return 1
    at, number = 8, 0
    while data[at]:  # heads follow one another, and an empty one is the last
        at = _attributes(data, at)[1] + 1
        number += 1
    return number


def _other_packing(data: bytes) -> str:
    """How the pixels are packed, if in a way that is not read here; empty if it is, or nothing is."""
    magic, version = struct.unpack_from("<II", data)
    if magic != _MAGIC:
        return ""
    if version & _TILES_OR_PARTS:
        return "tiles or several parts"
    compression = _attributes(data)[0].get("compression", b"\0")[0]
    name = _COMPRESSIONS[compression] if compression < len(_COMPRESSIONS) else f"compression {compression}"
    return "" if name in _LINES else name


def _by_openexr(packing: str, data: bytes, name: str, path: Path) -> dict[str, NDArray[Any]]:
    """The channels of all parts in the whole picture, read by the package of the format's makers.

    Blender 5 writes a part for each pass, the colours first, so that depth is in none but a later one.
    """
    try:
        import OpenEXR
    except ImportError as error:
        wanted = f"an EXR of scan lines with ZIP, RLE or no compression in {path}"
        raise expected(name, wanted, packing, 'save it so, or pip install "diffdope[exr]"') from error
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            if len(file.parts) != _number_of_parts(data):  # the package leaves out those that it cannot read
                raise ValueError("pixels are missing")
            found: dict[str, NDArray[Any]] = {}
            for part in file.parts:
                pixels, shown = (
                    tuple(int(x) for x in np.ravel(part.header[key])) for key in ("dataWindow", "displayWindow")
                )
                for key, channel in part.channels.items():
                    found.setdefault(key, _whole_picture(np.array(channel.pixels), pixels, shown))
            return found
    except Exception as error:  # the package has no errors of its own
        raise expected(name, f"an EXR image in {path}", f"a damaged file ({error})") from error


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def _channel_list(data: bytes) -> tuple[tuple[str, np.dtype[Any]], ...]:
    at, found = 0, []
    while data[at]:
        key, at = _text(data, at)
        kind, _, xs, ys = struct.unpack_from("<iIii", data, at)
        if (xs, ys) != (1, 1):
            raise ValueError(f"channel {key} is subsampled")
        found.append((key, _KINDS[kind]))
        at += 16
    return tuple(found)


def _channels(data: bytes, header: ExrHeader, name: str, path: Path) -> dict[str, NDArray[Any]]:
    height, width = header.size
    out = {key: np.zeros(header.size, kind) for key, kind in header.channels}
    lines = _LINES[header.compression]
    line_size = sum(width * kind.itemsize for _, kind in header.channels)
    chunks = -(-height // lines)
    for offset in struct.unpack_from(f"<{chunks}Q", data, header.start):
        row, packed_size = struct.unpack_from("<iI", data, offset)
        row -= header.top
        count = min(lines, height - row)
        packed = data[offset + 8 : offset + 8 + packed_size]
        raw = _unpacked(packed, count * line_size, header.compression)
        if not 0 <= row < height or len(raw) != count * line_size:
            raise expected(name, f"a whole EXR image in {path}", "a file that was cut off")
        at = 0
        for k in range(count):
            for key, kind in header.channels:
                out[key][row + k] = np.frombuffer(raw, kind, width, at)
                at += width * kind.itemsize
    return out


def _unpacked(packed: bytes, size: int, compression: str) -> bytes:
    if compression == "NONE" or len(packed) == size:
        return packed
    if compression == "RLE":
        flat = _run_lengths(packed, size)
    else:
        flat = np.frombuffer(zlib.decompressobj().decompress(packed, size), np.uint8)
    # Each byte is the difference to the one before, and the halves hold the even and the odd bytes.
    differences = flat.astype(np.int64)
    differences[1:] -= 128
    values = (np.cumsum(differences) & 0xFF).astype(np.uint8)
    out = np.empty_like(values)
    half = (len(values) + 1) // 2
    out[0::2], out[1::2] = values[:half], values[half:]
    return out.tobytes()


def _run_lengths(packed: bytes, size: int) -> NDArray[np.uint8]:
    out, at = bytearray(), 0
    while at < len(packed) and len(out) <= size:
        count = packed[at] - 256 if packed[at] > 127 else packed[at]
        if count < 0:
            out += packed[at + 1 : at + 1 - count]
            at += 1 - count
        else:
            out += packed[at + 1 : at + 2] * (count + 1)
            at += 2
    return np.frombuffer(bytes(out), np.uint8)


def _depth_of(channels: dict[str, NDArray[Any]], name: str, path: Path) -> NDArray[Any]:
    plain = [key for key in channels if key == "Z" or key.lower() in ("depth", "depth.z", "depth.v")]
    layers = [key for key in channels if key.endswith((".Depth.Z", ".Depth.V"))]
    # Z beside X is the third number of a normal, a place or a motion: renderers write those beside depth.
    alone = [key for key in channels if key.endswith(".Z") and f"{key[:-1]}X" not in channels]
    for key in (*plain, *layers, *alone):
        return channels[key]
    images = list(channels.values())
    colours = [image for key, image in channels.items() if key.rsplit(".", 1)[-1] in "RGBYVX"]
    if len(images) == 1 or (colours and all(np.array_equal(colours[0], image) for image in colours)):
        return colours[0] if colours else images[0]
    raise expected(name, f"a channel Z in {path}", f"channels {', '.join(channels)}")
