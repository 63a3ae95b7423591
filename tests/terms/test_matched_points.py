"""Matched points against finite differences, and what wrong pairs do."""

from __future__ import annotations

import numpy as np

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.terms.matched_points import MatchedPoints

CAMERA = Camera(600.0, 590.0, 320.0, 240.0, 640, 480)
TRUTH = Pose.from_wxyz_xyz([0.8, 0.3, -0.4, 0.2, 0.02, -0.03, 0.6])
RNG = np.random.default_rng(0)
POINTS = RNG.uniform(-0.05, 0.05, (40, 3))
PIXELS = np.stack(CAMERA.project(TRUTH.apply(POINTS)), axis=-1)


def pairs(pixels: np.ndarray, *, tolerance_px: float = 6.0, weight: float = 0.3) -> MatchedPoints:
    return MatchedPoints(POINTS, pixels, CAMERA, tolerance_px, weight)


def test_the_factor_is_the_weighted_mean_of_squares_and_its_derivatives() -> None:
    matched = pairs(PIXELS + RNG.normal(0.0, 1.0, PIXELS.shape))
    pose = TRUTH.retract([0.001, -0.001, 0.002, 0.01, -0.005, 0.01])
    factor = matched.factor(pose)
    assert factor is not None
    agreement = matched.agreeing(pose.R_m2c[None], pose.t_m2c[None])[0]

    def cost(xi: np.ndarray) -> float:
        off = np.stack(CAMERA.project(pose.retract(xi).apply(POINTS)), axis=-1) - matched.pixels
        return float(0.3 * (agreement * np.square(off).sum(axis=1)).sum() / (agreement.sum() * 36.0))

    step = 1e-6
    numeric = [(cost(step * one) - cost(-step * one)) / (2.0 * step) for one in np.eye(6)]
    assert abs(factor.constant - cost(np.zeros(6))) < 1e-12
    np.testing.assert_allclose(factor.slope, numeric, rtol=1e-5, atol=1e-6)
    assert np.linalg.eigvalsh(factor.curvature).min() > 0.0


def test_wrong_pairs_do_not_count() -> None:
    wrong = PIXELS.copy()
    wrong[::2] += 50.0
    agreement = pairs(wrong).agreeing(TRUTH.R_m2c[None], TRUTH.t_m2c[None])[0]
    np.testing.assert_allclose(agreement[::2], 0.0)
    np.testing.assert_allclose(agreement[1::2], 1.0)
    factor = pairs(wrong).factor(TRUTH)
    assert factor is not None and np.abs(factor.slope).max() < 1e-9


def test_too_few_pairs_hold_nothing() -> None:
    wrong = PIXELS + 50.0
    wrong[:3] = PIXELS[:3]
    assert pairs(wrong).factor(TRUTH) is None
    assert pairs(PIXELS, weight=0.0).factor(TRUTH) is None
