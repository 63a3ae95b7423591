from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.solve.schedules import exponential_decay, sample_learning_rates


def test_decay_starts_at_one_and_ends_at_its_value() -> None:
    assert exponential_decay(0, iterations=60, decay=0.1) == 1.0
    assert exponential_decay(60, iterations=60, decay=0.1) == pytest.approx(0.1)
    assert exponential_decay(30, iterations=60, decay=0.1) == pytest.approx(np.sqrt(0.1))


@pytest.mark.parametrize("distribution", ["uniform", "log-uniform"])
def test_rates_lie_between_their_bounds_and_follow_their_distribution(distribution: str) -> None:
    rates = sample_learning_rates(4000, low=0.1, high=10.0, distribution=distribution, rng=np.random.default_rng(0))  # type: ignore[arg-type]
    assert rates.min() >= 0.1
    assert rates.max() <= 10.0
    assert np.median(rates) == pytest.approx(5.05 if distribution == "uniform" else 1.0, rel=0.1)


def test_one_more_hypothesis_changes_no_other() -> None:
    few = sample_learning_rates(3, low=0.1, high=4.0, rng=np.random.default_rng(5))
    many = sample_learning_rates(9, low=0.1, high=4.0, rng=np.random.default_rng(5))
    assert np.array_equal(few, many[:3])


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0)])
def test_impossible_bounds_are_refused(low: float, high: float) -> None:
    with pytest.raises(DiffDopeError, match="rate_low, rate_high: expected 0 < low <= high"):
        sample_learning_rates(3, low=low, high=high, rng=np.random.default_rng(0))
