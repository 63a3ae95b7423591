"""LZF (Lehmann's liblzf), by which PCL compresses points."""

from __future__ import annotations

_LITERAL = 32  # below it, a byte says how many bytes follow as they are
_LONG = 7  # a length that goes on in the next byte
_LEAST = 2  # bytes that a reference adds to its length


def decompress_lzf(data: bytes, size: int) -> bytes | None:
    """The bytes that were compressed; None if the data are damaged.

    Args:
        data: compressed.
        size: of what comes out.
    """
    out, at = bytearray(), 0
    while at < len(data) and len(out) <= size:
        control = data[at]
        at += 1
        if control < _LITERAL:
            out += data[at : at + control + 1]
            at += control + 1
            continue
        length = control >> 5
        if length == _LONG:
            length += data[at] if at < len(data) else 0
            at += 1
        if at >= len(data):
            return None
        start = len(out) - ((control & 0x1F) << 8) - data[at] - 1
        at += 1
        length += _LEAST
        if start < 0:
            return None
        while length > 0:  # what is referred to may reach into what is written just now
            part = out[start : start + length]
            out += part
            length, start = length - len(part), start + len(part)
    return bytes(out) if len(out) == size and at == len(data) else None
