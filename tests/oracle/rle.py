"""Masks as COCO's run lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def encode_rle(mask: NDArray[Any]) -> dict[str, Any]:
    """Plain run lengths {"size": [H, W], "counts": [...]} of a mask (H, W)."""
    flat = np.asarray(mask, dtype=bool).T.ravel()
    borders = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], borders, [len(flat)]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}
