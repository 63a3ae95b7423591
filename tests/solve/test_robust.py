from __future__ import annotations

import numpy as np
import pytest

from diffdope.solve import robust


def test_the_scale_is_the_deviation_of_the_bulk() -> None:
    residual = np.random.default_rng(0).normal(0.0, 0.02, 20001).astype(np.float32)
    assert robust.scale(residual, 1e-6) == pytest.approx(0.02, rel=0.03)
    residual[:2000] = 5.0  # a tenth of outliers
    assert robust.scale(residual, 1e-6) == pytest.approx(0.02, rel=0.25)


def test_the_scale_is_about_zero_and_has_a_floor() -> None:
    assert robust.scale(np.full(100, 0.1, np.float32), 1e-6) == pytest.approx(0.1483, rel=1e-3), "an offset is an error"
    assert robust.scale(np.zeros(100, np.float32), 1e-3) == 1e-3
    assert robust.scale(np.zeros(0, np.float32), 1e-3) == 1e-3
