"""The pose prior as a problem adds it to the images' cost."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.problem.problem import Evaluation
from diffdope.terms.pose_prior import PosePrior
from tests.oracle.problems import added_by, central_gradient

START = Pose(so3.exp(np.array([0.3, -0.2, 0.5])), np.array([0.1, 0.0, 0.8]))
PRIOR = PosePrior(START, 0.2, 0.01, 0.3)


def added(prior: PosePrior, *poses: Pose) -> Evaluation:
    return added_by(poses, priors=[(0, prior)])


def test_a_pose_at_the_stated_uncertainty_pays_the_weight() -> None:
    turned = Pose(so3.exp(np.array([0.0, 0.2, 0.0])) @ START.R_m2c, START.t_m2c)
    shifted = Pose(START.R_m2c, START.t_m2c + np.array([0.0, 0.0, 0.01]))
    cost = added(PRIOR, START, turned, shifted).cost
    assert np.allclose(cost, [0.0, 0.3 * (np.sin(0.1) / 0.1) ** 2, 0.3])  # a chord of 0.2


def test_gradient_and_curvature_agree_with_differences_of_the_cost() -> None:
    here = START.retract([0.003, -0.002, 0.001, 0.05, 0.1, -0.02])
    at = added(PRIOR, here)
    want = central_gradient(lambda *poses: added(PRIOR, *poses).cost, here, 1e-6)
    assert np.allclose(at.gradient[0], want, rtol=1e-5, atol=1e-6)
    assert np.allclose(at.normal[0], np.diag(np.repeat([0.6 / 0.01**2, 0.6 / 0.2**2], 3)))


def test_the_gradient_is_right_far_away_too() -> None:
    for turn in ([2.9, 0.0, 0.3], [-1.0, 1.0, 1.0]):
        here = START.retract([0.2, -0.3, 0.1, *turn])
        want = central_gradient(lambda *poses: added(PRIOR, *poses).cost, here, 1e-6)
        assert np.allclose(added(PRIOR, here).gradient[0], want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("nothing", [{"weight": 0.0}, {"angle_rad": 0.0}, {"distance_m": 0.0}])
def test_no_weight_or_no_radius_changes_nothing(nothing: dict[str, float]) -> None:
    numbers = {"angle_rad": 0.2, "distance_m": 0.01, "weight": 0.3} | nothing
    prior = PosePrior(START, **numbers)
    away = added(prior, START.retract([0.1] * 6))
    assert not prior.active
    assert away.cost[0] == 0.0 and not away.gradient.any() and not away.normal.any()
