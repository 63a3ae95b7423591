"""What a viewer shows, without one: moments, bodies, words, and what is said to be missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope import Observation, Pose, RefinementResult, Refiner
from diffdope.errors import DiffDopeError
from diffdope.geometry.so3 import exp
from diffdope.pipelines.result import History
from diffdope.scene.packaged import PackagedExample, packaged_example
from diffdope.search.alternatives.answers import Answer
from diffdope.viewer.content import Content, Moment
from diffdope.viewer.ellipsoid import ellipsoid
from diffdope.viewer.result_content import MOST_HYPOTHESES, result_content
from diffdope.viewer.several_content import Named, images_content, instances_content, track_content
from diffdope.viewer.words import covariance_of_middle, lines_of


@pytest.fixture(scope="module")
def example() -> PackagedExample:
    return packaged_example()


@pytest.fixture(scope="module")
def result(example: PackagedExample) -> RefinementResult:
    return Refiner(example.mesh).locate(example.observation)


def without_history(result: RefinementResult) -> RefinementResult:
    empty = np.empty((0, 0))
    return replace(
        result, history=History(empty, np.empty((0, 0, 0)), np.empty((0, 0, 3, 3)), np.empty((0, 0, 3)), np.empty(0))
    )


def body(moment: Moment, name: str) -> Pose:
    return next(one for one in moment.bodies if one.name == name).poses[0]


def test_each_iteration_of_the_winner_is_a_moment_and_the_last_is_the_result(
    example: PackagedExample, result: RefinementResult
) -> None:
    content = result_content(example.mesh, result, observation=example.observation)
    history, winner = result.history, result.winner
    rows = np.flatnonzero(np.isfinite(history.costs[: result.winner_iteration + 1, winner]))
    assert len(content.titles) == len(rows) + 1 and content.titles[-1] == "result"
    assert content.first == len(rows)
    for k, row in enumerate(rows):
        moment = content.moment(k)
        assert np.array_equal(body(moment, "result").t_m2c, history.t_m2c[row, winner])
        assert f"cost {history.costs[row, winner]:.4f}" in moment.text[0]
        assert moment.view is example.observation
    assert body(content.moment(content.first), "result") is result.pose
    assert not content.missing


def test_the_cheapest_hypotheses_are_shown_beside_the_winner(
    example: PackagedExample, result: RefinementResult
) -> None:
    content = result_content(example.mesh, result)
    first = content.moment(0)
    swarm = next(one for one in first.bodies if one.kind == "hypotheses")
    costs = np.delete(result.history.costs[0], result.winner)
    assert len(swarm.poses) == min(MOST_HYPOTHESES, int(np.isfinite(costs).sum()))
    cheapest = int(
        np.nanargmin(
            np.where(np.arange(len(result.history.costs[0])) == result.winner, np.nan, result.history.costs[0])
        )
    )
    assert np.array_equal(swarm.poses[0].t_m2c, result.history.t_m2c[0, cheapest])


def test_a_result_without_a_history_shows_what_there_is_and_says_what_is_missing(
    example: PackagedExample, result: RefinementResult
) -> None:
    content = result_content(example.mesh, replace(without_history(result), covariance=None))
    assert content.titles == ["result"]
    moment = content.moment(0)
    assert [one.kind for one in moment.bodies] == ["result", "start"]
    assert moment.view is None and moment.pictures() == {}
    assert any("no history.npz" in line for line in content.missing)
    assert any("no uncertainty" in line for line in content.missing)


def test_where_nothing_was_compared_the_start_is_shown_and_said(example: PackagedExample) -> None:
    behind = Pose(example.start.R_m2c, np.array([0.0, 0.0, -1.0]))
    result = Refiner(example.mesh).refine(example.observation, behind)
    content = result_content(example.mesh, result, observation=example.observation)
    assert content.titles == ["start"] and len(content.missing) == 1 and "nothing could be" in content.missing[0]
    assert body(content.moment(0), "result").distance_to(behind) == 0.0
    assert "behind_camera" in content.text[0]


def test_answers_and_those_that_look_alike_are_shown(example: PackagedExample, result: RefinementResult) -> None:
    other, alike = (result.pose.retract([0, 0, 0, 0, 0, angle]) for angle in (1.0, 3.0))
    answers = (Answer(result.pose, 0.6, (alike,), ("turned",)), Answer(other, 0.3))
    content = result_content(example.mesh, replace(result, answers=answers, none_of_these=0.1))
    moment = content.moment(content.first)
    second = next(one for one in moment.bodies if one.name == "answer 2")
    assert second.poses == (other,) and second.label == "answer 2: 0.30"
    assert body(moment, "looks like answer 1") is alike
    assert "2 answers with probabilities 0.60, 0.30" in content.text


def test_pictures_are_of_everything_that_the_images_have(example: PackagedExample, result: RefinementResult) -> None:
    whole = example.observation
    content = result_content(example.mesh, result, observation=whole)
    pictures = content.moment(0).pictures()
    assert set(pictures) == {"start and result", "colours", "depth", "mask"}
    assert all(one.dtype == np.uint8 and one.shape[2] == 3 for one in pictures.values())
    bare = result_content(example.mesh, result, observation=Observation(whole.camera, depth=whole.depth))
    assert set(bare.moment(0).pictures()) == {"start and result", "depth"}


def test_the_words_say_status_confidence_and_notes(result: RefinementResult) -> None:
    many = replace(result, notes=tuple(f"note number {k}" for k in range(11)))
    lines = lines_of(many)
    assert lines[0].startswith(f"{result.status}: ")
    assert f"confidence {result.confidence:.2f}" in lines
    assert lines[-1] == "and 3 more notes" and "note: note number 7" in lines


def test_the_uncertainty_of_the_middle_does_not_depend_on_the_files_origin(
    example: PackagedExample, rng: np.random.Generator
) -> None:
    mesh, pose = example.mesh, Pose(exp(rng.normal(size=3)), np.array([0.0, 0.1, 0.7]))
    offset = np.array([0.4, -0.2, 0.9])
    far, far_pose = mesh.moved(offset), Pose(pose.R_m2c, pose.t_m2c - pose.R_m2c @ offset)
    draws = rng.normal(size=(4000, 6)) * [1e-4, 2e-4, 4e-4, 5e-4, 1e-3, 2e-3]
    own, moved = [], []
    for xi in draws:
        own.append(xi)
        turn = exp(xi[3:])
        new = Pose(turn @ pose.R_m2c, pose.t_m2c + xi[:3])
        t_far = new.t_m2c - new.R_m2c @ offset
        moved.append(np.concatenate([t_far - far_pose.t_m2c, xi[3:]]))
    first = covariance_of_middle(np.cov(np.array(own).T), pose, mesh)
    second = covariance_of_middle(np.cov(np.array(moved).T), far_pose, far)
    assert np.allclose(first, second, rtol=0.02, atol=1e-10)


@pytest.mark.parametrize("scale", [1e-7, 1e-3, 1e-2, 0.5])
def test_an_ellipsoid_has_the_axes_of_the_covariance(scale: float, rng: np.random.Generator) -> None:
    axes, sigmas = exp(rng.normal(size=3)), scale * np.array([1.0, 0.5, 0.1])
    drawn = ellipsoid(axes @ np.diag(sigmas**2) @ axes.T, 0.2)
    reach = np.abs(drawn.mesh.vertices_m @ axes).max(axis=0)
    assert np.allclose(reach / drawn.times, 3.0 * sigmas, rtol=0.03)
    assert reach.max() >= 0.95 * 0.6 * 0.2 and (drawn.times == 1.0 or reach.max() < 2.6 * 0.6 * 0.2)


def test_an_ellipsoid_of_nothing_can_be_drawn() -> None:
    assert np.isfinite(ellipsoid(np.zeros((3, 3)), 0.2).mesh.vertices_m).all()


def test_a_track_shows_each_frame_and_says_where_it_is_lost(example: PackagedExample) -> None:
    asked: list[int] = []

    def view(k: int) -> Observation | None:
        asked.append(k)
        return example.observation if k != 1 else None

    records = [
        {"status": "converged", "message": "fine", "confidence": 0.9, "time_s": 0.0},
        {"status": "lost", "message": "gone", "confidence": None, "time_s": 0.1},
        {"status": "converged", "message": "", "confidence": 0.1, "time_s": 0.2},
    ]
    frames = [(f"{k:06d}", example.truth, record) for k, record in enumerate(records)]
    content = track_content(example.mesh, frames, view, title="t", doubt=0.5)
    assert content.text == ("3 frames, lost in 1",) and not asked
    moments = [content.moment(k) for k in range(3)]
    assert asked == [0, 1, 2]
    colors = [one.bodies[0].color for one in moments]
    assert len(set(colors)) == 3
    assert moments[1].text[:2] == ("lost: gone", "confidence unknown") and moments[1].pictures() == {}
    assert set(moments[0].pictures()) == {"outlines"}
    content.moment(0)
    assert asked == [0, 1, 2]  # the last ones are kept


def test_a_frame_that_cannot_be_read_says_so_and_the_others_are_shown(example: PackagedExample) -> None:
    def view(k: int) -> Observation:
        if k == 0:
            raise DiffDopeError("frame 000000: no image")
        return example.observation

    record = {"status": "converged", "message": "", "confidence": 0.9, "time_s": 0.0}
    frames = [(f"{k:06d}", example.truth, record) for k in range(2)]
    content = track_content(example.mesh, frames, view, title="t", doubt=0.5)
    broken = content.at(0)
    assert broken.text == ("cannot be shown: frame 000000: no image",) and not broken.bodies
    assert content.at(1).bodies


def test_truth_stands_beside_estimates(example: PackagedExample) -> None:
    truth, estimate = (
        Named("object 1", example.mesh, example.truth),
        Named("object 1", example.mesh, example.start, 0.7),
    )
    both = images_content(["a"], lambda _: example.observation, lambda _: [truth], lambda _: [estimate], title="d")
    kinds = [(one.kind, one.opacity < 1.0) for one in both.moment(0).bodies]
    assert kinds == [("truth", True), ("estimates", False)]
    assert "object 1: score 0.700" in both.moment(0).text
    alone = images_content(["a"], lambda _: None, lambda _: [truth], lambda _: [], title="d")
    assert alone.moment(0).bodies[0].own_colors and alone.moment(0).pictures() == {}


def test_an_instance_that_was_not_found_has_no_body(example: PackagedExample, result: RefinementResult) -> None:
    lost = replace(result, modalities=())
    content: Content = instances_content([("1", example.mesh, result), ("2", example.mesh, lost)], view=None, title="i")
    assert [len(one.poses) for one in content.moment(0).bodies] == [1, 0]
    assert len(content.moment(0).text) == 2
