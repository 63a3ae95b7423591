from __future__ import annotations

import numpy as np

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.search.proposals.around_prior import around_prior
from diffdope.search.selection import non_maximum_suppression

START = Pose(so3.exp(np.array([0.3, -0.2, 0.5])), np.array([0.1, 0.0, 0.8]))


def draw(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return around_prior(START, count, angle_rad=0.5, distance_m=0.02, rng=np.random.default_rng(seed))


def test_hypotheses_fill_the_two_balls_and_begin_with_the_start() -> None:
    R, t = draw(4000)
    assert np.allclose(R[0], START.R_m2c)
    assert np.array_equal(t[0], START.t_m2c)
    angle = np.linalg.norm(so3.log(R @ START.R_m2c.T), axis=1)
    distance = np.linalg.norm(t - START.t_m2c, axis=1)
    for size, radius in ((angle, 0.5), (distance, 0.02)):
        assert size.max() <= radius
        # Evenly in a ball: an eighth lies within half the radius.
        assert abs(np.mean(size[1:] < 0.5 * radius) - 0.125) < 0.02


def test_the_first_do_not_depend_on_how_many_there_are() -> None:
    few, many = draw(5), draw(50)
    assert np.array_equal(few[0], many[0][:5])
    assert np.array_equal(few[1], many[1][:5])


def test_the_best_are_kept_and_doubles_are_not() -> None:
    R, t = np.repeat(np.eye(3)[None], 4, 0), np.zeros((4, 3))
    t[1] = [0.001, 0, 0]  # the same pose as number 0, for all that matters
    t[2] = [0.5, 0, 0]
    R[3] = so3.exp(np.array([0.0, 0.0, 1.0]))
    cost = np.array([2.0, 1.0, 3.0, 0.5])
    kept = non_maximum_suppression(R, t, cost, 3, angle_rad=0.05, distance_m=0.01)
    assert kept.tolist() == [3, 1, 2]
    assert non_maximum_suppression(R, t, cost, 1, angle_rad=0.05, distance_m=0.01).tolist() == [3]
