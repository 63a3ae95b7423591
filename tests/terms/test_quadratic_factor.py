from __future__ import annotations

import numpy as np

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.problem.factor import Evaluation
from diffdope.terms.quadratic_factor import Pull, inverse_left_jacobian

AT = Pose(so3.exp(np.array([0.3, -0.2, 0.5])), np.array([0.1, 0.0, 0.8]))


def some_pull() -> Pull:
    root = np.random.default_rng(3).normal(size=(6, 6))
    return Pull(AT, np.array([0.3, -0.1, 0.2, 0.5, -0.4, 0.1]), root @ root.T, 2.0)


def evaluated(pull: Pull, pose: Pose) -> Evaluation:
    nothing = Evaluation(np.zeros(1), np.zeros((1, 4)), np.zeros((1, 6)), np.zeros((1, 6, 6)), np.zeros(1, np.int64))
    pull.add_to(nothing, pose.R_m2c[None], pose.t_m2c[None])
    return nothing


def test_its_cost_is_the_quadratic_of_the_step_from_its_pose() -> None:
    pull, step = some_pull(), np.array([0.02, -0.01, 0.03, 0.1, 0.0, -0.2])
    moved = AT.retract(step)
    want = 2.0 + pull.slope @ step + 0.5 * step @ pull.curvature @ step
    assert np.allclose(pull.costs(moved.R_m2c[None], moved.t_m2c[None]), want)
    assert np.allclose(evaluated(pull, moved).cost, want)


def test_the_gradient_agrees_with_differences_far_from_its_pose() -> None:
    pull, here, h = some_pull(), AT.retract([0.1, 0.2, -0.1, 0.9, -0.5, 0.4]), 1e-6
    ahead = [evaluated(pull, here.retract(h * row)).cost[0] for row in np.eye(6)]
    behind = [evaluated(pull, here.retract(-h * row)).cost[0] for row in np.eye(6)]
    assert np.allclose(evaluated(pull, here).gradient[0], (np.array(ahead) - behind) / (2 * h), rtol=1e-6, atol=1e-6)


def test_the_inverse_jacobian_composes_small_turns_at_any_angle() -> None:
    for phi in (np.zeros(3), np.array([1e-6, 0.0, 0.0]), np.array([0.4, -0.3, 0.2]), np.array([2.0, 1.5, -1.0])):
        delta = 1e-7 * np.array([0.3, 0.8, -0.5])
        change = so3.log((so3.exp(delta) @ so3.exp(phi))[None])[0] - phi
        assert np.allclose(inverse_left_jacobian(phi[None])[0] @ delta, change, atol=1e-12)
