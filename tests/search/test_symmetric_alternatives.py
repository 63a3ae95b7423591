"""Starts that are the wrong way round: the paint decides, where there is any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from diffdope.bop.metrics import add
from diffdope.experiments.shapes import grid_box
from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.note_codes import NoteCode, codes_of
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.problem.failure import Status
from diffdope.problem.level_problem import LevelProblem, LevelRules, prepare_level
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.lookalikes import lookalikes
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.alternatives import symmetric_alternatives as alternatives
from diffdope.search.alternatives.approximate_symmetries import ahead_by
from diffdope.search.alternatives.symmetric_alternatives import (
    FIRST,
    AlternativeScores,
    log_likelihoods,
    odds_of,
    odds_with_costs,
    scores_of,
)
from diffdope.search.ending import Ending
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.base import Comparison, Rendering
from diffdope.terms.registry import ObjectiveSettings
from diffdope.terms.shading import explained

Example = tuple[Mesh, Observation, Pose, Pose]


@pytest.fixture(scope="module")
def example() -> Example:
    return packaged_example()


def turned(example: Example, number: int) -> Pose:
    """The example's truth, the wrong way round, and five degrees off."""
    mesh, _, _, truth = example
    side = lookalikes(mesh)
    off = so3.exp(np.radians([3.0, -3.0, 3.0]))
    return Pose(off @ truth.R_m2c @ side.R[number], truth.t_m2c + truth.R_m2c @ side.t_m[number])


def error_mm(example: Example, pose: Pose) -> float:
    return 1e3 * add(pose, example[3], example[0].vertices_m)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_carton_that_starts_the_wrong_way_round_is_turned(example: Example, number: int) -> None:
    mesh, observation, *_ = example
    start = turned(example, number)
    result = Refiner(mesh).refine(observation, start)
    assert error_mm(example, start) > 40.0
    assert error_mm(example, result.pose) < 0.5
    assert result.ok
    assert NoteCode.TURNED in codes_of(result.notes)


def test_it_can_be_switched_off(example: Example) -> None:
    mesh, observation, *_ = example
    default = PRESETS["default"]
    same_side = replace(default, search=replace(default.search, symmetric_alternatives=False))
    result = Refiner(mesh, preset=same_side).refine(observation, turned(example, 1))
    assert error_mm(example, result.pose) > 40.0
    assert NoteCode.TURNED not in codes_of(result.notes)


def test_without_paint_it_stays_the_way_it_was(example: Example) -> None:
    mesh, observation, *_ = example
    plain = Mesh(mesh.vertices_m, mesh.faces)
    start = turned(example, 1)
    result = Refiner(plain).refine(observation, start)
    assert np.degrees(result.pose.angle_to(start)) < 20.0
    assert result.ok


def test_a_start_the_right_way_round_stays_so(example: Example) -> None:
    mesh, observation, start, _ = example
    result = Refiner(mesh).refine(observation, start)
    assert error_mm(example, result.pose) < 0.5
    assert NoteCode.TURNED not in codes_of(result.notes)


def test_which_sides_are_worth_a_try() -> None:
    odds, one = np.array([2.0, 2.0, 2.0, 0.4, 2.0]), np.zeros(5)
    detail = np.array([0.5, 0.46, 0.44, 0.9, 0.0])
    texture = np.array([0.3, 0.3, 0.3, 0.9, 0.34])
    assert AlternativeScores(odds, texture, detail).promising().tolist() == [1, 4]  # 2 has nothing, 3 does not fit
    assert AlternativeScores(odds + np.array([0, 0.1, 0.3, 0, -0.1])).promising().tolist() == [
        2,
        1,
    ]  # without colours, what has better odds
    assert AlternativeScores(odds, one, one).total.tolist() == odds.tolist()
    assert AlternativeScores(odds).total.tolist() == odds.tolist()


def whole_picture(mesh: Mesh, observation: Observation, pose: Pose) -> LevelProblem:
    window = CropWindow(0, 0, observation.camera.width, observation.camera.height, 1)
    return prepare_level(
        Buffers(mesh), observation, pose, window, ObjectiveSettings(), LevelRules(),
        length_m=mesh.diameter, with_normal=False,
    )  # fmt: skip


