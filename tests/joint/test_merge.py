"""What several views' answers make together: probabilities of the same pose, and not of each view's best."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.joint.merge import Single, Vote, vote
from diffdope.joint.scene_refiner import SceneRefiner
from tests.joint.conftest import PLACES

RIGHT = Pose(so3.exp(np.array([0.5, 0.4, -0.6])), np.array([-0.015, 0.01, 0.47]))
QUARTER = Pose(RIGHT.R_m2c @ so3.exp(np.array([0.0, 0.0, 0.5 * np.pi])), RIGHT.t_m2c)
THIRD = Pose(RIGHT.R_m2c @ so3.exp(np.array([2.0, 0.0, 0.0])), RIGHT.t_m2c)
KNOWN = np.diag(np.repeat([0.0005, 0.005], 3) ** 2)


def voted(refiner: SceneRefiner, *views: list[tuple[Pose, float]], places: list[Pose] | None = None) -> Vote:
    """Of views with these answers, poses in the world with their probabilities."""
    places = places or list(PLACES[: len(views)])
    singles = {
        number: Single(cast(Any, None), tuple((place @ pose, p) for pose, p in answers), KNOWN)
        for number, (place, answers) in enumerate(zip(places, views, strict=True))
    }
    return vote(singles, places, {}, refiner.refiners[0])


def turned_deg(one: Vote, pose: Pose) -> float:
    return float(np.degrees(one.pose.angle_to(pose)))


def test_a_view_gives_a_pose_what_it_gives_that_pose(refiner: SceneRefiner) -> None:
    """One camera shows the connector of a motor, one does not: its best answer is no support for another."""
    tells, does_not = [(RIGHT, 0.8), (QUARTER, 0.05)], [(QUARTER, 0.6), (RIGHT, 0.2)]
    for views in ((tells, does_not), (does_not, tells)):
        found = voted(refiner, *views)
        assert turned_deg(found, RIGHT) < 0.1 and set(found.agreeing) == {0, 1} and found.clear
        assert found.share == pytest.approx(0.16 / (0.16 + 0.03), rel=0.02)


def test_views_of_which_none_tells_leave_it_open(refiner: SceneRefiner) -> None:
    found = voted(refiner, [(RIGHT, 0.5), (QUARTER, 0.45)], [(QUARTER, 0.45), (RIGHT, 0.5)])
    assert found.share < 0.6
    assert voted(refiner, [(RIGHT, 0.95)], [(RIGHT, 0.9)]).share == 1.0


def test_a_view_that_knows_nothing_decides_nothing(refiner: SceneRefiner) -> None:
    """The object is hidden in the last one: of its poor answers, two happen to be the wrong ones of the others."""
    tells, does_not = [(RIGHT, 0.8), (QUARTER, 0.05)], [(QUARTER, 0.6), (RIGHT, 0.2)]
    found = voted(refiner, tells, does_not, [(THIRD, 0.02), (QUARTER, 0.02)])
    assert turned_deg(found, RIGHT) < 0.1 and found.share > 0.8


def test_two_views_outvote_one_that_is_sure_of_another_pose(refiner: SceneRefiner) -> None:
    found = voted(refiner, [(THIRD, 0.95)], [(RIGHT, 0.8)], [(RIGHT, 0.7)])
    assert turned_deg(found, RIGHT) < 0.1 and set(found.against) == {0} and found.share > 0.9
