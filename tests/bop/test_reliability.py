"""Confidences against how often results are right, and maps that correct them."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.bop.reliability import ConfidenceMap, auroc, fitted_map, interval, left_out, reliability
from diffdope.errors import DiffDopeError


def drawn(count: int, offset: float, slope: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and whether results are right, which are so as often as the map of the confidence says."""
    rng = np.random.default_rng(seed)
    confidence = 1.0 / (1.0 + np.exp(-rng.normal(1.0, 2.0, count)))
    return confidence, rng.random(count) < ConfidenceMap(offset, slope)(confidence)


def test_auroc_counts_pairs() -> None:
    score, right = np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])
    # Pairs of right and wrong: 0.9 beats both, 0.4 ties with one (half) and beats the other.
    assert auroc(score, right) == pytest.approx(3.5 / 4)
    assert np.isnan(auroc(score, np.ones(4, bool))) and np.isnan(auroc(score, np.zeros(4, bool)))


def test_reliability_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.15, 1.0])
    found = reliability(confidence, np.array([True, True, False, False, True]))
    assert [(one.low, one.results) for one in found.bins] == [(0.1, 1), (0.9, 4)]
    assert found.bins[1].right == pytest.approx(0.75)
    assert found.bins[1].confidence == pytest.approx((3 * 0.95 + 1.0) / 4)
    assert found.ece == pytest.approx((1 * 0.15 + 4 * (found.bins[1].confidence - 0.75)) / 5)
    assert (found.count, found.right, found.sure, found.sure_wrong) == (5, 3, 4, 1)


@pytest.mark.parametrize(("offset", "slope"), [(0.0, 1.0), (-1.5, 0.6), (1.0, 1.5)])
def test_the_map_that_was_drawn_is_found(offset: float, slope: float) -> None:
    confidence, right = drawn(4000, offset, slope)
    found = fitted_map(confidence, right)
    assert found == pytest.approx((offset, slope), abs=0.15)
    other, truth = drawn(4000, offset, slope, seed=1)
    assert reliability(found(other), truth).ece < 0.03
    assert auroc(found(other), truth) == pytest.approx(auroc(other, truth))  # a map keeps the order


def test_few_results_change_little() -> None:
    confidence, right = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
    found = fitted_map(confidence, right)
    assert abs(found.offset) < 1.5 and 0.4 < found.slope < 2.5


@pytest.mark.parametrize("right", [True, False])
def test_results_that_are_all_alike_tell_nothing(right: bool) -> None:
    with pytest.raises(DiffDopeError, match="some that are right and some that are wrong.*perturb-deg"):
        fitted_map(np.array([0.9, 0.8]), np.array([right, right]))


def test_left_out_maps_have_not_seen_their_own_images() -> None:
    confidence, right = drawn(300, -1.5, 0.6)
    images = [k // 5 for k in range(300)]
    mapped = left_out(confidence, right, images)
    turned = right.copy()
    turned[:5] = ~turned[:5]  # the answers of an image do not change its own map
    assert left_out(confidence, turned, images)[:5] == pytest.approx(mapped[:5])
    assert reliability(mapped, right).ece < reliability(confidence, right).ece
    alone = left_out(confidence[:4], np.array([True, False, True, True]), ["one"] * 4)
    assert alone == pytest.approx(confidence[:4])  # there is no other image


def test_more_images_narrow_the_interval() -> None:
    widths = []
    for count in (60, 600):
        confidence, right = drawn(count, -1.0, 0.7)
        low, high = interval(confidence, right, list(range(count)))
        assert low.slope <= 0.7 + 0.2 and high.slope >= 0.7 - 0.2
        widths.append(high.slope - low.slope)
    assert widths[1] < 0.6 * widths[0]