def test_the_first_is_preferred_among_equals(example: Example) -> None:
    mesh, observation, _, truth = example
    level = whole_picture(mesh, observation, truth)
    odds = odds_of([truth, truth, turned(example, 1)], level, Buffers(mesh), mesh.diameter)
    assert odds[0] > odds[1] > odds[2]
    assert odds[1] > odds[2] + 3.0


def test_a_start_speaks_for_all_that_lies_as_near_to_it_as_what_was_found() -> None:
    """Found one bar of 20 degrees on, from a start of 8: the bar before lies nearer, the one beyond farther off."""
    start, found, before, beyond = (Pose(so3.exp(np.radians([0.0, 0.0, deg])), np.zeros(3)) for deg in (8, 20, 0, 40))
    assert np.array_equal(ahead_by(start, [found, before, beyond, found]), [FIRST, FIRST, 0.0, FIRST])
    assert np.array_equal(ahead_by(before, [before, found, beyond]), [FIRST, 0.0, 0.0])
    assert np.array_equal(ahead_by(None, [found, before, found]), [FIRST, 0.0, 0.0])


def test_what_was_found_is_not_ahead_of_a_turn_nearer_to_the_start(example: Example) -> None:
    mesh, observation, _, truth = example
    level = whole_picture(mesh, observation, truth)
    turn = so3.exp(np.radians([0.0, 0.0, 5.0]))
    on, start = Pose(turn @ truth.R_m2c, truth.t_m2c), Pose(turn.T @ truth.R_m2c, truth.t_m2c)
    by_start = odds_with_costs([on, truth], level, Buffers(mesh), mesh.diameter, ahead=ahead_by(start, [on, truth]))
    plain = odds_with_costs([on, truth], level, Buffers(mesh), mesh.diameter)
    farther = odds_with_costs([on, truth], level, Buffers(mesh), mesh.diameter, ahead=ahead_by(on, [on, truth]))
    assert by_start[1] - by_start[0] == pytest.approx(plain[1] - plain[0])
    assert farther[1] - farther[0] == pytest.approx(plain[1] - plain[0] - FIRST)


def test_what_costs_less_on_the_same_pixels_is_likelier(example: Example) -> None:
    mesh, observation, _, truth = example
    bare = Mesh(mesh.vertices_m, mesh.faces)
    level = whole_picture(bare, observation, truth)
    beside = [Pose(truth.R_m2c, truth.t_m2c + np.array([off_m, 0.0, 0.0])) for off_m in (0.0, 0.0, 1e-3, 2e-3)]
    told = log_likelihoods(beside, level, mesh.diameter)
    assert told[0] == told[1] > told[2] > told[3]
    assert told[0] - told[2] > 1.0  # less than a percent of the diameter, which fit qualities do not see


def in_grey(observation: Observation, shape: str) -> Observation:
    assert observation.rgb is not None
    luma = np.asarray(np.rint(255.0 * observation.rgb @ [0.299, 0.587, 0.114]), np.uint8)
    rgb = luma if shape == "one channel" else np.repeat(luma[..., None], 3, axis=2)
    return Observation(observation.camera, rgb=rgb, depth=observation.depth, mask=observation.mask)


@pytest.mark.parametrize("shape", ["one channel", "three channels"])
def test_a_grey_photograph_is_compared_with_the_mesh_in_grey(example: Example, shape: str) -> None:
    mesh, observation, start, _ = example
    seen = in_grey(observation, shape)
    assert seen.is_grey
    assert not observation.is_grey
    ours = Refiner(mesh).refine(seen, start)
    theirs = Refiner(mesh.in_grey()).refine(seen, start)
    assert np.array_equal(ours.pose.matrix, theirs.pose.matrix)
    assert error_mm(example, ours.pose) < 0.5


