"""Several instances of one object in a depth image that no mask divides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, code_of
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.locating import instances
from diffdope.pipelines.locating.instances import check_fits
from diffdope.pipelines.locating.seen_instances import (
    SeenInstance,
    as_sure_as_seen,
    seen_instance,
    settled,
    together,
)
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status, nothing_compared
from diffdope.pipelines.settings import preset
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.answers import Answer
from tests.search.test_cut_masks import tee

CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
TABLE_M = 0.56
HALF = Pose(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # under which a tee looks the same
# They touch in the picture: the second lies across the first, the third beside both. The fourth is nearly hidden.
TRUTHS = (
    Pose(so3.exp(np.array([1.2, 0.3, 0.2])), np.array([-0.04, 0.0, 0.53])),
    Pose(so3.exp(np.array([0.4, 1.3, -0.6])), np.array([0.03, 0.02, 0.48])),
    Pose(so3.exp(np.array([-1.4, 0.2, 0.8])), np.array([0.10, -0.03, 0.52])),
    Pose(so3.exp(np.array([0.4, 1.3, -0.6])), np.array([0.035, 0.022, 0.535])),
)


def heap(mesh: Mesh, poses: tuple[Pose, ...]) -> Observation:
    """Depth of instances on a table, with a camera's noise."""
    depth = np.full((CAMERA.height, CAMERA.width), TABLE_M)
    for pose in poses:
        images = Renderer(mesh, CAMERA).render(pose.R_m2c[None], pose.t_m2c[None])
        drawn = images.depth[0] / np.maximum(images.coverage[0], 0.5)
        depth = np.where((images.coverage[0] > 0.5) & (drawn < depth), drawn, depth)
    noise = np.random.default_rng(1).normal(0.0, 0.0007, depth.shape)
    return Observation(CAMERA, depth=(depth + noise).astype(np.float32))


def seen_of(refiner: Refiner, observation: Observation, truth: Pose) -> SeenInstance:
    """A located instance, a few millimetres off its truth, as a search hands it on."""
    off = Pose(truth.R_m2c, truth.t_m2c + np.array([0.002, 0.001, 0.001]))
    result = refiner._searcher(observation).attempt(refiner.preset, observation, refiner.frame.enter(off)).result
    pose = refiner.frame.enter(off)
    result = replace(result, pose=pose, answers=(Answer(pose, 0.95),), none_of_these=0.05, confidence=0.95)
    one = seen_instance(result, refiner.meshes, observation, refiner.preset.resolved_search)
    assert one is not None and one.sure
    return one


def is_of(result: RefinementResult, truth: Pose) -> bool:
    turn = min(result.pose.angle_to(truth), result.pose.angle_to(truth @ HALF))
    return turn < np.radians(3.0) and result.pose.distance_to(truth) < 0.003


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(tee(), seed=0, threads=1)


@pytest.fixture(scope="module")
def found(refiner: Refiner) -> list[RefinementResult]:
    return refiner.locate_all(heap(refiner.mesh, TRUTHS))


def test_each_that_lies_on_top_is_found_once(found: list[RefinementResult]) -> None:
    assert [sum(is_of(one, truth) for one in found) for truth in TRUTHS[:3]] == [1, 1, 1]
    assert all((one.confidence or 0.0) > 0.5 for one in found if any(is_of(one, truth) for truth in TRUTHS[:3]))


