"""Colours as files store them, as [0, 1] sRGB, which is what photographs hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]


def in_unit_range(colors: NDArray[Any]) -> F64:
    """RGB (N, 3) in [0, 1] of stored numbers (N, 3 or more): integers by their type's greatest.

    Numbers of a type that says nothing are taken by what they are: up to 1, up to 255, or up to 65535. So are 16 bits
    that are all below 256: of 65535 they would be black to the eye.
    """
    rgb = colors[:, :3].astype(np.float64)
    if colors.dtype == np.uint16 and 1.0 < rgb.max(initial=0.0) <= 255.0:
        return rgb / 255.0
    if colors.dtype in (np.uint8, np.uint16):
        return rgb / np.iinfo(colors.dtype).max
    rgb = np.nan_to_num(rgb, nan=0.0, posinf=1.0, neginf=0.0)
    greatest = rgb.max(initial=0.0)
    # Some writers overshoot 1 by rounding, or write light brighter than white.
    full = 1.0 if greatest <= 2.0 else 255.0 if greatest <= 255.0 else 65535.0
    return np.clip(rgb / full, 0.0, 1.0)


def srgb_of_linear(linear: NDArray[Any]) -> F64:
    """sRGB in [0, 1] of linear light in [0, 1] (IEC 61966-2-1)."""
    light = np.clip(np.asarray(linear, np.float64), 0.0, 1.0)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def linear_of_srgb(srgb: NDArray[Any]) -> F64:
    """Linear light in [0, 1] of sRGB in [0, 1] (IEC 61966-2-1)."""
    value = np.clip(np.asarray(srgb, np.float64), 0.0, 1.0)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def tinted(texture: U8, factor: F64) -> U8:
    """A texture (H, W, 3) in sRGB, multiplied by a factor (3,) of linear light."""
    levels = linear_of_srgb(np.arange(256) / 255.0)
    table = np.rint(255.0 * srgb_of_linear(levels[:, None] * factor)).astype(np.uint8)
    return np.stack([table[texture[..., k], k] for k in range(3)], axis=-1)


def constant(color: NDArray[Any], count: int) -> F64:
    """One colour (3,) for `count` vertices."""
    return np.tile(np.asarray(color, np.float64)[:3], (count, 1))