@pytest.mark.parametrize("number", [1, 2, 3])
def test_details_tell_the_way_round_in_grey(example: Example, number: int) -> None:
    mesh, observation, *_ = example
    result = Refiner(mesh).refine(in_grey(observation, "one channel"), turned(example, number))
    assert error_mm(example, result.pose) < 0.5


def test_details_do_not_count_what_a_shade_changes() -> None:
    odds, texture, local = np.zeros(2), np.array([0.3, 0.1]), np.array([0.5, 0.7])  # of a face in the shade
    scores = AlternativeScores(odds, texture, local)
    assert scores.total[0] == pytest.approx(scores.total[1])
    assert scores.by_details[1] - scores.by_details[0] == pytest.approx(2.4)


def test_what_differs_in_colour_alone_is_no_symmetry_in_grey(example: Example) -> None:
    meshes = MeshLevels(example[0])
    assert meshes.in_grey is meshes.in_grey
    assert meshes.in_grey.in_grey is meshes.in_grey
    assert meshes.in_grey.mesh.is_grey
    assert meshes.in_grey.alikeness is meshes.alikeness


def test_what_a_level_has_drawn_already_scores_as_if_it_were_drawn_anew(example: Example) -> None:
    mesh, observation, _, truth = example
    buffers, other = Buffers(mesh, threads=1), Buffers(mesh, threads=1)
    rules, settings = LevelRules("gain-bias"), ObjectiveSettings()
    window = CropWindow(0, 0, observation.camera.width, observation.camera.height, 4)
    level = prepare_level(
        buffers, observation, turned(example, 0), window, settings, rules, length_m=mesh.diameter, with_normal=True
    )
    side = lookalikes(mesh)
    R, t = truth.R_m2c @ side.R, truth.t_m2c + side.t_m @ truth.R_m2c.T
    images = level.drawn(buffers, truth)
    assert level.drawn(buffers, truth) is images
    anew, again = (scores_of(R, t, level, buffers, mesh.diameter, first) for first in (None, truth))
    assert anew.local is not None and again.local is not None
    assert np.array_equal(anew.odds, again.odds) and np.array_equal(anew.local, again.local)
    assert len(again.odds) == len(side) > 1
    assert level.drawn(other, truth) is not images  # another mesh
    moved = level.drawn(buffers, turned(example, 1))
    assert not np.array_equal(moved.rgb, images.rgb)
    assert np.array_equal(level.drawn(buffers, truth).rgb, images.rgb)


def packet() -> Mesh:
    """A packet whose front is dark with pale spots, and its back pale with dark ones."""
    vertices, faces = grid_box(np.array([0.08, 0.12, 0.03]), 24)
    waves = np.sin(170.0 * vertices[:, 0] + 1.0) * np.sin(110.0 * vertices[:, 1] + 2.0) > 0.6
    front = vertices[:, 2] > 0.0
    shade = np.where(front, np.where(waves, 0.7, 0.2), np.where(waves, 0.3, 0.8))
    return Mesh(vertices, faces, colors=shade[:, None] * np.array([0.6, 0.9, 0.7]))


def test_the_light_of_a_wrong_face_does_not_speak_against_the_right_one() -> None:
    """Whichever of both was found first, more speaks for the right one."""
    mesh = packet()
    buffers = Buffers(mesh)
    right = Pose(so3.exp(np.array([0.3, 0.2, 0.1])) @ np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 0.5]))
    wrong = Pose(right.R_m2c @ np.diag([-1.0, 1.0, -1.0]), right.t_m2c)
    seen = picture([(mesh, right)], np.random.default_rng(0), noise=SensorNoise(0.01, 0.001, 0.0, 0.0))
    window = CropWindow(0, 0, seen.camera.width, seen.camera.height, 1)
    levels = [
        prepare_level(
            buffers, seen, pose, window, ObjectiveSettings(), LevelRules("gain-bias"), length_m=mesh.diameter,
            with_normal=False,
        )
        for pose in (right, wrong)
    ]  # fmt: skip
    by_right = odds_with_costs([right, wrong], levels[0], buffers, mesh.diameter, levels=levels)
    by_wrong = odds_with_costs([wrong, right], levels[1], buffers, mesh.diameter, levels=levels[::-1])
    in_its_light = odds_with_costs([wrong, right], levels[1], buffers, mesh.diameter)
    ahead = by_right[0] - by_right[1]
    assert by_wrong[1] - by_wrong[0] == pytest.approx(ahead, abs=0.1)
    assert ahead > in_its_light[1] - in_its_light[0] + 5.0


