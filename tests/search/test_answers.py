"""Answers: probabilities, poses that look the same, and two answers for one piece."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.experiments.shapes import primitives
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose, between
from diffdope.pipelines.locating.instance_assignment import Located, settled
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.render.renderer import Renderer
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.alternatives.answers import answers_of
from diffdope.search.mesh_levels import MeshLevels

Z_QUARTER, Z_HALF = (so3.exp(np.array([0.0, 0.0, angle])) for angle in (0.5 * np.pi, np.pi))
HERE = Pose(so3.exp(np.array([0.4, -0.2, 0.9])), np.array([0.01, 0.02, 0.5]))


def turned(R: np.ndarray) -> Pose:
    return Pose(HERE.R_m2c @ R, HERE.t_m2c)


@pytest.mark.parametrize(
    ("name", "R", "unnoticed"),
    [
        ("box", Z_HALF, True),
        ("box", Z_QUARTER, False),
        ("box, label", Z_HALF, False),
        ("cube", Z_QUARTER, True),
        ("cube", so3.exp(np.array([0.0, 0.0, 0.25 * np.pi])), False),
        ("cylinder", so3.exp(np.array([0.0, 0.0, 0.6])), True),
        ("cylinder, label", so3.exp(np.array([0.0, 0.0, 0.6])), False),
        ("cylinder", so3.exp(np.array([0.6, 0.0, 0.0])), False),
        ("sphere", so3.exp(np.array([0.3, -0.5, 0.6])), True),
    ],
)
def test_shape_and_paint_tell_which_turns_go_unnoticed(name: str, R: np.ndarray, unnoticed: bool) -> None:
    assert Alikeness(primitives()[name].mesh).unnoticed(R, np.zeros(3)) is unnoticed


def test_without_paint_the_shape_alone_tells() -> None:
    painted = primitives()["box, label"].mesh
    bare = Mesh(painted.vertices_m, painted.faces)
    assert Alikeness(bare).unnoticed(Z_HALF, np.zeros(3))
    assert not Alikeness(bare).unnoticed(Z_HALF, np.array([0.02, 0.0, 0.0]))


def test_poses_of_which_each_is_right_if_the_other_is_are_one_answer() -> None:
    meshes = MeshLevels(primitives()["box, label"].mesh)
    alike, beside = meshes.alikeness, HERE.retract([0.0, 0.0, 0.0, 0.0, np.radians(9.0), 0.0])
    assert not alike.unnoticed(*between(HERE, beside))
    odds, apart_m = np.log([9.0, 8.0]), meshes.apart_m(HERE, beside)
    for tolerance_m, count in ((1.1 * apart_m, 1), (0.9 * apart_m, 2)):
        answers = answers_of([HERE, beside], odds, alike, apart_m=meshes.apart_m, tolerance_m=tolerance_m)
        assert len(answers.ranked) == count


def test_the_last_steps_of_the_surest_make_no_second_answer_of_its_place() -> None:
    mesh = primitives()["box, label"].mesh
    alike, moved = Alikeness(mesh), HERE.retract([0.0, 0.0, 0.06 * mesh.diameter, 0.0, 0.0, 0.0])
    assert len(answers_of([moved, HERE], np.log([9.0, 9.0]), alike).ranked) == 2
    one = answers_of([moved, HERE], np.log([9.0, 9.0]), alike, compared=[moved, moved])
    assert [answer.pose for answer in one.ranked] == [moved]
    assert one.ranked[0].probability == pytest.approx(0.9)


def test_probabilities_of_answers_and_of_none_sum_to_one() -> None:
    alike = Alikeness(primitives()["box, label"].mesh)
    answers = answers_of([HERE, turned(Z_HALF), turned(Z_QUARTER)], np.log([2.0, 9.0, 1.0]), alike)
    assert [round(one.probability, 6) for one in answers.ranked] == [round(k / 13.0, 6) for k in (9, 2, 1)]
    assert answers.none == pytest.approx(1.0 / 13.0)
    assert np.allclose(answers.ranked[0].pose.matrix, turned(Z_HALF).matrix)
    assert not answers.ambiguous


def test_two_poses_that_fit_alike_are_ambiguous_and_two_that_fit_badly_are_not() -> None:
    alike = Alikeness(primitives()["box, label"].mesh)
    assert answers_of([HERE, turned(Z_HALF)], np.log([9.0, 9.0]), alike).ambiguous
    assert not answers_of([HERE, turned(Z_HALF)], np.log([0.1, 0.1]), alike).ambiguous


def test_what_has_half_of_the_probability_as_results_have_it_is_not_ambiguous() -> None:
    alike = Alikeness(primitives()["box, label"].mesh)
    one = answers_of([HERE, turned(Z_HALF)], np.log([1.2, 0.5]), alike)  # 0.44, 0.19 and none 0.37
    assert one.ranked[0].probability == pytest.approx(1.2 / 2.7)
    assert one.of_first == pytest.approx(1.2 / 1.7 * 1.7**2 / (1.0 + 1.7**2))  # odds of 1.7, squared
    assert not one.ambiguous
    assert answers_of([HERE, turned(Z_HALF)], np.log([2.0, 2.0]), alike).ambiguous


def test_a_first_answer_that_is_hardly_likelier_than_the_second_is_ambiguous() -> None:
    """Of two that fit alike and well, one has half and a bit, by rounding."""
    alike = Alikeness(primitives()["box, label"].mesh)
    one = answers_of([HERE, turned(Z_HALF)], np.log([101.0, 99.0]), alike)
    assert one.of_first > 0.5
    assert one.ambiguous
    assert not answers_of([HERE, turned(Z_HALF)], np.log([100.0, 40.0]), alike).ambiguous


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_box_whose_label_is_turned_away_is_ambiguous(seed: int) -> None:
    mesh = primitives()["box, label"].mesh
    camera = Camera(400.0, 400.0, 159.5, 119.5, 320, 240)
    away = Pose(so3.exp(np.array([2.6, 0.4, 0.2])), np.array([0.0, 0.0, 5.0 * 0.1]))
    drawn = Renderer(mesh, camera).render(away.R_m2c, away.t_m2c)
    mask = drawn.coverage[0] > 0.5
    observation = Observation(camera, depth=np.where(mask, drawn.depth[0], 0.0), mask=mask)
    result = Refiner(mesh, seed=seed).locate(observation)
    assert result.status is Status.AMBIGUOUS
    assert len(result.answers) >= 2


def test_poses_that_look_the_same_are_one_answer_that_names_the_turn() -> None:
    alike = Alikeness(primitives()["box"].mesh)
    answers = answers_of([HERE, turned(Z_HALF), turned(Z_QUARTER)], np.log([9.0, 8.0, 0.5]), alike)
    first, second = answers.ranked
    assert len(first.alternatives) == 1 and np.allclose(first.alternatives[0].matrix, turned(Z_HALF).matrix)
    assert first.symmetry[0].startswith("turned by 180 degrees about model axis (")
    assert first.probability == pytest.approx(9.0 / 10.5)  # not the sum: they are one answer
    assert second.probability == pytest.approx(0.5 / 10.5)


def test_huge_odds_are_no_overflow() -> None:
    alike = Alikeness(primitives()["box, label"].mesh)
    answers = answers_of([HERE, turned(Z_HALF)], np.array([900.0, 899.0]), alike)
    assert answers.ranked[0].probability == pytest.approx(1.0 / (1.0 + np.exp(-1.0)))
    assert 0.0 <= answers.none < 1e-9
    hopeless = answers_of([HERE], np.array([-900.0]), alike)
    assert len(hopeless.ranked) == 1 and hopeless.none == pytest.approx(1.0)


@pytest.fixture(scope="module")
def result() -> RefinementResult:
    mesh, observation, start, _ = packaged_example()
    return Refiner(mesh).refine(observation, start)


def test_two_answers_in_one_place_are_settled_for_the_surer(result: RefinementResult) -> None:
    away = replace(result, pose=Pose(result.pose.R_m2c, result.pose.t_m2c + np.array([0.3, 0.0, 0.0])))
    beside = replace(result, pose=Pose(result.pose.R_m2c @ Z_HALF, result.pose.t_m2c + np.array([0.001, 0.0, 0.0])))
    found = [
        Located(4, replace(beside, confidence=0.7)), Located(9, replace(result, confidence=0.9)), Located(2, away)
    ]  # fmt: skip
    after = settled(found, diameter_m=0.2)
    assert [one.label for one in after] == [4, 9, 2]
    assert after[0].result.status is Status.FAILED and "label 9" in after[0].result.notes[-1]
    assert after[1] == found[1] and after[2] == found[2]


def test_turns_of_a_symmetric_part_agree_about_where_it_is() -> None:
    """Of a plain box, half of the proposals end the other way round: they speak for the pose, not against it."""
    mesh = primitives()["box"].mesh
    camera = Camera(400.0, 400.0, 79.5, 59.5, 160, 120)
    drawn = Renderer(mesh, camera).render(HERE.R_m2c, HERE.t_m2c)
    seen = Observation(camera, depth=drawn.depth[0], mask=drawn.coverage[0])
    found = Refiner(mesh, threads=1, seed=0).locate(seen)
    assert found.evidence is not None and found.evidence.agreement is not None
    assert found.evidence.agreement > 0.9
    assert len(found.answers) == 1 and found.confidence is not None and found.confidence > 0.9
