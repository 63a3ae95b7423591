"""What tells whether the border of a mask is where the object ends."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.estimate.covariance import Uncertainty
from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.geometry.pose import Pose
from diffdope.search.mask_as_region import deviations, log_odds
from diffdope.terms.quadratic_factor import QuadraticFactor

AT = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))


def covariance(rng: np.random.Generator) -> np.ndarray:
    root = rng.normal(size=(6, 6)) * np.array([1e-3] * 3 + [1e-2] * 3)[:, None]
    return root @ root.T


def test_deviations_are_those_of_a_normal_distribution(rng: np.random.Generator) -> None:
    known = covariance(rng)
    root = np.linalg.cholesky(known)
    off = [deviations(AT.retract(root @ rng.normal(size=6)), AT, known) for _ in range(400)]
    assert np.mean(np.square(off)) == pytest.approx(1.0, abs=0.1)


def test_a_direction_that_is_known_exactly_makes_no_deviation_infinite() -> None:
    known = np.diag([1e-6, 1e-6, 1e-6, 1e-4, 1e-4, 0.0])
    assert np.isfinite(deviations(AT.retract(np.full(6, 1e-3)), AT, known))


def test_a_border_is_borne_out_by_its_shape_by_what_the_others_allow_and_by_edges(rng: np.random.Generator) -> None:
    known = np.diag([1e-6] * 3 + [1e-4] * 3)
    free = RobustEstimate(AT, Uncertainty(known, np.zeros((0, 6))))

    asked: list[float] = []

    def odds(shift_mm: float, border_px: float, edges: float = 0.0) -> float:
        led = RobustEstimate(AT.retract(np.array([1e-3 * shift_mm, 0, 0, 0, 0, 0])))
        asked.clear()
        return log_odds(led, free, border_px, lambda: asked.append(edges) or edges)

    assert odds(1.0, 0.1) > 0.0 > odds(30.0, 0.1)
    assert odds(5.0, 0.1) > 0.0 > odds(5.0, 2.0)
    assert abs(odds(5.0, 0.5)) < 1.0 and asked
    assert odds(5.0, 0.5, edges=20.0) > 0.0 > odds(5.0, 0.5, edges=-20.0)
    assert odds(0.1, 0.05, edges=-20.0) > 0.0 and not asked  # both poses are the same


def test_a_factor_about_another_pose_is_the_same_cost(rng: np.random.Generator) -> None:
    factor = QuadraticFactor(AT, rng.normal(size=6), covariance(rng), 2.0)
    step, more = 1e-2 * rng.normal(size=(2, 6)) * [1, 1, 1, 0, 0, 0]
    moved = factor.about(AT.retract(step))

    def cost(one: QuadraticFactor, xi: np.ndarray) -> float:
        return one.constant + float(one.slope @ xi + 0.5 * xi @ one.curvature @ xi)

    assert cost(moved, more) == pytest.approx(cost(factor, step + more))