def tin(shade: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Mesh:
    """A tin with a print on its left and on its upper side, all others plain.

    Its sides are painted as dark as light from one direction makes them look; `shade`: along x, y and z.
    """
    vertices, faces = grid_box(np.array([0.08, 0.05, 0.11]), 24)
    sides = np.argmax(np.abs(vertices) / [0.04, 0.025, 0.055], axis=1)
    printed = ((sides == 0) & (vertices[:, 0] < 0.0)) | ((sides == 2) & (vertices[:, 2] > 0.0))
    waves = np.sin(170.0 * vertices).sum(axis=1)[:, None] * [0.15, -0.1, 0.2]
    colours = np.where(printed[:, None], np.clip(np.array([0.3, 0.45, 0.35]) + waves, 0.02, 1.0), [0.65, 0.5, 0.6])
    return Mesh(vertices, faces, colors=colours * np.asarray(shade)[sides][:, None])


def tin_in_the_shade() -> tuple[Observation, Pose]:
    """Three plain sides of a tin, one of them darker than the others, one darkest."""
    away = -np.array([0.45, -0.8, -0.4]) / np.linalg.norm([0.45, -0.8, -0.4])  # along the view, in the tin's frame
    across = np.cross([0.0, 0.0, 1.0], away) / np.linalg.norm(np.cross([0.0, 0.0, 1.0], away))
    truth = Pose(np.stack([across, np.cross(away, across), away]), np.array([0.0, 0.0, 0.4]))
    noise = SensorNoise(0.02, 0.001, 0.0, 0.0)
    return picture([(tin((0.5, 1.0, 0.35)), truth)], np.random.default_rng(0), noise=noise), truth


def test_plain_sides_in_the_shade_are_not_taken_for_printed_ones() -> None:
    """A print correlates with any shade a little, and a plain side with nothing."""
    seen, truth = tin_in_the_shade()
    start = Pose(so3.exp(np.radians([1.0, -1.0, 1.0])) @ truth.R_m2c, truth.t_m2c + 1e-3)
    refiner = Refiner(tin())
    refined, located = refiner.refine(seen, start), refiner.locate(seen)
    assert np.degrees(refined.pose.angle_to(truth)) < 1.0
    assert NoteCode.TURNED not in codes_of(refined.notes)
    assert refined.ok
    # Without a start, paint and shade are told apart by details alone, of which a plain side has none.
    assert located.status is Status.AMBIGUOUS  # was turned by half at 0.97
    assert located.confidence < 0.5
    assert any(np.degrees(one.pose.angle_to(truth)) < 1.0 for one in located.answers[:2])


def test_a_start_is_left_no_more_surely_than_images_say(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """What speaks for the way round of the start counts, where another one is taken."""
    mesh, observation, *_ = example
    surest = Refiner(mesh).refine(observation, turned(example, 1))
    assert NoteCode.TURNED in codes_of(surest.notes)
    asked = Ending._odds

    def about_as_much(self: Ending, poses: Sequence[Pose], *others: object) -> np.ndarray:
        odds = asked(self, poses, *others)  # type: ignore[arg-type]
        best = int(np.argmax(odds))
        return odds if best == 0 else np.where(np.arange(len(odds)) == best, odds[0] + 0.4, np.minimum(odds, odds[0]))

    monkeypatch.setattr(Ending, "_odds", about_as_much)
    doubted = Refiner(mesh).refine(observation, turned(example, 1))
    assert NoteCode.TURNED in codes_of(doubted.notes)
    assert np.array_equal(doubted.pose.matrix, surest.pose.matrix)
    assert surest.right_minimum > 0.9
    assert 0.3 < doubted.right_minimum < 0.61  # of two, one has 0.6


def test_a_plain_side_is_worth_a_try() -> None:
    """It correlates with nothing, and explains what is seen in a shaded light."""
    odds, none = np.full(3, 2.0), np.zeros(3)
    correlated = AlternativeScores(odds, np.array([0.3, 0.0, 0.1]), np.array([0.3, 0.0, 0.1]))
    assert correlated.promising().tolist() == []
    shaded = AlternativeScores(odds, np.array([0.5, 0.7, 0.5]), none)
    assert correlated.promising(shaded).tolist() == [1]


def test_light_that_clips_the_photograph_does_not_hide_a_print(example: Example) -> None:
    """Of an overexposed photograph, no gain explains the print, and it correlates all the same."""
    mesh, observation, start, _ = example
    assert observation.rgb is not None
    bright = replace_rgb(observation, np.minimum(4.0 * observation.rgb, 1.0).astype(np.float32))
    result = Refiner(mesh).refine(bright, start)
    assert error_mm(example, result.pose) < 2.0
    assert NoteCode.TURNED not in codes_of(result.notes)


def replace_rgb(observation: Observation, rgb: np.ndarray) -> Observation:
    return Observation(observation.camera, rgb=rgb, depth=observation.depth, mask=observation.mask)


def test_what_colours_explain_counts_shade_and_no_absent_print() -> None:
    seen, truth = tin_in_the_shade()
    mesh = tin()
    buffers = Buffers(mesh)
    window = CropWindow(0, 0, seen.camera.width, seen.camera.height, 1)
    level = prepare_level(
        buffers, seen, truth, window, ObjectiveSettings(), LevelRules("gain-bias"), length_m=mesh.diameter,
        with_normal=False,
    )  # fmt: skip
    half = Pose(truth.R_m2c @ np.diag([-1.0, 1.0, -1.0]), truth.t_m2c)  # two printed sides
    told = []
    for pose in (truth, half):
        images = Renderer(mesh, level.crop.camera).render(pose.R_m2c[None], pose.t_m2c[None])
        beside = Comparison(Rendering.of(images), level.crop, level.responsibility.silhouette, mesh.diameter)
        found = explained(images, buffers.arrays.shape, pose, beside)
        assert found is not None
        told.append(found)
    assert told[0].overall > 0.7
    assert told[0].overall > told[1].overall + 0.1
    assert told[1].within == 0.0
    away = Pose(truth.R_m2c, truth.t_m2c + np.array([5.0, 0.0, 0.0]))
    images = Renderer(mesh, level.crop.camera).render(away.R_m2c[None], away.t_m2c[None])
    beside = Comparison(Rendering.of(images), level.crop, level.responsibility.silhouette, mesh.diameter)
    assert explained(images, buffers.arrays.shape, away, beside) is None


def test_colours_are_compared_only_where_all_else_may_fit(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter turn of a carton fits neither depth nor mask: what it is like in colour is not asked."""
    mesh, observation, _, truth = example
    buffers, side = Buffers(mesh, threads=1), lookalikes(mesh)
    window = CropWindow(0, 0, observation.camera.width, observation.camera.height, 4)
    level = prepare_level(
        buffers, observation, truth, window, ObjectiveSettings(), LevelRules("gain-bias"), length_m=mesh.diameter,
        with_normal=True,
    )  # fmt: skip
    quarters = np.stack([so3.exp(0.5 * np.pi * one) for one in np.eye(3)])
    more = Symmetries(np.concatenate([side.R, quarters]), np.concatenate([side.t_m, np.zeros((3, 3))]))
    asked: list[Comparison] = []
    correlation = alternatives.local_correlation
    monkeypatch.setattr(alternatives, "local_correlation", lambda one: asked.append(one) or correlation(one))
    given = level, buffers, mesh.diameter
    few = alternatives.symmetric_alternatives(truth, side, *given)
    count = len(asked)
    many = alternatives.symmetric_alternatives(truth, more, *given)
    assert [one.R_m2c.tolist() for one in few] == [one.R_m2c.tolist() for one in many]
    assert 1 < count <= len(side) and len(asked) == 2 * count
