from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.viz.compose import (
    GREEN,
    blend,
    caption,
    color_bar,
    contour,
    enlarge,
    side_by_side,
    signed_map,
    stacked,
    tint,
)

GREY = np.full((20, 30, 3), 0.5)
DISC = (np.hypot(*(np.indices((20, 30)) - np.array([10, 15])[:, None, None])) < 6).astype(float)


def test_blend_covers_what_the_rendering_covers() -> None:
    red = DISC[..., None] * [1.0, 0, 0]
    mixed = blend(GREY, red, DISC, alpha=1.0)
    assert np.allclose(mixed[10, 15], [1, 0, 0])
    assert np.allclose(mixed[0, 0], 0.5)
    assert np.allclose(blend(GREY, red, DISC, alpha=0.5)[10, 15], [0.75, 0.25, 0.25])


def test_tint_colours_only_the_silhouette() -> None:
    tinted = tint(GREY, DISC, color=(0, 0, 1), alpha=1.0)
    assert np.allclose(tinted[10, 15], [0, 0, 1])
    assert np.allclose(tinted[0, 0], 0.5)


def test_a_contour_is_a_line_on_the_border() -> None:
    drawn = contour(GREY, DISC, color=GREEN, thickness=2.0)
    assert np.allclose(drawn[10, 15], 0.5)  # not inside
    assert np.allclose(drawn[0, 0], 0.5)  # not outside
    assert np.allclose(drawn[10, 20], GREEN)  # the last covered pixel of the row
    changed = np.abs(drawn - GREY).max(axis=2) > 0.1
    assert 30 < changed.sum() < 120


@pytest.mark.parametrize("coverage", [np.zeros((20, 30)), np.ones((20, 30))])
def test_without_a_border_there_is_no_contour(coverage: np.ndarray) -> None:
    assert np.array_equal(contour(GREY, coverage), GREY)


def test_signed_map_tells_near_from_far() -> None:
    colors = signed_map(np.array([[-10.0, 0.0, 10.0, 0.0]]), 10.0, np.array([[1, 1, 1, 0]]))
    assert colors[0, 0, 2] > colors[0, 0, 0]
    assert np.allclose(colors[0, 1], 1.0)
    assert colors[0, 2, 0] > colors[0, 2, 2]
    assert np.allclose(colors[0, 3], 0.25)


def test_a_caption_is_not_cut_off() -> None:
    words = "rendered - observed depth, and more"
    for width in (160, 300, 600):
        blank = np.zeros((4, width, 3), np.uint8)
        band = caption(blank, words)[:-4].astype(int).sum(axis=2)
        written_columns = np.flatnonzero((band > 200).any(axis=0))
        assert written_columns[0] >= 6 and written_columns[-1] < width - 6, width
        assert len(band) == len(caption(blank, "a")) - 4  # films have frames of one size
    assert written_columns[-1] < 320  # where there is room, letters keep their size


def test_sizes_of_compositions() -> None:
    assert enlarge(GREY, 3).shape == (60, 90, 3)
    assert enlarge(DISC, 2).shape == (40, 60)
    assert side_by_side(GREY, GREY[:10], gap=4).shape == (20, 64, 3)
    assert stacked(GREY, GREY[:, :10], gap=4).shape == (44, 30, 3)
    titled = caption(GREY, "a\nb")
    assert titled.shape[0] > 50
    assert titled[:30].max() > 0.8  # there are letters


def test_shapes_are_checked() -> None:
    with pytest.raises(DiffDopeError, match="coverage: expected shape"):
        contour(GREY, np.zeros((30, 20)))
    with pytest.raises(DiffDopeError, match="rendered_rgb: expected shape"):
        blend(GREY, GREY[:5], DISC)


def test_the_color_bar_runs_from_blue_to_red() -> None:
    bar = color_bar(200, "-5 mm", "+5 mm")
    assert bar.shape == (18, 200, 3)
    assert np.allclose(bar[0, 0], signed_map(np.array([[-1.0]]), 1.0, np.ones((1, 1)))[0, 0], atol=0.01)
    assert bar[0, -1, 0] > 0.7 > bar[0, -1, 2]
