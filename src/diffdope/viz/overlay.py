"""The picture that tells whether a pose is right: before | after, contour, blend and depth difference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffdope.viz.compose import (
    CYAN,
    GREEN,
    MAGENTA,
    Image,
    blend,
    caption,
    contour,
    enlarge,
    side_by_side,
    signed_map,
    stacked,
    tint,
    to_bytes,
)
from diffdope.viz.files import save_png

DEPTH_LIMIT_MM = 20.0


@dataclass(frozen=True)
class View:
    """One rendering: rgb over black (H, W, 3) or None without colours, coverage (H, W), depth (H, W) metres."""

    rgb: NDArray[np.floating] | None
    coverage: NDArray[np.floating]
    depth: NDArray[np.floating]
    title: str


def layered(photo: Image, view: View, truth: NDArray[np.floating] | None, factor: int) -> tuple[Image, Image]:
    """(photograph with contour, photograph with the rendering blended in), enlarged."""
    large = enlarge(photo, factor)
    coverage = enlarge(np.asarray(view.coverage, np.float64), factor)
    if view.rgb is None:
        mixed = tint(large, coverage, color=CYAN)
    else:
        mixed = blend(large, enlarge(np.clip(np.asarray(view.rgb, np.float64), 0, 1), factor), coverage, alpha=0.8)
    outlined = large
    if truth is not None:
        true_coverage = enlarge(np.asarray(truth, np.float64), factor)
        outlined = contour(outlined, true_coverage, color=MAGENTA, thickness=1.5)
    return contour(outlined, coverage, color=GREEN, thickness=2.0), mixed


def depth_difference(view: View, observed: NDArray[np.floating], factor: int) -> Image:
    """Rendered minus observed depth as colours."""
    valid = (np.asarray(observed) > 0) & (np.asarray(view.depth) > 0) & (np.asarray(view.coverage) > 0.5)
    difference_mm = 1e3 * (np.asarray(view.depth, np.float64) - np.asarray(observed, np.float64))
    picture = signed_map(difference_mm, DEPTH_LIMIT_MM, valid)
    return np.repeat(np.repeat(picture, factor, 0), factor, 1)


def overlay_image(
    photo: NDArray[np.floating],
    views: tuple[View, View],
    *,
    truth_coverage: NDArray[np.floating] | None = None,
    observed_depth: NDArray[np.floating] | None = None,
    width: int = 420,
) -> NDArray[np.uint8]:
    """Composes the picture.

    Args:
        photo: the crop (H, W, 3) in [0, 1]; grey if there is no photograph.
        views: before and after.
        truth_coverage: silhouette of the true pose (H, W), if known; drawn in magenta.
        observed_depth: (H, W) metres, 0 = missing; adds a row of depth differences.
        width: each panel is enlarged to about this many pixels.

    Returns:
        (H', W', 3) uint8: a column a pose; contour, blend and depth difference below one another.
    """
    image = np.asarray(photo, np.float64)
    factor = max(1, round(width / image.shape[1]))
    columns = []
    for view in views:
        outlined, mixed = layered(image, view, truth_coverage, factor)
        note = "contour (magenta: truth)" if truth_coverage is not None else "contour"
        parts = [caption(outlined, f"{view.title}\n{note}"), caption(mixed, "rendering blended in")]
        if observed_depth is not None:
            text = f"rendered - observed depth: blue -{DEPTH_LIMIT_MM:.0f} mm, red +{DEPTH_LIMIT_MM:.0f} mm"
            parts.append(caption(depth_difference(view, observed_depth, factor), text, size=13))
        columns.append(stacked(*parts))
    return to_bytes(side_by_side(*columns))


def write_overlay(path: Path, picture: NDArray[np.uint8]) -> None:
    """Writes a composed picture as PNG."""
    save_png(path, picture)
