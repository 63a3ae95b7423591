"""Areas and shares, held against numerical integration and counting."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.bop.metrics.scores import accuracy, accuracy_curve, auc, auc_ycb_video
from diffdope.errors import DiffDopeError


def test_accuracy_counts_what_is_strictly_below() -> None:
    errors = [0.0, 1.0, 1.0, 3.0, np.inf]
    np.testing.assert_allclose(accuracy(errors, [0.0, 1.0, 1.1, 3.0, 4.0, 1e9]), [0, 0.2, 0.6, 0.6, 0.8, 0.8])


def test_the_curve_starts_at_nothing_and_ends_at_the_maximum() -> None:
    thresholds, share = accuracy_curve([0.01, 0.03, 0.2], 0.1, points=11)
    np.testing.assert_allclose(thresholds, np.arange(11) / 100)
    np.testing.assert_allclose(share[[0, 1, 2, 3, 4, 10]], [0, 0, 1 / 3, 1 / 3, 2 / 3, 2 / 3])


def test_auc_by_hand() -> None:
    assert auc([0.02, 0.04, 0.5], 0.1) == pytest.approx((0.8 + 0.6 + 0.0) / 3)
    assert auc([0.0], 0.1) == 1.0 and auc([np.inf], 0.1) == 0.0 and auc([0.1], 0.1) == 0.0


def test_auc_is_the_area_under_the_curve(rng: np.random.Generator) -> None:
    errors = np.concatenate([rng.exponential(0.04, 200), [np.inf] * 7])
    for maximum in (0.02, 0.1, 1.0):
        middles = (np.arange(200_000) + 0.5) / 200_000 * maximum  # midpoint rule on a fine grid
        assert auc(errors, maximum) == pytest.approx(accuracy(errors, middles).mean(), abs=1e-5)


def toolbox_area(errors: np.ndarray, maximum: float) -> float:
    """The YCB-Video toolbox's rule in words: errors above the maximum dropped; each step between two different errors
    has the accuracy that the first of the errors at its right end brings; up to the maximum, the last one."""
    kept = sorted(e for e in errors if e <= maximum)
    area, before = 0.0, 0.0
    for k, e in enumerate(kept):
        if e != before:
            area += (e - before) * (k + 1) / len(errors)
            before = e
    return (area + (maximum - before) * len(kept) / len(errors)) / maximum


@pytest.mark.parametrize("count", [1, 3, 500])
def test_the_toolbox_adds_a_little(rng: np.random.Generator, count: int) -> None:
    errors = rng.exponential(0.05, count)
    tied = np.round(errors, 2)  # many equal ones, some zero, some at the maximum
    for values in (errors, tied, np.minimum(errors, 0.1), errors + 1.0):
        assert auc_ycb_video(values) == pytest.approx(toolbox_area(values, 0.1), abs=1e-12)
        assert 0 <= auc_ycb_video(values) - auc(values, 0.1) <= 1 / count + 1e-12
    assert auc_ycb_video([0.05]) == pytest.approx(1.0)  # where the area is a half
    assert auc([0.05], 0.1) == 0.5


def test_wrong_errors_are_refused() -> None:
    for errors, said in (([], "at least one"), ([np.nan], "NaN"), ([-1.0], "negative")):
        with pytest.raises(DiffDopeError, match=f"errors: expected .*{said}"):
            auc(errors, 0.1)
    with pytest.raises(DiffDopeError, match="maximum"):
        auc([1.0], 0.0)
