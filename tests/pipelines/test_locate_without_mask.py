"""Located in a box, or where neither mask nor box says where the object is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.bop.metrics import add
from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import picture, random_pose
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, code_of
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.locating.in_box import surest
from diffdope.pipelines.locating.size_in_piece import surest_by_size
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.problem.failure import Failure
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search import global_search
from diffdope.search.candidates import Candidates
from diffdope.search.ending import Ending
from diffdope.search.proposals import box_masks

MESH, OBSERVATION, START, TRUTH = packaged_example()
UNMASKED = OBSERVATION.without_mask()
SHAPES = primitives()


def box_of(observation: Observation) -> tuple[float, float, float, float]:
    assert observation.mask_box is not None
    x0, y0, x1, y1 = observation.mask_box
    return x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return Refiner(MESH)


@pytest.mark.parametrize("grown", [0.0, 0.06, -0.03])
def test_the_packaged_example_is_found_in_a_box(refiner: Refiner, grown: float) -> None:
    x, y, width, height = box_of(OBSERVATION)
    box = (x - grown * width, y - grown * height, (1 + 2 * grown) * width, (1 + 2 * grown) * height)
    result = refiner.locate(UNMASKED, box=box)
    assert result.ok and 1e3 * add(result.pose, TRUTH, MESH.vertices_m) < 1.0
    assert result.none_of_these is not None
    assert sum(one.probability for one in result.answers) + result.none_of_these == pytest.approx(1.0)
    assert any("drawn from the box" in note for note in result.notes)


def test_half_turns_that_fit_badly_are_not_followed_to_the_end(
    refiner: Refiner, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    ends: list[Pose] = []
    outcome = Ending.outcome

    def counted(ending: Ending, *given: Any) -> Any:
        ends.append(ending.start)
        return outcome(ending, *given)

    monkeypatch.setattr(Ending, "outcome", counted)
    result = refiner.locate(UNMASKED, box=box_of(OBSERVATION))
    assert result.ok
    # In the mask that was drawn, and without it: none of the three half turns costs as little after its levels.
    assert len(ends) == 2 and ends[1].angle_to(result.pose) < np.radians(5.0)


def test_what_is_not_worth_the_time_has_failed(refiner: Refiner) -> None:
    asked: list[float] = []

    def worth(found: Candidates) -> bool:
        asked.append(found.cost)
        return False

    searcher = refiner._searcher(OBSERVATION)
    start = refiner.frame.enter(START)
    refused = searcher.attempt(refiner.preset, OBSERVATION, start, worth=worth).result
    assert refused.status is Status.FAILED and not refused.modalities
    whole = searcher.attempt(refiner.preset, OBSERVATION, start).result
    assert asked == [pytest.approx(whole.cost, rel=0.3)]


def test_shapes_are_found_behind_others() -> None:
    errors, sure = [], []
    shape = SHAPES["box, label"]
    refiner = Refiner(shape.mesh)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = random_pose(rng)
        beside = Pose(random_rotation(rng), truth.t_m2c + np.array([0.05, 0.01, -0.06]))
        seen = picture([(shape.mesh, truth), (SHAPES["cube"].mesh, beside)], rng)
        result = refiner.locate(seen.without_mask(), box=box_of(seen))
        errors.append(1e3 * add(result.pose, truth, shape.mesh.vertices_m))
        sure.append(result.confidence or 0.0)
    wrong = np.array(errors) > 5.0
    assert np.mean(wrong) <= 0.2, errors
    assert max(np.array(sure)[wrong], default=0.0) < 0.9


def test_a_box_beside_the_object_makes_no_sure_result(refiner: Refiner) -> None:
    x, y, width, height = box_of(OBSERVATION)
    result = refiner.locate(UNMASKED, box=(x + 0.55 * width, y, width, height))
    assert not result.ok or any("lies outside of it" in note for note in result.notes), result.message


def test_a_box_with_nothing_measured_in_it_fails(refiner: Refiner) -> None:
    depth = np.array(OBSERVATION.depth)
    x, y, width, height = (int(one) for one in box_of(OBSERVATION))
    depth[y : y + height, x : x + width] = 0.0
    result = refiner.locate(Observation(OBSERVATION.camera, depth=depth), box=(x, y, width, height))
    assert result.status is Status.NO_OVERLAP and not result.ok
    assert "in the box" in result.message and "mask" not in result.message


def test_where_no_piece_stands_out_the_message_asks_for_a_mask_or_a_box(refiner: Refiner) -> None:
    wall = np.full_like(OBSERVATION.depth, 0.7)
    result = refiner.locate(Observation(OBSERVATION.camera, depth=wall))
    assert result.status is Status.NO_OVERLAP and not result.ok
    assert "stands out" in result.message and "give a mask or a box" in result.message
    assert "pixels" not in result.message  # of a mask, which nobody gave


def test_depth_of_points_leads_to_the_object_in_a_box(refiner: Refiner) -> None:
    depth = np.zeros_like(OBSERVATION.depth)
    depth[3::8, 1::3] = np.asarray(OBSERVATION.depth)[3::8, 1::3]  # as a lidar's
    seen = Observation(OBSERVATION.camera, rgb=OBSERVATION.rgb, depth=depth)
    result = refiner.locate(seen, box=box_of(OBSERVATION))
    assert add(result.pose, TRUTH, MESH.vertices_m) < 0.05 * MESH.diameter, result.message


def test_what_makes_no_sense_with_a_box_is_refused(refiner: Refiner) -> None:
    box = box_of(OBSERVATION)
    with pytest.raises(DiffDopeError, match="box: expected none, for the observation has a mask"):
        refiner.locate(OBSERVATION, box=box)
    photograph = Observation(OBSERVATION.camera, rgb=OBSERVATION.rgb)
    plain = Mesh(MESH.vertices_m, MESH.faces)
    with pytest.raises(DiffDopeError, match="a mask that says where the object is, or depth"):
        Refiner(plain).locate(photograph)


def test_a_mask_that_fills_a_rectangle_is_a_box(refiner: Refiner) -> None:
    x, y, width, height = (int(one) for one in box_of(OBSERVATION))
    mask = np.zeros((OBSERVATION.camera.height, OBSERVATION.camera.width), bool)
    mask[y : y + height, x : x + width] = True
    drawn, given = refiner.locate(UNMASKED.with_mask(mask)), refiner.locate(UNMASKED, box=(x, y, width, height))
    assert np.array_equal(drawn.pose.matrix, given.pose.matrix) and drawn.notes == given.notes
    tracked = Refiner(MESH).track(UNMASKED.with_mask(mask))
    assert tracked.ok and 1e3 * add(tracked.pose, TRUTH, MESH.vertices_m) < 1.0  # it is no mask in frames, either


def test_same_seed_same_bits_in_one_thread_and_two() -> None:
    box = box_of(OBSERVATION)
    one, two = (Refiner(MESH, threads=n).locate(UNMASKED, box=box) for n in (1, 2))
    assert np.array_equal(one.pose.matrix, two.pose.matrix) and one.confidence == two.confidence


# ---------------------------------------------------------------- neither


def table() -> Mesh:
    """A metre of table, about its middle."""
    half = 0.5 * np.array([1.0, 1.0])
    vertices = np.array(
        [[-half[0], -half[1], 0], [half[0], -half[1], 0], [half[0], half[1], 0], [-half[0], half[1], 0]]
    )
    return Mesh(vertices, np.array([[0, 1, 2], [0, 2, 3]]), colors=np.full((4, 3), 0.6))


def on_a_table(seed: int) -> tuple[Pose, Observation]:
    """The labelled box and a cube stand on a table that is seen from above at 40 degrees."""
    rng = np.random.default_rng(seed)
    box, cube = SHAPES["box, label"].mesh, SHAPES["cube"].mesh
    tilt = np.radians(140.0)
    R = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    middle = np.array([0.0, 0.02, 0.6])

    def standing(mesh: Mesh, x: float, y: float, turn: float) -> Pose:
        spin = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        lift = -(mesh.vertices_m @ spin.T)[:, 2].min()
        return Pose(R @ spin, middle + R @ np.array([x, y, lift]))

    truth = standing(box, -0.08, 0.0, rng.uniform(0, 2 * np.pi))
    other = standing(cube, 0.1, 0.02, rng.uniform(0, 2 * np.pi))
    return truth, picture([(box, truth), (cube, other), (table(), Pose(R, middle))], rng).without_mask()


def test_what_stands_on_a_table_is_found_without_a_word_about_where() -> None:
    mesh = SHAPES["box, label"].mesh
    refiner = Refiner(mesh)
    right, wrong_and_sure = 0, 0
    for seed in range(6):
        truth, seen = on_a_table(seed)
        result = dd.locate(mesh, seen) if seed == 0 else refiner.locate(seen)
        error = 1e3 * add(result.pose, truth, mesh.vertices_m)
        right += error < 5.0
        wrong_and_sure += error > 5.0 and (result.confidence or 0.0) > 0.9
        assert any("stands out from the planes" in note for note in result.notes)
    assert right >= 5 and wrong_and_sure == 0


def test_an_empty_table_holds_nothing() -> None:
    tilt = np.radians(150.0)
    R = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    seen = picture([(table(), Pose(R, np.array([0.0, 0.0, 0.6])))], np.random.default_rng(0)).without_mask()
    result = Refiner(SHAPES["box, label"].mesh).locate(seen)
    assert not result.ok


def test_none_is_looked_at_after_one_that_is_sure_enough(refiner: Refiner) -> None:
    sure = Attempt(refiner.locate(OBSERVATION), None)
    looked: list[int] = []

    def results():  # type: ignore[no-untyped-def]
        for k in range(3):
            looked.append(k)
            yield sure

    assert surest(results(), 0.5) is sure and looked == [0]
    looked.clear()
    surest(results(), 1.1)
    assert looked == [0, 1, 2]


@pytest.mark.parametrize("times", [0.95, 1.05])
def test_depth_of_another_scale_is_named_where_nothing_says_where_the_object_is(refiner: Refiner, times: float) -> None:
    seen = Observation(UNMASKED.camera, rgb=UNMASKED.rgb, depth=np.float32(times) * UNMASKED.depth)
    result = refiner.locate(seen)
    assert not result.ok and (result.confidence or 0.0) < 0.1, result
    assert NoteCode.DEPTH_SCALE in [code_of(note) for note in result.notes]


@pytest.mark.parametrize("second_ok", [True, False])
def test_another_piece_counts_where_the_size_of_the_first_contradicts_it(refiner: Refiner, second_ok: bool) -> None:
    found = refiner._searcher(OBSERVATION).attempt(refiner.preset, OBSERVATION, refiner.frame.enter(START))
    failed = replace(found.result, status=Status.FAILED, confidence=0.02)
    first, contradicted = found, found._replace(result=failed)
    elsewhere = replace(failed, confidence=0.12)
    second = found._replace(result=replace(found.result, confidence=0.9) if second_ok else elsewhere)

    def of_size(one: Attempt) -> Attempt:
        return contradicted if one is first else one

    assert surest_by_size(iter([first, second]), 0.5, of_size) is (second if second_ok else contradicted)
    assert surest_by_size(iter([second, first]), 1.1, lambda one: one).result.ok


def test_what_would_lie_outside_of_the_picture_is_not_believed(refiner: Refiner) -> None:
    camera = OBSERVATION.camera
    for box in ((camera.width - 40, camera.height - 80, 40, 80), (0, camera.height - 60, 120, 60)):
        for seen in (UNMASKED, Observation(camera, depth=OBSERVATION.depth)):
            result = refiner.locate(seen, box=box)
            assert not result.ok and (result.confidence or 0.0) < 0.5, result


# ---------------------------------------------------------------- what a box leads to


def test_the_search_in_a_mask_begins_with_the_poses_that_led_there(refiner: Refiner) -> None:
    inputs = refiner._searcher(UNMASKED).inputs(refiner.preset, UNMASKED)
    x, y, width, height = box_of(OBSERVATION)
    guesses = box_masks.masks_in_box(inputs, (x, y, x + width - 1.0, y + height - 1.0), 0)
    assert not isinstance(guesses, Failure)
    own = refiner.frame.enter(TRUTH)
    assert guesses[0].poses[0].angle_to(own) < 0.1
    assert guesses[0].poses[0].distance_to(own) < 0.05 * MESH.diameter
    counts = refiner.preset.resolved_search.box.pyramid.hypotheses
    assert 2 <= len(guesses[0].poses) <= counts[-1]  # others than the mask's own, which may be right in it


def test_poses_that_are_known_are_taken_in_place_of_templates(
    refiner: Refiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid: list[int] = []
    everything = global_search.view_sphere

    def counted(*given, **how):  # type: ignore[no-untyped-def]
        laid.append(1)
        return everything(*given, **how)

    monkeypatch.setattr(global_search, "view_sphere", counted)
    own = refiner.frame.enter(TRUTH)
    beside = Pose(own.R_m2c, own.t_m2c + np.array([0.0, 0.0, 0.03 * MESH.diameter]))
    upside_down = Pose(own.R_m2c @ np.diag([1.0, -1.0, -1.0]), own.t_m2c)
    searcher, preset = refiner._searcher(OBSERVATION), refiner.preset
    good = searcher.attempt(preset, OBSERVATION, None, guesses=(upside_down, beside)).result
    assert not laid and good.ok and good.pose.angle_to(own) < 0.02
    # Where none of them convinces, the wider search begins from templates.
    bad = searcher.attempt(preset, OBSERVATION, None, guesses=(upside_down,)).result
    assert laid and bad.pose.angle_to(own) < 0.02


def test_a_mask_like_one_before_it_is_not_searched_again(refiner: Refiner, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = refiner._searcher(UNMASKED).inputs(refiner.preset, UNMASKED)
    x, y, width, height = box_of(OBSERVATION)
    box = (x, y, x + width - 1.0, y + height - 1.0)
    drawn = iter([np.tri(20, dtype=bool), np.tri(20, dtype=bool)])
    monkeypatch.setattr(box_masks, "mask_of", lambda *_: next(drawn))
    alike = box_masks.masks_in_box(inputs, box, 0)
    assert not isinstance(alike, Failure) and len(alike) == 1
    drawn = iter([np.tri(20, dtype=bool), np.tri(20, dtype=bool).T])
    apart = box_masks.masks_in_box(inputs, box, 0)
    assert not isinstance(apart, Failure) and len(apart) == 2
    assert apart[1].poses[0] is not apart[0].poses[0] and set(apart[1].poses) == set(apart[0].poses)
