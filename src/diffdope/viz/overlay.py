"""The picture that tells whether a pose is right: before | after, contour, blend and depth difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import check_shape
from diffdope.io.png import FAST, write_png
from diffdope.viz.compose import (
    CYAN,
    GREEN,
    MAGENTA,
    Image,
    blend,
    caption,
    color_bar,
    contour,
    enlarge,
    side_by_side,
    signed_map,
    stacked,
    tint,
    to_bytes,
)

_ROUND_MM = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)


@dataclass(frozen=True)
class RenderedView:
    """One rendering: rgb over black (H, W, 3) or None without colours, coverage (H, W), depth (H, W) metres."""

    rgb: NDArray[np.floating] | None
    coverage: NDArray[np.floating]
    depth: NDArray[np.floating]
    title: str


def layered(large: Image, view: RenderedView, truth: NDArray[np.floating] | None, factor: int) -> tuple[Image, Image]:
    """(photograph with contour, photograph with the rendering blended in), of a photograph that has been enlarged."""
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


def depth_difference_mm(view: RenderedView, observed: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rendered minus observed depth (H, W), millimetres; NaN where either is missing."""
    rendered, seen = np.asarray(view.depth, np.float64), np.asarray(observed, np.float64)
    valid = (seen > 0) & (rendered > 0) & (np.asarray(view.coverage) > 0.5)
    return np.where(valid, 1e3 * (rendered - seen), np.nan)


def depth_limit_mm(differences: Iterable[NDArray[np.float64]]) -> float:
    """The end of a colour scale that nine tenths of the differences fit into, a round number of millimetres."""
    sizes = np.abs(np.concatenate([np.ravel(values) for values in differences]))
    sizes = sizes[np.isfinite(sizes)]
    wanted = float(np.quantile(sizes, 0.9)) if len(sizes) else 0.0
    return next((limit for limit in _ROUND_MM if limit >= wanted), _ROUND_MM[-1])


def depth_panel(difference_mm: NDArray[np.float64], limit_mm: float, factor: int) -> Image:
    """Differences as colours, with the scale above."""
    picture = signed_map(np.nan_to_num(difference_mm), limit_mm, np.isfinite(difference_mm))
    picture = np.repeat(np.repeat(picture, factor, 0), factor, 1)
    bar = color_bar(picture.shape[1], f"-{limit_mm:g} mm", f"+{limit_mm:g} mm")
    return caption(stacked(bar, picture, gap=0), "rendered - observed depth", size=13)


def overlay_image(
    photo: NDArray[np.floating],
    views: Sequence[RenderedView],
    *,
    truth_coverage: NDArray[np.floating] | None = None,
    observed_depth: NDArray[np.floating] | None = None,
    width: int = 420,
) -> NDArray[np.uint8]:
    """Composes the picture.

    Args:
        photo: the crop (H, W, 3) in [0, 1]; grey if there is no photograph.
        views: a column each, such as before and after.
        truth_coverage: silhouette of the true pose (H, W), if known; drawn in magenta.
        observed_depth: (H, W) metres, 0 = missing; adds a row of depth differences.
        width: each panel is enlarged to about this many pixels.

    Returns:
        (H', W', 3) uint8: a column a pose; contour, blend and depth difference below one another.

    Raises:
        DiffDopeError: if an image is not of the photograph's size.
    """
    image = np.asarray(photo, np.float64)
    check_shape("photo", image, (None, None, 3))
    _check_sizes(image.shape[:2], views, truth_coverage=truth_coverage, observed_depth=observed_depth)
    factor = max(1, round(width / image.shape[1]))
    large = enlarge(image, factor)
    differences = [] if observed_depth is None else [depth_difference_mm(view, observed_depth) for view in views]
    limit_mm = depth_limit_mm(differences) if differences else 0.0  # one scale for all, so that they can be compared
    columns = []
    for k, view in enumerate(views):
        outlined, mixed = layered(large, view, truth_coverage, factor)
        note = "contour (magenta: truth)" if truth_coverage is not None else "contour"
        parts = [caption(to_bytes(outlined), f"{view.title}\n{note}"), caption(to_bytes(mixed), "rendering blended in")]
        if differences:
            parts.append(to_bytes(depth_panel(differences[k], limit_mm, factor)))
        columns.append(stacked(*parts))
    return side_by_side(*columns)


def _check_sizes(size: tuple[int, ...], views: Iterable[RenderedView], **given: NDArray[np.floating] | None) -> None:
    for view in views:
        check_shape("coverage", np.asarray(view.coverage), size)
        check_shape("depth", np.asarray(view.depth), size)
    for name, image in given.items():
        if image is not None:
            swapped = np.asarray(image).shape == size[::-1]
            cure = "height and width are swapped: arrays are indexed [row, column]" if swapped else ""
            check_shape(name, np.asarray(image), size, cure=cure)


def write_overlay(path: Path, picture: NDArray[np.uint8]) -> None:
    """Writes a composed picture as PNG."""
    write_png(path, picture, level=FAST)
