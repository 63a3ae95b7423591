"""What speaks for a pose: how well its rendering explains the photograph, in numbers that compare across objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.refine.light import NEUTRAL, fit_light
from diffdope.render.renderer import RenderedImages
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_LEAST_PIXELS = 12


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


def weigh(images: RenderedImages, crop: Observation, care: F32, length_m: float) -> Evidence:
    """The evidence of a rendered pose (B = 1) in its crop.

    Args:
        images: the rendering.
        crop: what was observed.
        care: (H, W), 0 where something may hide the object.
        length_m: the object's diameter.
    """
    drawn = images.coverage[0] > 0.5
    if not drawn.any():
        return Evidence(overlap=0.0, visible=0.0)
    seen = drawn & (care > 0.5)
    if crop.depth is not None:
        margin = max(0.1 * length_m, 0.01)
        seen &= ~((crop.depth > 0) & (crop.depth < images.depth[0] - margin))
    inliers, error = _depth(images.depth[0], crop.depth, seen, length_m)
    texture, contrast = _texture(images.rgb[0], crop.rgb, seen if crop.mask is None else seen & (crop.mask > 0.5))
    return Evidence(
        overlap=None if crop.mask is None else _overlap(drawn, crop.mask > 0.5, care > 0.5),
        depth_inliers=inliers, depth_error=error, texture=texture, contrast=contrast,
        visible=float(seen.sum() / drawn.sum()),
    )  # fmt: skip


def _overlap(drawn: Bool, mask: Bool, cared: Bool) -> float:
    union = ((drawn | mask) & cared).sum()
    return float((drawn & mask & cared).sum() / max(union, 1))


def _depth(rendered: F32, observed: F32 | None, seen: Bool, length_m: float) -> tuple[float | None, float | None]:
    if observed is None:
        return None, None
    there = seen & (observed > 0) & (rendered > 0)
    if there.sum() < _LEAST_PIXELS:
        return None, None
    size = np.abs(observed[there] - rendered[there])
    return float((size < max(0.03 * length_m, 0.003)).mean()), float(np.median(size) / length_m)


def _texture(rendered: F32, observed: F32 | None, seen: Bool) -> tuple[float | None, float | None]:
    """Robust correlation over the channels: 1 - (what is left after the light was fitted) / (what there was)."""
    if observed is None or seen.sum() < _LEAST_PIXELS:
        return None, None
    model, photo = rendered[seen].astype(np.float64), observed[seen].astype(np.float64)
    contrast = float(model.std(axis=0).mean())
    if contrast < 1e-3:
        return None, contrast
    light = fit_light(model, photo, with_bias=True) if len(model) >= _LEAST_PIXELS else NEUTRAL
    left = np.abs(photo - light.gain * model - light.bias).sum()
    there = np.abs(photo - np.median(photo, axis=0)).sum()
    return float(1.0 - left / max(there, 1e-9)), contrast
