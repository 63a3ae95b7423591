"""Steps that overshoot, go where nothing is to be trusted, or find nothing lower."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.estimate.gauss_newton import Parts
from diffdope.estimate.shortened_steps import CostedPose, shortened_steps
from diffdope.geometry.pose import Pose, difference

TARGET = Pose(np.eye(3), np.array([0.0, 0.0, 0.6]))
OFF = np.array([0.01, -0.02, 0.005, 0.1, 0.0, -0.05])
NONE: Parts = {}


def at(pose: Pose) -> CostedPose:
    return CostedPose(pose, NONE, 1.0 + float(difference(pose, TARGET) @ difference(pose, TARGET)))


def overshooting(factor: float) -> Callable[[Pose, Parts], NDArray[np.float64]]:
    def step(pose: Pose, parts: Parts) -> NDArray[np.float64]:
        return -factor * difference(pose, TARGET)

    return step


@pytest.mark.parametrize("factor", [1.0, 3.0, 6.0])
def test_steps_that_go_up_to_six_times_too_far_lead_down(factor: float) -> None:
    start = at(TARGET.retract(OFF))
    end = shortened_steps(start, overshooting(factor), at, 8)
    assert end.cost - 1.0 < 0.01 * (start.cost - 1.0)


def test_what_is_not_to_be_trusted_is_not_reached() -> None:
    start, asked = at(TARGET.retract(OFF)), []

    def near(pose: Pose) -> CostedPose | None:
        asked.append(pose)
        return at(pose) if np.linalg.norm(difference(pose, start.pose)) < 0.7 * np.linalg.norm(OFF) else None

    end = shortened_steps(start, overshooting(1.0), near, 1)
    assert len(asked) == 2  # the whole, which is refused, and its half
    np.testing.assert_allclose(difference(end.pose, start.pose), -0.5 * OFF, atol=0.02 * np.abs(OFF).max())


def test_where_nothing_is_lower_nothing_moves() -> None:
    start = at(TARGET.retract(OFF))
    assert shortened_steps(start, overshooting(-1.0), at, 4) is start
