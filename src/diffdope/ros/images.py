"""Images of ROS messages as arrays: sensor_msgs/Image and sensor_msgs/CompressedImage of ROS 1 and 2.

Any object with the message's fields will do: those of rosbags, of rclpy and of rospy have the same names.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.ros.colours import YUV, of_bayer, of_yuv

_REVERSED = frozenset({"bgr8", "bgra8", "bgr16", "bgra16"})
_CHANNELS = {
    "rgb8": (np.uint8, 3), "bgr8": (np.uint8, 3), "rgba8": (np.uint8, 4), "bgra8": (np.uint8, 4),
    "mono8": (np.uint8, 1), "8UC1": (np.uint8, 1),
    "rgb16": (np.uint16, 3), "bgr16": (np.uint16, 3), "rgba16": (np.uint16, 4), "bgra16": (np.uint16, 4),
    "mono16": (np.uint16, 1), "16UC1": (np.uint16, 1), "32FC1": (np.float32, 1), "32SC1": (np.int32, 1),
}  # fmt: skip
_PATTERNS = ("rggb", "bggr", "gbrg", "grbg")
_CHANNELS |= {
    f"bayer_{pattern}{bits}": (kind, 1) for pattern in _PATTERNS for bits, kind in ((8, np.uint8), (16, np.uint16))
}
_CHANNELS |= dict.fromkeys(YUV, (np.uint8, 2))
DEPTHS = frozenset({"16UC1", "32FC1"})
"""Encodings that hold distances: integers are millimetres, floats metres (REP 118)."""
_PNG = b"\x89PNG\r\n\x1a\n"
_HEADER = 12  # bytes before the PNG of compressedDepth: an enumerator and two float32
_CURES = {
    "nv": "record the driver's rgb8 or bgr8, or its compressed topic",
    "8UC": "its order of colours is not said: publish it as rgb8 or bgr8",
    "rvl": "record the topic with compressed_depth's format png, or the raw one",
}


def image_of(message: Any, topic: str = "image") -> NDArray[Any]:
    """The image of a message: (H, W) or (H, W, 3) in RGB order, in its own number type.

    Depth of integers stays in its unit, which is the millimetre; quantised inverse depth becomes float32 metres, NaN
    where it is missing. Alpha is dropped.

    Args:
        message: sensor_msgs/Image or sensor_msgs/CompressedImage.
        topic: to blame.

    Raises:
        DiffDopeError: if the encoding is not understood, or the data do not fit what the message says of them.
    """
    if hasattr(message, "encoding"):
        return _raw(message, topic)
    return _compressed(str(message.format), bytes(memoryview(message.data)), topic)


def encoding_of(message: Any) -> str:
    """What an image message says of its pixels: the encoding, or the compressed image's format."""
    return str(message.encoding if hasattr(message, "encoding") else message.format).strip()


def kind_of(message: Any) -> str:
    """ "rgb", "grey" or "depth", by what a message says of its pixels; "other" for what `image_of` refuses."""
    said = encoding_of(message)
    word = said.split(";")[0].strip()
    if "compressedDepth" in said or word in DEPTHS:
        return "depth"
    if not hasattr(message, "encoding"):
        return "grey" if word.startswith("mono") or word == "8UC1" else "rgb"
    channels = _CHANNELS.get(word)
    if channels is None:
        return "other"
    return "rgb" if channels[1] > 1 or word.startswith("bayer") else "grey"


def _raw(message: Any, topic: str) -> NDArray[Any]:
    known = _CHANNELS.get(message.encoding)
    if known is None:
        raise _not_understood(topic, message.encoding)
    kind, channels = np.dtype(known[0]), known[1]
    kind = kind.newbyteorder(">" if message.is_bigendian else "<")
    height, width, step = int(message.height), int(message.width), int(message.step)
    row = width * channels * kind.itemsize
    data = np.frombuffer(memoryview(message.data), np.uint8)
    if not (height > 0 and width > 0 and step >= row and len(data) >= step * (height - 1) + row):
        got = f"{len(data)} bytes in rows of {step}"
        raise expected(topic, f"{height} rows of {row} bytes ({width} x {height}, {message.encoding})", got)
    if len(data) < step * height:  # the last row may lack its padding
        data = np.concatenate([data, np.zeros(step * height - len(data), np.uint8)])
    rows = np.ascontiguousarray(data[: step * height].reshape(height, step)[:, :row])
    pixels = rows.view(kind).astype(kind.newbyteorder("="), copy=False).reshape(height, width, channels)
    if message.encoding in YUV:
        if width % 2:
            raise expected(topic, f"an even number of columns ({message.encoding})", width)
        return of_yuv(pixels, YUV[message.encoding])
    if message.encoding.startswith("bayer"):
        return of_bayer(pixels[..., 0], message.encoding[6:10], topic)
    if channels == 1:
        return np.asarray(pixels[..., 0])
    colours = pixels[..., :3]
    return np.ascontiguousarray(colours[..., ::-1] if message.encoding in _REVERSED else colours)


def _compressed(said: str, data: bytes, topic: str) -> NDArray[Any]:
    if "compressedDepth" in said:
        return _compressed_depth(said, data, topic)
    return _decoded(data, topic, said)


def _compressed_depth(said: str, data: bytes, topic: str) -> NDArray[Any]:
    """16UC1 as PNG behind a header; of 32FC1, the PNG holds a / depth + b, and the header a and b."""
    if "rvl" in said.lower():
        raise _not_understood(topic, said)
    inverse = said.split(";")[0].strip() == "32FC1"
    start = next((k for k in (_HEADER, 0) if data[k : k + len(_PNG)] == _PNG), None)
    if start is None or (inverse and start == 0):
        raise expected(topic, f"a header of {_HEADER} bytes and a PNG ({said})", f"{len(data)} other bytes")
    stored = _decoded(data[start:], topic, said)
    if not inverse:
        return stored
    _, a, b = struct.unpack("<iff", data[:_HEADER])
    with np.errstate(divide="ignore", invalid="ignore"):
        metres = np.float32(a) / (stored.astype(np.float32) - np.float32(b))
    return np.where((stored > 0) & (metres > 0), metres, np.float32(np.nan))


def _decoded(data: bytes, topic: str, said: str) -> NDArray[Any]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.mode in ("I", "I;16", "I;16B", "L", "RGB"):
                pixels = np.asarray(image)
            else:
                pixels = np.asarray(image.convert("RGB"))
    except Exception as error:  # of damaged bytes Pillow raises whatever their fields lead to
        raise expected(topic, f"a JPEG or PNG ({said})", f"{len(data)} unreadable bytes ({error})") from error
    return pixels.astype(np.uint16) if pixels.dtype.kind in "iu" and pixels.dtype.itemsize > 1 else pixels


def _not_understood(topic: str, encoding: str) -> Exception:
    cure = next((cure for start, cure in _CURES.items() if start.lower() in encoding.lower()), "")
    known = ", ".join(name for name in _CHANNELS if name != "32SC1" and not name.startswith("bayer"))
    return expected(topic, f"one of the encodings {known}, bayer, JPEG, PNG or compressedDepth", repr(encoding), cure)
