from __future__ import annotations

import numpy as np
import pytest
from diffdope.solve.first_order import Adam, FirstOrder, GradientDescent
from diffdope.solve.quaternion_parameters import Parameters
from numpy.typing import NDArray

from diffdope.geometry import so3

F64 = NDArray[np.float64]


def random_poses(count: int, seed: int = 0) -> tuple[F64, F64]:
    rng = np.random.default_rng(seed)
    return np.asarray(so3.exp(rng.normal(0, 1, (count, 3)))), rng.normal(0, 0.5, (count, 3))


def test_parameters_keep_the_pose() -> None:
    R, t = random_poses(6)
    parameters = Parameters(R, t, length_m=0.12)
    assert np.allclose(parameters.R_m2c, R)
    assert np.allclose(parameters.t_m2c, t)


def test_the_parameter_gradient_is_the_chain_rule() -> None:
    """Any smooth function of the pose: central differences by the seven numbers against the tangent gradient."""
    R, t = random_poses(1)
    weights, offset = np.random.default_rng(3).normal(size=(3, 3)), np.array([0.3, -1.0, 0.7])
    length = 0.2

    def value(R: F64, t: F64) -> float:
        return float((weights * R).sum() + (offset * t).sum())

    step = 1e-6
    tangent = np.zeros((1, 6))
    for k in range(3):
        e = np.eye(3)[k] * step
        tangent[0, k] = (value(R[0], t[0] + e) - value(R[0], t[0] - e)) / (2 * step)
        up, down = so3.exp(e) @ R[0], so3.exp(-e) @ R[0]
        tangent[0, 3 + k] = (value(up, t[0]) - value(down, t[0])) / (2 * step)
    parameters = Parameters(R, t, length)
    got = parameters.gradient(tangent)[0]
    for k in range(7):
        values = []
        for sign in (1, -1):
            moved = Parameters(R, t, length)
            moved.move(sign * step * np.eye(7)[k][None])  # normalises, so only the part along the sphere counts
            values.append(value(moved.R_m2c[0], moved.t_m2c[0]))
        assert got[k] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-7)


@pytest.mark.parametrize("optimizer", [GradientDescent(), Adam()])
def test_descent_reaches_the_minimum_of_a_bowl(optimizer: FirstOrder) -> None:
    R_goal, t_goal = random_poses(1, seed=9)
    R, t = so3.exp(np.array([[0.2, -0.3, 0.1]])) @ R_goal, t_goal + 0.05
    parameters = Parameters(np.asarray(R), t, length_m=0.1)
    for k in range(400):
        difference = so3.log(parameters.R_m2c @ np.swapaxes(R_goal, 1, 2))
        gradient = np.concatenate([(parameters.t_m2c - t_goal) / 0.01, difference], axis=1)
        optimizer.step(parameters, gradient, np.array([0.05 * 0.99**k]))
    assert np.abs(parameters.t_m2c - t_goal).max() < 1e-3
    assert np.abs(so3.log(parameters.R_m2c @ np.swapaxes(R_goal, 1, 2))).max() < 1e-2


@pytest.mark.parametrize("maker", [GradientDescent, Adam])
def test_hypotheses_do_not_touch_each_other(maker: type[FirstOrder]) -> None:
    R, t = random_poses(4)
    gradient = np.random.default_rng(1).normal(size=(4, 6))
    together, alone = Parameters(R, t, 0.1), Parameters(R[2:3], t[2:3], 0.1)
    batch, single = maker(), maker()
    for _ in range(3):
        batch.step(together, gradient, np.array([0.01, 0.02, 0.03, 0.04]))
        single.step(alone, gradient[2:3], np.array([0.03]))
    assert np.array_equal(together.values[2], alone.values[0])


def test_quaternions_stay_normalised() -> None:
    R, t = random_poses(3)
    parameters = Parameters(R, t, 0.1)
    parameters.move(np.random.default_rng(0).normal(size=(3, 7)))
    assert np.allclose(np.linalg.norm(parameters.values[:, :4], axis=1), 1.0)
