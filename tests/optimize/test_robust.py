from __future__ import annotations

import numpy as np
import pytest

from diffdope.optimize import robust


def test_the_scale_is_the_deviation_of_the_bulk() -> None:
    residual = np.random.default_rng(0).normal(0.0, 0.02, 20001).astype(np.float32)
    assert robust.scale(residual, 1e-6) == pytest.approx(0.02, rel=0.03)
    residual[:2000] = 5.0  # a tenth of outliers
    assert robust.scale(residual, 1e-6) == pytest.approx(0.02, rel=0.25)


def test_the_scale_is_about_zero_and_has_a_floor() -> None:
    assert robust.scale(np.full(100, 0.1, np.float32), 1e-6) == pytest.approx(0.1483, rel=1e-3), "an offset is an error"
    assert robust.scale(np.zeros(100, np.float32), 1e-3) == 1e-3
    assert robust.scale(np.zeros(0, np.float32), 1e-3) == 1e-3


def test_influence_weight_slope_and_loss_belong_together() -> None:
    u = np.array([-3.0, -1.0, 0.0, 0.5, 1.3, 2.0, 10.0], np.float32)
    assert robust.weight(u) * u == pytest.approx(robust.influence(u))
    h = np.float32(1e-2)
    assert (robust.loss(u + h) - robust.loss(u - h)) / (2 * h) == pytest.approx(robust.influence(u), abs=1e-3)
    assert (robust.influence(u + h) - robust.influence(u - h)) / (2 * h) == pytest.approx(robust.slope(u), abs=1e-3)


def test_its_efficiency_under_gaussian_noise_is_95_percent() -> None:
    """E[psi']^2 / E[psi^2], over a sample."""
    u = np.random.default_rng(1).standard_normal(200_000).astype(np.float32)
    assert robust.slope(u).mean() ** 2 / (robust.influence(u) ** 2).mean() == pytest.approx(0.95, abs=0.01)
