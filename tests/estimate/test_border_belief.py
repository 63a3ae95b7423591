"""A border is exact or off by pixels: the probability of a small error is a mean over both, as drawn errors have it."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.estimate.border_belief import BorderBelief, within_beside_border
from diffdope.estimate.tolerance import probability_within

TOLERANCE_M = 0.003
RAY = np.array([0.1, -0.2, 0.9])
VIEW = RAY / np.linalg.norm(RAY)
FORM = np.diag([1.0, 1.0, 1.0, 4e-4, 4e-4, 4e-4])  # of a surface 2 cm from the middle
IMAGES = np.diag(np.square([2e-4, 3e-4, 8e-4, 0.02, 0.03, 0.01]))
BORDER = BorderBelief(0.7, (0.0005, 0.01), 0.4, 0.004)


def covariance_with(border: BorderBelief) -> np.ndarray:
    known = IMAGES.copy()
    along = np.outer(VIEW, VIEW)
    known[:3, :3] += border.off_m**2 * along + border.aside_m**2 * (np.eye(3) - along)
    return known


def test_the_probability_is_that_of_errors_that_are_drawn() -> None:
    rng, count = np.random.default_rng(0), 400_000
    error = rng.multivariate_normal(np.zeros(6), IMAGES, count)
    exact, shifted = rng.random(count) < BORDER.exact, rng.random(count) < BORDER.shifted
    along = rng.normal(size=count) * np.where(exact, *BORDER.along_m)
    across = rng.normal(size=(count, 3)) * (shifted * BORDER.across_m)[:, None]
    error[:, :3] += along[:, None] * VIEW + across - np.outer(across @ VIEW, VIEW)
    within = float(np.mean(np.einsum("ni,ij,nj->n", error, FORM, error) < TOLERANCE_M**2))
    known = covariance_with(BORDER)
    found = within_beside_border(TOLERANCE_M, known, FORM, np.eye(3), RAY, BORDER)
    assert found == pytest.approx(within, abs=0.01)
    assert probability_within(TOLERANCE_M, known, FORM, np.eye(3)) < within - 0.15  # of one normal error as large


def test_a_border_of_one_kind_is_a_normal_error() -> None:
    for border in (BorderBelief(1.0, (0.002, 0.0), 0.0, 0.0), BorderBelief(0.0, (0.0, 0.004), 1.0, 0.001)):
        known = covariance_with(border)
        found = within_beside_border(TOLERANCE_M, known, FORM, np.eye(3), RAY, border)
        assert found == pytest.approx(probability_within(TOLERANCE_M, known, FORM, np.eye(3)), rel=1e-6)


def test_a_covariance_that_something_else_has_narrowed_stays_one() -> None:
    narrowed = 0.05 * covariance_with(BORDER)
    found = within_beside_border(TOLERANCE_M, narrowed, FORM, np.eye(3), RAY, BORDER)
    assert 0.0 < found <= 1.0