def test_each_names_the_half_turn_that_nobody_would_notice(
    refiner: Refiner, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    seen = instances.seen_instance

    def bare(result: RefinementResult, *given: Any) -> SeenInstance | None:
        """As if no search had come to the half turn."""
        answers = tuple(Answer(one.pose, one.probability) for one in result.answers)
        return seen(replace(result, answers=answers), *given)

    monkeypatch.setattr(instances, "seen_instance", bare)
    (found,) = refiner.locate_all(heap(refiner.mesh, TRUTHS[:1]), most=1)
    first = found.answers[0]
    assert len(first.alternatives) == len(first.symmetry) == 1
    off = first.alternatives[0], first.pose @ HALF
    assert off[0].angle_to(off[1]) < np.radians(5.0) and off[0].distance_to(off[1]) < 0.003
    assert first.symmetry[0].startswith("turned by 180 degrees")


def test_nothing_else_is_sure(found: list[RefinementResult]) -> None:
    assert [one for one in found if (one.confidence or 0.0) > 0.5 and not any(is_of(one, t) for t in TRUTHS)] == []


def test_the_surest_comes_first(found: list[RefinementResult]) -> None:
    sure = [one.confidence or 0.0 for one in found]
    assert sure == sorted(sure, reverse=True)


def test_the_surest_comes_first_by_what_the_last_look_says(
    refiner: Refiner, found: list[RefinementResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hints and what contradicts the inputs change confidences: the last of a search may be the first."""
    first = found[0]
    assert len(found) > 1

    def doubted(result: RefinementResult, *_: object) -> RefinementResult:
        return replace(result, confidence=0.1) if result.pose.distance_to(first.pose) < 1e-6 else result

    monkeypatch.setattr("diffdope.pipelines.refiner.seen_in", doubted)
    again = [one.confidence or 0.0 for one in refiner.locate_all(heap(refiner.mesh, TRUTHS))]
    assert 0.1 in again and again[0] != 0.1 and again == sorted(again, reverse=True)


def test_probabilities_are_plain_numbers(found: list[RefinementResult]) -> None:
    assert {type(answer.probability) for one in found for answer in one.answers} == {float}
    assert {type(one.none_of_these) for one in found} == {float}


def test_no_more_are_looked_for_than_were_asked_for(refiner: Refiner) -> None:
    said: list[tuple[int, int, float]] = []
    found = refiner.locate_all(heap(refiner.mesh, TRUTHS), most=1, progress=lambda *told: said.append(told))
    assert len(found) == 1
    assert {(done, most) for done, most, _ in said} == {(1, 1)}
    assert any(is_of(found[0], truth) for truth in TRUTHS)


def test_each_that_is_sure_is_handed_out_at_once(refiner: Refiner, found: list[RefinementResult]) -> None:
    handed: list[RefinementResult] = []
    again = refiner.locate_all(heap(refiner.mesh, TRUTHS), on_instance=handed.append)
    assert [one.pose.matrix.tolist() for one in again] == [one.pose.matrix.tolist() for one in found]
    assert [sum(is_of(one, truth) for one in handed) for truth in TRUTHS[:3]] == [1, 1, 1]
    # Whose neighbours were found later is refined once more.
    assert all(min(one.pose.distance_to(other.pose) for other in found) < 0.002 for one in handed)


def test_what_others_hide_is_refined_once_more(refiner: Refiner) -> None:
    """The first of two that touch, found alone, did not know what hides it; the depth of a tilted one drew it along."""
    observation = heap(refiner.mesh, TRUTHS[:2])
    searcher = refiner._searcher(observation)
    kept = [seen_of(refiner, observation, truth) for truth in TRUTHS[:2]]
    again = together(kept, searcher, refiner.preset, observation)
    assert again[1] is kept[1]  # nothing is before it
    assert again[0] is not kept[0] and again[0].told is None
    away_m = [one[0].result.pose.distance_to(refiner.frame.enter(TRUTHS[0])) for one in (kept, again)]
    assert away_m[1] < 0.5 * away_m[0]
    assert (again[0].result.confidence or 0.0) <= (kept[0].result.confidence or 0.0)


def test_what_others_lead_elsewhere_is_hardly_believed(refiner: Refiner, monkeypatch: pytest.MonkeyPatch) -> None:
    observation = heap(refiner.mesh, TRUTHS[:2])
    searcher = refiner._searcher(observation)
    kept = [seen_of(refiner, observation, truth) for truth in TRUTHS[:2]]
    far = Pose(kept[0].result.pose.R_m2c, kept[0].result.pose.t_m2c + 0.05)
    elsewhere = replace(kept[0].result, pose=far, initial_cost=0.02, cost=0.0195)
    monkeypatch.setattr(searcher, "attempt", lambda *_: Attempt(elsewhere, None))
    assert together(kept, searcher, refiner.preset, observation)[0] is kept[0]  # it costs as much
    monkeypatch.setattr(searcher, "attempt", lambda *_: Attempt(replace(elsewhere, cost=0.01), None))
    again = together(kept, searcher, refiner.preset, observation)
    assert again[0].result.pose is kept[0].result.pose and not again[0].sure and not again[0].shown
    assert NoteCode.UNCONFIRMED in [code_of(note) for note in again[0].result.notes]


def test_who_has_enough_ends_the_search(refiner: Refiner) -> None:
    handed: list[RefinementResult] = []

    def enough(one: RefinementResult) -> bool:
        handed.append(one)
        return True

    found = refiner.locate_all(heap(refiner.mesh, TRUTHS), on_instance=enough)
    assert len(handed) == 1 and found[0] is handed[0]
    assert any(is_of(handed[0], truth) for truth in TRUTHS)


def test_what_contradicts_a_result_takes_no_pixels(
    refiner: Refiner, found: list[RefinementResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part of which an image shows the mirror image is not there, and hides nothing."""

    def failed(result: RefinementResult, *_: object) -> RefinementResult:
        return replace(result, status=Status.FAILED)

    monkeypatch.setattr("diffdope.pipelines.refiner.seen_in", failed)
    handed: list[RefinementResult] = []
    assert refiner.locate_all(heap(refiner.mesh, TRUTHS), on_instance=handed.append) == []
    assert handed == []


def test_what_depth_hardly_shows_is_hardly_believed(found: list[RefinementResult]) -> None:
    search, one = preset("default").resolved_search, found[0]
    assert as_sure_as_seen(one, 0.6, search) is one
    some = as_sure_as_seen(one, 0.45, search)
    assert 0.25 < (some.confidence or 0.0) < (one.confidence or 0.0)
    hardly = as_sure_as_seen(one, 0.3, search)
    assert (hardly.confidence or 0.0) <= 0.25
    assert [code_of(note) for note in hardly.notes].count(NoteCode.LITTLE_SEEN) == 1
    again = as_sure_as_seen(hardly, 0.35, search)
    assert next(note for note in again.notes if code_of(note) is NoteCode.LITTLE_SEEN).startswith("depth shows 35 %")
    assert len(again.notes) == len(hardly.notes)


def test_what_lies_beyond_the_picture_is_not_seen(refiner: Refiner, found: list[RefinementResult]) -> None:
    seen = []
    for across_m in (0.0, 0.265):
        truth = Pose(TRUTHS[0].R_m2c, np.array([across_m, 0.0, 0.5]))
        pose = refiner.frame.enter(truth)
        sure = replace(found[0], pose=pose, answers=(Answer(pose, 0.95),), none_of_these=0.05, confidence=0.95)
        observation = heap(refiner.mesh, (truth,))
        one = seen_instance(sure, refiner.meshes, observation, refiner.preset.resolved_search)
        assert one is not None
        seen.append(one.result.confidence or 0.0)
    assert seen[0] == 0.95 and seen[1] < 0.3


def test_what_is_unsure_takes_no_pixels_from_what_is_sure(found: list[RefinementResult]) -> None:
    sure = replace(found[0], confidence=0.6)
    # Both answers of a coin are right as often, whatever they say of themselves.
    coin = replace(found[0], confidence=0.7, status=Status.AMBIGUOUS)
    aside = replace(found[0], confidence=0.3)
    whole, left, right = np.ones((4, 8), np.bool_), np.zeros((4, 8), np.bool_), np.zeros((4, 8), np.bool_)
    left[:, :4], right[:, 4:] = True, True
    given = [SeenInstance(coin, whole), SeenInstance(aside, right), SeenInstance(sure, left)]
    assert [one.sure for one in given] == [False, False, True]
    assert [one.result for one in settled(given, 9)] == [sure, aside]
    assert [one.result for one in settled(given, 1)] == [sure]


def test_places_at_which_the_same_pose_fails_twice_are_left_out(
    refiner: Refiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would lead to the same a third time."""
    asked: list[int] = []

    def failing(apart_m: float) -> list[RefinementResult]:
        def unmasked(*_: object, **__: object) -> Attempt:
            asked.append(len(asked))
            there = Pose(np.eye(3), np.array([0.0, 0.0, 0.5 + apart_m * len(asked)]))
            return Attempt(nothing_compared(there, Status.FAILED, ""), None)

        monkeypatch.setattr(instances, "unmasked", unmasked)
        return refiner.locate_all(heap(refiner.mesh, TRUTHS))

    assert failing(apart_m=0.1) == [] and len(asked) > 4
    differing = len(asked)
    asked.clear()
    assert failing(apart_m=0.0) == [] and 2 <= len(asked) < differing


def test_an_empty_table_shows_none(refiner: Refiner) -> None:
    assert refiner.locate_all(heap(refiner.mesh, ())) == []


def test_an_object_as_small_as_a_wrong_unit_makes_it_is_refused() -> None:
    check_fits(10_000, 0.03)
    with pytest.raises(DiffDopeError, match="39000 places for an object of 3 mm; is the mesh's unit right"):
        check_fits(39_000, 0.003)


def test_depth_is_needed(refiner: Refiner) -> None:
    grey = Observation(CAMERA, rgb=np.full((CAMERA.height, CAMERA.width, 3), 0.5, np.float32))
    with pytest.raises(DiffDopeError, match="observation: expected depth, got rgb; depth tells"):
        refiner.locate_all(grey)
    with pytest.raises(DiffDopeError, match="on_instance: expected a function or None, got 3"):
        refiner.locate_all(heap(refiner.mesh, ()), on_instance=3)  # type: ignore[arg-type]
