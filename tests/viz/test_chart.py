"""Line charts: what is drawn where."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.viz.chart import Chart, Line, drawn

RED = (220, 0, 0)


def rows_of(picture: np.ndarray, column: int) -> np.ndarray:
    red = (picture[..., 0] > 0.6) & (picture[..., 1] < 0.4)
    return np.flatnonzero(red[:, column])


def test_a_falling_line_falls_and_a_gap_stays_empty() -> None:
    values = np.array([8.0, 4.0, np.nan, 2.0, 1.0])
    picture = drawn(Chart("t", "y", [Line(values, RED, 3.0)]), 400, 300)
    assert picture.shape == (300, 400, 3) and picture.max() <= 1.0
    columns = [round(62 + (0.02 + 0.96 * k / 4) * 326) for k in (0.5, 2.0, 3.5)]
    first, gap, last = (rows_of(picture, column) for column in columns)
    assert len(first) and len(last) and first.mean() + 50 < last.mean(), "rows are counted from above"
    assert len(gap) == 0


def test_factors_are_equally_far_apart_where_values_are_positive() -> None:
    picture = drawn(Chart("t", "y", [Line(np.array([v, v]), RED, 3.0) for v in (1.0, 10.0, 100.0)]), 400, 300)
    rows = rows_of(picture, 200)
    heights = [group.mean() for group in np.split(rows, np.flatnonzero(np.diff(rows) > 5) + 1)]
    assert len(heights) == 3 and np.diff(heights)[0] == pytest.approx(np.diff(heights)[1], abs=1.0)


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, np.inf], [0.0, 0.0], [-1.0, 2.0], [5.0], [1e-300, 1e305]])
def test_anything_is_drawn(values: list[float]) -> None:
    assert np.isfinite(drawn(Chart("t", "y", [Line(np.array(values), RED)], [(0, "24 px")]), 300, 200)).all()
