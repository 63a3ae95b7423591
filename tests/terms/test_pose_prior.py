from __future__ import annotations

import numpy as np

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.problem.factor import Evaluation
from diffdope.terms.pose_prior import Prior

START = Pose(so3.exp(np.array([0.3, -0.2, 0.5])), np.array([0.1, 0.0, 0.8]))


def evaluated(prior: Prior, R: np.ndarray, t: np.ndarray) -> Evaluation:
    b = len(t)
    nothing = Evaluation(np.zeros(b), np.zeros((b, 4)), np.zeros((b, 6)), np.zeros((b, 6, 6)), np.zeros(b, np.int64))
    prior.add_to(nothing, R, t)
    return nothing


def test_a_pose_at_the_stated_uncertainty_pays_the_weight() -> None:
    prior = Prior(START, 0.2, 0.01, 0.3)
    R = np.stack([START.R_m2c, so3.exp(np.array([0.0, 0.2, 0.0])) @ START.R_m2c, START.R_m2c])
    t = np.stack([START.t_m2c, START.t_m2c, START.t_m2c + np.array([0.0, 0.0, 0.01])])
    assert np.allclose(evaluated(prior, R, t).cost, [0.0, 0.3 * (np.sin(0.1) / 0.1) ** 2, 0.3])  # a chord of 0.2


def test_gradient_and_curvature_agree_with_differences_of_the_cost() -> None:
    prior = Prior(START, 0.2, 0.01, 0.3)
    here = START.retract([0.003, -0.002, 0.001, 0.05, 0.1, -0.02])
    step = 1e-6
    ahead = [here.retract(step * row) for row in np.eye(6)]
    behind = [here.retract(-step * row) for row in np.eye(6)]
    plus, minus = (
        evaluated(prior, np.stack([p.R_m2c for p in poses]), np.stack([p.t_m2c for p in poses])).cost
        for poses in (ahead, behind)
    )
    at = evaluated(prior, here.R_m2c[None], here.t_m2c[None])
    assert np.allclose(at.gradient[0], (plus - minus) / (2 * step), rtol=1e-5, atol=1e-6)
    assert np.allclose(at.normal[0], np.diag(np.repeat([0.6 / 0.01**2, 0.6 / 0.2**2], 3)))


def test_no_weight_changes_nothing() -> None:
    away = START.retract([0.1] * 6)
    assert evaluated(Prior(START, 0.2, 0.01, 0.0), away.R_m2c[None], away.t_m2c[None]).cost[0] == 0.0
