"""What several views' answers make together: probabilities of the same pose, and not of each view's best."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.joint.chain import ScenePoses, moved_camera
from diffdope.joint.merge import Single, Vote, graph_of, terms_of, vote
from diffdope.joint.normal_equations import CameraPrior, minimise
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.joint.together import JointTask, closer
from tests.joint.conftest import PLACES

RIGHT = Pose(so3.exp(np.array([0.5, 0.4, -0.6])), np.array([-0.015, 0.01, 0.47]))
QUARTER = Pose(RIGHT.R_m2c @ so3.exp(np.array([0.0, 0.0, 0.5 * np.pi])), RIGHT.t_m2c)
THIRD = Pose(RIGHT.R_m2c @ so3.exp(np.array([2.0, 0.0, 0.0])), RIGHT.t_m2c)
KNOWN = np.diag(np.repeat([0.0005, 0.005], 3) ** 2)


def voted(refiner: SceneRefiner, *views: list[tuple[Pose, float]], places: list[Pose] | None = None) -> Vote:
    """Of views with these answers, poses in the world with their probabilities."""
    places = places or list(PLACES[: len(views)])
    singles = {
        number: Single(cast(Any, None), tuple((place @ pose, p) for pose, p in answers), KNOWN, np.diag(KNOWN))
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


def test_cameras_that_are_off_are_where_views_put_them_and_not_where_a_failed_one_does(refiner: SceneRefiner) -> None:
    """Each view knows two objects to a tenth of a millimetre; one sees the second badly, 15 mm and 6 degrees off."""
    objects = (RIGHT, Pose(so3.exp(np.array([0.3, -0.4, 0.6])), np.array([0.025, 0.0, 0.55])))
    floor = np.repeat([0.002, np.radians(1.0)], 3) ** 2
    sure = np.diag(np.repeat([0.0001, 0.001], 3) ** 2)
    wrong = objects[1].retract([0.009, -0.009, 0.009, 0.06, -0.06, 0.06])
    singles = {
        (view, obj): Single(cast(Any, None), ((place @ pose, 0.95),), sure + np.diag(floor), floor)
        for view, place in enumerate(PLACES)
        for obj, pose in enumerate(objects)
    }
    singles[0, 1] = singles[0, 1]._replace(answers=((PLACES[0] @ wrong, 0.1),))
    away = {
        1: np.array([0.004, -0.003, 0.005, 0.008, 0.006, -0.007]),
        2: np.array([-0.004, 0.004, 0.0, 0.0, 0.01, 0.0]),
    }
    cameras = tuple(moved_camera(one, away[n]) if n in away else one for n, one in enumerate(PLACES))
    priors = {view: CameraPrior(cameras[view], (0.008, 1.0)) for view in away}
    task = JointTask(refiner.refiners, {}, singles, cameras, priors)
    votes = [vote({v: one for (v, o), one in singles.items() if o == k}, cameras, priors, r)
             for k, r in enumerate(refiner.refiners)]  # fmt: skip
    start = ScenePoses(tuple(one.pose for one in votes), cameras)
    graph = graph_of(votes, singles)
    before = minimise(
        start, lambda state: terms_of(graph, state), task.unknowns, priors, iterations=20, units=task.units(start),
        tolerance=1e-4, agreed=True,
    ).state  # fmt: skip
    found = closer(before, task, votes)

    def worst(state: ScenePoses) -> float:
        return 1e3 * max(one.distance_to(true) for one, true in zip(state.objects, objects, strict=True))

    assert worst(found) < 0.5 < 1.0 < worst(before)
    assert all(one.distance_to(true) < 1e-3 for one, true in zip(found.cameras, PLACES, strict=True))
    assert closer(before, JointTask(refiner.refiners, {}, singles, cameras, {}), votes) is before
