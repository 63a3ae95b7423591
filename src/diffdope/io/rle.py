"""COCO's run lengths: the mask column by column, as counts of zeros, ones, zeros, ...; plain or as a string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected

_LARGEST = 1 << 28  # pixels: no camera has as many
_WIDEST = 60  # bits of a run


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
