"""Quadratic factors as a problem adds them to the images' cost."""

from __future__ import annotations

import numpy as np

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.problem.problem import Evaluation
from diffdope.terms.layout import CONTOUR
from diffdope.terms.quadratic_factor import QuadraticFactor
from tests.oracle.problems import added_by, central_gradient

AT = Pose(so3.exp(np.array([0.3, -0.2, 0.5])), np.array([0.1, 0.0, 0.8]))


def some_factor(shown: int = -1) -> QuadraticFactor:
    root = np.random.default_rng(3).normal(size=(6, 6))
    return QuadraticFactor(AT, np.array([0.3, -0.1, 0.2, 0.5, -0.4, 0.1]), root @ root.T, 2.0, shown)


def added(factor: QuadraticFactor, *poses: Pose) -> Evaluation:
    return added_by(poses, quadratics=[(0, factor)])


def test_its_cost_is_the_quadratic_of_the_step_from_its_pose() -> None:
    factor, step = some_factor(), np.array([0.02, -0.01, 0.03, 0.1, 0.0, -0.2])
    want = 2.0 + factor.slope @ step + 0.5 * step @ factor.curvature @ step
    assert np.allclose(added(factor, AT.retract(step), AT).cost, [want, 2.0])
    there = AT.retract(step)
    assert np.isclose(factor.value(there), want) and np.isclose(factor.about(there).constant, want)
    assert np.allclose(added(factor, AT).normal[0], factor.curvature)
    assert np.allclose(added(factor, AT).gradient[0], factor.slope)


def test_the_gradient_agrees_with_differences_far_from_its_pose() -> None:
    for turn in ([0.9, -0.5, 0.4], [0.0, 0.0, 3.1], [1e-7, 0.0, 0.0]):
        factor, here = some_factor(), AT.retract([0.1, 0.2, -0.1, *turn])
        want = central_gradient(lambda *poses, f=factor: added(f, *poses).cost, here, 1e-6)
        assert np.allclose(added(factor, here).gradient[0], want, rtol=1e-6, atol=1e-6)


def test_it_shows_in_its_column_of_the_costs() -> None:
    here = AT.retract([0.02, 0.0, 0.0, 0.1, 0.0, 0.0])
    shown, hidden = added(some_factor(CONTOUR), here), added(some_factor(), here)
    assert np.allclose(shown.each[0, CONTOUR], shown.cost[0]) and not shown.each[0, :CONTOUR].any()
    assert not hidden.each.any() and np.array_equal(shown.cost, hidden.cost)


def test_a_linear_residual_is_its_square() -> None:
    jacobian, step = np.array([1.0, -2.0, 0.5, 0.3, 0.2, -0.1]), np.array([0.02, -0.01, 0.03, 0.1, 0.0, -0.2])
    factor = QuadraticFactor.of_residual(AT, 0.01, jacobian, 7.0)
    assert np.allclose(added(factor, AT.retract(step)).cost, 7.0 * (0.01 + jacobian @ step) ** 2)
