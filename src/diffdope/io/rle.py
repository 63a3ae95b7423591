"""Run lengths: COCO's, the mask column by column, as counts of zeros, ones, zeros, ..., plain or as a string; and those
of Label Studio's brush, a string of bits that packs the four channels of a picture row by row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected

_LARGEST = 1 << 28  # pixels: no camera has as many
_WIDEST = 60  # bits of a run
_BLOCKS = 53  # bits before the first block of a brush
_WORD = 8  # bits of a channel, of which the highest is on from half of full scale on


def decode_rle(segmentation: Any, where: str = "segmentation") -> NDArray[np.bool_]:
    """The mask (H, W) of COCO's {"size": [H, W], "counts": list or compressed string}.

    Raises:
        DiffDopeError: if keys are missing or the runs do not add up to H * W, or are too many.
    """
    if not isinstance(segmentation, dict) or not {"size", "counts"} <= set(segmentation):
        raise expected(where, 'run lengths {"size": [H, W], "counts": ...}', type(segmentation).__name__)
    size, counts = segmentation["size"], segmentation["counts"]
    whole = isinstance(size, Sequence) and all(type(one) is int and one > 0 for one in size)
    if not whole or len(size) != 2 or size[0] * size[1] > _LARGEST:
        raise expected(f"{where}, size", f"[height, width], at most {_LARGEST} pixels", size)
    height, width = size
    try:
        runs = np.array(_decompress(counts) if isinstance(counts, str | bytes) else counts, dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise expected(f"{where}, counts", "numbers, or COCO's compressed string", repr(counts)[:60]) from error
    wanted = f"runs that add up to {height} x {width}"
    if runs.ndim != 1 or (runs < 0).any() or (runs > height * width).any():  # whose sum may be beyond 64 bits
        raise expected(f"{where}, counts", wanted, repr(counts)[:60])
    if runs.sum() != height * width:
        raise expected(f"{where}, counts", wanted, f"{runs.sum()} pixels")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def _decompress(text: str | bytes) -> list[int]:
    """COCO's string: numbers in groups of five bits, lowest first, offset by 48; from the third on, differences to
    the number two before (cocoapi, maskApi.c: rleFrString)."""
    data = text.encode() if isinstance(text, str) else text
    runs: list[int] = []
    position = 0
    while position < len(data):
        number, shift, more = 0, 0, True
        while more and position < len(data):
            group = data[position] - 48
            if not 0 <= group < 64 or shift > _WIDEST:
                raise ValueError("a letter, or a number, that COCO does not write")
            number |= (group & 0x1F) << shift
            more = bool(group & 0x20)
            position, shift = position + 1, shift + 5
            if not more and group & 0x10:
                number -= 1 << shift
        runs.append(number + (runs[-2] if len(runs) > 2 else 0))
    return runs


def decode_brush(packed: Any, size: tuple[int, int], where: str) -> NDArray[np.bool_]:
    """The mask (H, W) of Label Studio's brush: where the picture that it has painted is opaque.

    The bits are, the highest of a byte first: the count of values in 32; the bits of a value less 1 in 5; four widths
    less 1 in 4 each; then blocks until all values are there. A block has a bit that says whether it is one value
    repeated, two that choose a width, the number of its values less 1 in that width, and the one value, or all.

    Args:
        packed: the bytes, as a list of numbers.
        size: (height, width) of the picture.
        where: for errors.

    Raises:
        DiffDopeError: if they are none, end early, or hold another picture than one of four channels of that size.
    """
    height, width = size
    wanted = f"the bytes of Label Studio's brush for {width} x {height} pixels of four channels"
    if height * width > _LARGEST or not isinstance(packed, list) or not all(type(one) is int for one in packed):
        raise expected(where, wanted, repr(packed)[:60])
    if not packed or min(packed) < 0 or max(packed) > 255:
        raise expected(where, wanted, "numbers that are no bytes" if packed else "none")
    bits = np.unpackbits(np.array(packed, np.uint8))
    text = (bits + ord("0")).tobytes().decode()
    count = int(text[:32], 2)
    if len(text) < _BLOCKS or count != 4 * height * width:
        cure = "original_width and original_height are the picture's, image_rotation is 0"
        got = f"{count} values" if len(text) >= _BLOCKS else f"{len(packed)} bytes"
        raise expected(where, wanted, got, cure)
    word, *widths = (int(text[a:b], 2) + 1 for a, b in pairwise((32, 37, 41, 45, 49, 53)))
    if word != _WORD:
        raise expected(where, f"channels of {_WORD} bits", f"{word} bits")
    opaque = np.zeros(height * width, np.bool_)
    done, at = 0, _BLOCKS
    while done < count:
        end = at + 3 + widths[int(text[at + 1 : at + 3] or "0", 2)]
        block = int(text[at + 3 : end] or "0", 2) + 1
        repeated, at = text[at : at + 1] == "1", end + word * (1 if text[at : at + 1] == "1" else block)
        if at > len(text) or done + block > count:
            raise expected(where, wanted, f"{done} of {count} values", "the file was cut off, or is damaged")
        values = bits[end:at].reshape(-1, word)[:, 0]
        # Of the values done, done + 1, ... every fourth is an alpha: the first of them belongs to pixel done // 4.
        first, last = done // 4, (done + block) // 4
        opaque[first:last] = values if repeated else values[(3 - done) % 4 :: 4]
        done += block
    return opaque.reshape(height, width)
