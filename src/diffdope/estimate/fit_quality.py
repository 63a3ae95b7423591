"""What speaks for a pose: how well its rendering explains the photograph, in numbers that compare across objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.terms.photometric_gain import Light, colors_at, fit_light
from diffdope.render.renderer import RenderedImages
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_LEAST_PIXELS = 12
_WHOLE = 0.99  # coverage: the background is not mixed in
_TILE = 0.15  # of the side of a square as large as what is seen of the object


class Drawing(NamedTuple):
    """A rendering of one pose: rgb (H, W, 3), depth (H, W) metres, 0 where nothing is, coverage (H, W)."""

    rgb: F32
    depth: F32
    coverage: F32

    @classmethod
    def of(cls, images: RenderedImages) -> Drawing:
        """The first of several."""
        return cls(images.rgb[0], images.depth[0], images.coverage[0])


@dataclass(frozen=True)
class Evidence:
    """Agreement of one rendering with one crop; None where there is nothing to compare.

    Attributes:
        overlap: intersection over union of rendering and mask, leaving out what an occluder hides.
        depth_inliers: share of the object's pixels whose depth is within 3 % of its diameter (and 3 mm) of the measured
            one; pixels without a measurement, and those behind an occluder, are left out.
        depth_error: median absolute deviation of those depths, as a share of the diameter.
        texture: correlation of rendered and observed colours, each channel's light taken out: 1 if the pattern is the
            same, 0 if there is no relation.
        contrast: standard deviation of the rendered colours: texture means little where there is none.
        visible: share of the object's pixels that nothing hides, of those inside the picture.
        outline: share of the outline that lies on edges of the photograph, where there is no mask.
        agreement: share of the last level but one's poses, weighted by their costs, that agree with the result.
    """

    overlap: float | None = None
    depth_inliers: float | None = None
    depth_error: float | None = None
    texture: float | None = None
    contrast: float | None = None
    visible: float = 1.0
    agreement: float | None = None
    outline: float | None = None


def weigh(drawing: Drawing, crop: Observation, care: F32, length_m: float) -> Evidence:
    """The evidence of a rendered pose in its crop.

    Args:
        drawing: the rendering.
        crop: what was observed.
        care: (H, W), 0 where something may hide the object.
        length_m: the object's diameter.
    """
    return weigh_in_light(drawing, crop, care, length_m)[0]


def weigh_in_light(drawing: Drawing, crop: Observation, care: F32, length_m: float) -> tuple[Evidence, Light | None]:
    """The evidence, and the light in which the colours agree best; None where they say nothing about it."""
    drawn = drawing.coverage > 0.5
    if not drawn.any():
        return Evidence(overlap=0.0, visible=0.0), None
    seen = in_sight(drawing, crop, care, length_m)
    inliers, error = _depth(drawing.depth, crop.depth, seen, length_m)
    texture, contrast, light = _texture(drawing.rgb, crop.rgb, seen if crop.mask is None else seen & (crop.mask > 0.5))
    evidence = Evidence(
        overlap=None if crop.mask is None else _overlap(drawn, crop.mask > 0.5, care > 0.5),
        depth_inliers=inliers, depth_error=error, texture=texture, contrast=contrast,
        visible=float(np.count_nonzero(seen) / np.count_nonzero(drawn)),
    )  # fmt: skip
    return evidence, light


def in_sight(drawing: Drawing, crop: Observation, care: F32, length_m: float) -> Bool:
    """Pixels (H, W) of the rendered object that nothing hides; for the arguments see `weigh`."""
    seen = (drawing.coverage > 0.5) & (care > 0.5)
    if crop.depth is not None:
        margin = max(0.1 * length_m, 0.01)
        seen &= ~((crop.depth > 0) & (crop.depth < drawing.depth - margin))
    return seen


def detail(drawing: Drawing, crop: Observation, care: F32, length_m: float) -> float | None:
    """Correlation of rendered and observed colours within tiles of a seventh of the object: shading does not change it.

    On something round, shading outweighs what is painted on it. None where there are no colours or hardly a pixel. For
    the arguments see `weigh`.
    """
    seen = in_sight(drawing, crop, care, length_m) & (drawing.coverage > _WHOLE)
    if crop.mask is not None:
        seen &= crop.mask > 0.5
    pixels = np.flatnonzero(seen)
    if crop.rgb is None or len(pixels) < _LEAST_PIXELS:
        return None
    side, width = max(2, round(_TILE * float(np.sqrt(len(pixels))))), seen.shape[1]
    tile = pixels // width // side * (width // side + 1) + pixels % width // side
    count = np.maximum(np.bincount(tile), 1)
    both = colors_at(drawing.rgb, pixels), colors_at(crop.rgb, pixels)
    model, photo = (
        np.stack([channel - (np.bincount(tile, channel) / count)[tile] for channel in image]) for image in both
    )
    size = float((model**2).sum() * (photo**2).sum())
    return float((model * photo).sum() / np.sqrt(size)) if size > 1e-9 else None


def _overlap(drawn: Bool, mask: Bool, cared: Bool) -> float:
    union = ((drawn | mask) & cared).sum()
    return float((drawn & mask & cared).sum() / max(union, 1))


def _depth(rendered: F32, observed: F32 | None, seen: Bool, length_m: float) -> tuple[float | None, float | None]:
    if observed is None:
        return None, None
    there = np.flatnonzero(seen & (observed > 0) & (rendered > 0))
    if len(there) < _LEAST_PIXELS:
        return None, None
    size = np.abs(observed.ravel()[there] - rendered.ravel()[there])
    inliers = np.count_nonzero(size < max(0.03 * length_m, 0.003)) / len(size)
    return inliers, float(_median(size) / length_m)


def _median(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Along the last axis, by numpy's partition: its median takes five times as long."""
    count = values.shape[-1]
    middle = [(count - 1) // 2, count // 2]
    return np.asarray(np.partition(values, middle)[..., middle].mean(axis=-1))


def _texture(rendered: F32, observed: F32 | None, seen: Bool) -> tuple[float | None, float | None, Light | None]:
    """Robust correlation over the channels: 1 - (what is left after the light was fitted) / (what there was)."""
    pixels = np.flatnonzero(seen)
    if observed is None or len(pixels) < _LEAST_PIXELS:
        return None, None, None
    model, photo = colors_at(rendered, pixels), colors_at(observed, pixels)
    contrast = float(model.std(axis=1).mean())
    if contrast < 1e-3:
        return None, contrast, None
    light = fit_light(model.T, photo.T, with_bias=True)
    from diffdope.terms.photometric_gain_kernel import left_over

    left, there = left_over(model, photo, light.gain, light.bias, _median(photo))
    return float(1.0 - left / max(there, 1e-9)), contrast, light
