"""The photometric term: rendered against photographed colours, in the light that fits them best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_above_zero, check_at_least_zero
from diffdope.terms.base import LEAST_PIXELS, Comparison, ImageTerm, median
from diffdope.terms.photometric_gain import PhotometricGain, colors_at, lines_through

F64 = NDArray[np.float64]

_WHOLE = 0.99  # coverage: the background is not mixed in
_TILE = 0.15  # of the side of a square as large as what is seen of the object
_PLAIN = 1e-3  # standard deviation of rendered colours below which they have no pattern


@dataclass(frozen=True, kw_only=True)
class PhotometricSettings:
    """Of the photometric term."""

    rgb_weight: float = 0.7
    rgb_cap: float = 0.5
    """Residual of a colour in [0, 1] above which the loss does not grow."""
    rgb_cap_unmasked: float = 0.3
    """The same without a mask: larger residuals are other things, not errors. The lesser of the two counts."""

    def check_photometric(self) -> None:
        """Refuses numbers that make no cost."""
        check_at_least_zero(self, "rgb_weight")
        check_above_zero(self, "rgb_cap", "rgb_cap_unmasked")


@dataclass(frozen=True, kw_only=True)
class PhotometricNoise:
    """What is known about errors of colours."""

    least_rgb: float = 0.002
    """Least standard deviation of a colour: half a step of eight bits."""

    def check_photometric(self) -> None:
        """Refuses numbers that are no deviations."""
        check_above_zero(self, "least_rgb")


@final
class Photometric(ImageTerm):
    """See the module."""

    name = "rgb"
    image = "rgb"
    needs_color = True

    def least_deviation(self, noise: Any) -> float:
        """Of a colour in [0, 1]."""
        return float(noise.least_rgb)

    def assess(self, seen: Comparison) -> dict[str, float | None]:
        """Robust correlation of colours, and how much there is to correlate."""
        return appearance(seen)[0]


def appearance(seen: Comparison) -> tuple[dict[str, float | None], PhotometricGain | None]:
    """Texture: 1 - (what is left after the gain was fitted) / (what there was), over the channels; and that gain.

    The gain is None where the colours say nothing about it.
    """
    if "appearance" not in seen.memo:
        seen.memo["appearance"] = _appearance(seen)
    found: tuple[dict[str, float | None], PhotometricGain | None] = seen.memo["appearance"]
    return found


def _appearance(seen: Comparison) -> tuple[dict[str, float | None], PhotometricGain | None]:
    pixels, observed = np.flatnonzero(seen.own), seen.crop.rgb
    if observed is None or len(pixels) < LEAST_PIXELS:
        return {}, None
    model, photo = colors_at(seen.rendering.rgb, pixels), colors_at(observed, pixels)
    contrast = float(model.std(axis=1).mean())
    if contrast < _PLAIN:
        return {"contrast": contrast}, None
    gain, left, there = lines_through(model, photo, np.ascontiguousarray(median(photo), np.float64))
    return {"texture": float(1.0 - left / max(there, 1e-9)), "contrast": contrast}, gain


def local_correlation(seen: Comparison) -> float | None:
    """Correlation of rendered and observed colours within tiles of a seventh of the object: shading does not change it.

    On something round, shading outweighs what is painted on it. None where there are no colours or hardly a pixel.
    """
    pixels = np.flatnonzero(seen.own & (seen.rendering.coverage > _WHOLE))
    if seen.crop.rgb is None or len(pixels) < LEAST_PIXELS:
        return None
    both, width = (seen.rendering.rgb, seen.crop.rgb), seen.own.shape[1]
    model, photo = (within_tiles(colors_at(image, pixels), pixels, width) for image in both)
    size = float((model**2).sum() * (photo**2).sum())
    return float((model * photo).sum() / np.sqrt(size)) if size > 1e-9 else None


def within_tiles(colours: F64, pixels: NDArray[np.intp], width: int) -> F64:
    """Colours (3, N) without the mean of each tile of a seventh of the object.

    Args:
        colours: of pixels of the object.
        pixels: (N,) their flat indices.
        width: of the image, pixels.
    """
    side = max(2, round(_TILE * float(np.sqrt(len(pixels)))))
    tile = pixels // width // side * (width // side + 1) + pixels % width // side
    count = np.maximum(np.bincount(tile), 1)
    return np.stack([channel - (np.bincount(tile, channel) / count)[tile] for channel in colours])
