"""One frame of a tracked object: what it takes from the frame before, and what it no longer renders.

The preset `fast` from a close start, and a followed frame: a search of which only the last level is made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diffdope.estimate.fit_quality import assess
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.attempt import tracking_presets
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import Status
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.problem.failure import Failure
from diffdope.problem.level_problem import LevelProblem, LevelRules, prepare_level
from diffdope.problem.variables import Variables
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search import level_preparation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.outcome import Outcome
from diffdope.search.search import Search
from diffdope.search.search_inputs import SearchInputs
from diffdope.solve.levenberg_marquardt import LevenbergSettings, SolverResult, minimise
from diffdope.terms.base import Comparison, Rendering
from diffdope.terms.photometric_gain import NEUTRAL

# Edges beside depth are looked for in rounds of their own.
_OUTLINE = replace(PRESETS["fast"].search.outline, weight_with_depth=0.0)
FAST = replace(PRESETS["fast"], search=replace(PRESETS["fast"].search, outline=_OUTLINE))
TRUTH = Pose(np.eye(3), np.array([0.0, 0.0, 0.5])).retract([0, 0, 0, 0.6, 0.4, 0])
START = TRUTH.retract([0.001, -0.001, 0.002, 0.01, 0.0, -0.01])


def seen(box: Mesh, *, light: float = 1.0, depth: bool = True, mask: bool = False) -> Observation:
    made = picture([(box, TRUTH)], np.random.default_rng(3), noise=SensorNoise())
    assert made.rgb is not None
    rgb = np.clip(light * np.asarray(made.rgb, float) / (255 if made.rgb.dtype == np.uint8 else 1), 0, 1)
    return Observation(CAMERA, rgb=rgb, depth=made.depth if depth else None, mask=made.mask if mask else None)


def search_of(box: Mesh, observation: Observation, start: Pose, preset: Preset = FAST, **more: Any) -> Search:
    meshes, margin = MeshLevels(box, threads=1), preset.crop.margin
    return Search(SearchInputs(meshes, observation, preset.search, preset.objective, margin), start, seed=0, **more)


def solved(box: Mesh, observation: Observation, start: Pose, preset: Preset = FAST, **how: Any) -> Outcome:
    outcome = search_of(box, observation, start, preset).run(**how)
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_followed_frame_renders_nothing_and_ends_where_another_does(
    box: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    observation = seen(box)
    anew = solved(box, observation, START)
    assert anew.gain is not None
    search = search_of(box, observation, START)

    def refuse(*_: object) -> None:
        raise AssertionError("rendered")

    monkeypatch.setattr(Renderer, "render", refuse)
    followed = search.run(near=True, followed=anew.gain)
    assert isinstance(followed, Outcome)
    for found in (anew, followed):
        assert found.pose.distance_to(TRUTH) < 0.002 and found.pose.angle_to(TRUTH) < 0.02
        assert found.confidence is not None and found.confidence > 0.8


def test_a_followed_frame_is_the_last_level_alone(box: Mesh) -> None:
    observation = seen(box)
    anew = solved(box, observation, START)
    assert anew.history.sizes is not None and len(set(anew.history.sizes.tolist())) == 2
    for how in ({"near": True}, {"near": True, "followed": anew.gain}):
        found = solved(box, observation, START, **how)
        assert set(found.history.sizes.tolist()) == {max(found.level.window.size)}  # type: ignore[union-attr]
        assert len(found.history.costs) <= 1 + FAST.search.near.iterations[-1]


@pytest.mark.parametrize(
    "how", [{}, {"near": True}, {"near": True, "followed": NEUTRAL}], ids=["anew", "near", "followed"]
)
@pytest.mark.parametrize("mask", [False, True])
def test_the_quality_is_that_of_a_rendering_of_the_result(box: Mesh, mask: bool, how: dict[str, Any]) -> None:
    found = solved(box, seen(box, mask=mask), START, **how)
    level = found.level
    images = Renderer(box, level.crop.camera, threads=1).render(found.pose.R_m2c, found.pose.t_m2c)
    rendered = assess(Comparison(Rendering.of(images), level.crop, level.responsibility.silhouette, box.diameter))
    assert found.quality is not None
    agreement, left = found.quality.agreement, found.quality.left  # of hypotheses and of steps: no rendering tells
    assert (agreement is None) == (not mask or how != {})
    for name, value in vars(replace(rendered, agreement=agreement, left=left)).items():
        assert getattr(found.quality, name) == pytest.approx(value, abs=2e-3), name


def test_the_light_that_a_frame_is_seen_in_is_found(box: Mesh) -> None:
    known = solved(box, seen(box, light=0.7), START).gain
    assert known is not None and known.gain == pytest.approx(0.7, abs=0.1)
    assert solved(Mesh(box.vertices_m, box.faces), seen(box), START).gain is None


@pytest.mark.parametrize("model", ["as-is", "gain"])
def test_other_models_of_light_work_too(box: Mesh, model: str) -> None:
    preset = replace(FAST, search=replace(FAST.search, light=model))  # type: ignore[arg-type]
    for near in (False, True):
        assert solved(box, seen(box), START, preset, near=near).pose.distance_to(TRUTH) < 0.003
    refiner = Refiner(box, preset=preset, threads=1)
    for start in (START, None, None):
        result = refiner.track(seen(box), start)
        assert result.ok and result.pose.distance_to(TRUTH) < 0.003


def test_a_mask_that_is_off_counts_less(box: Mesh) -> None:
    given = seen(box, mask=True)
    assert given.mask is not None
    off = given.with_mask(np.roll(given.mask, 6, axis=1))
    trusting = replace(FAST, search=replace(FAST.search, mask_error_px=0.0))
    doubting, believing = (solved(box, off, START, preset).pose.distance_to(TRUTH) for preset in (FAST, trusting))
    assert doubting < 0.5 * believing


def test_without_depth_smaller_gains_count(box: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[LevenbergSettings] = []

    def noted(*arguments: Any, settings: LevenbergSettings, **others: Any) -> SolverResult:
        used.append(settings)
        return minimise(*arguments, settings=settings, **others)

    for depth in (True, False):
        search = search_of(box, seen(box, depth=depth), START)
        search._descent._solve = noted
        search.run()
    levels = len(FAST.search.near.levels)
    step = FAST.search.step
    assert used == [
        step.at_level(last=k == levels - 1, with_depth=depth) for depth in (True, False) for k in range(levels)
    ]
    with_depth, without = used[levels - 1], used[-1]
    assert 0.0 < without.reduction_tolerance < with_depth.reduction_tolerance == step.reduction_tolerance
    assert without.tolerance == step.without_depth * with_depth.tolerance < with_depth.tolerance == step.tolerance


def test_a_covariance_is_given_where_it_is_asked_for(box: Mesh) -> None:
    polish = replace(FAST.search.polish, covariance=True)
    asked = solved(box, seen(box), START, replace(FAST, search=replace(FAST.search, polish=polish)))
    assert asked.covariance is not None and np.all(np.linalg.eigvalsh(asked.covariance) > 0.0)
    error = np.concatenate([asked.pose.t_m2c - TRUTH.t_m2c, so3.log(asked.pose.R_m2c @ TRUTH.R_m2c.T)])
    assert np.all(np.abs(error) < 5.0 * np.sqrt(np.diag(asked.covariance)))
    assert solved(box, seen(box), START).covariance is None


@pytest.mark.parametrize("near", [False, True])
def test_costs_are_of_the_start_and_the_end_on_the_same_images(box: Mesh, near: bool) -> None:
    found = solved(box, seen(box), START, near=near)
    problem = found.level.problem(Variables.one_object(0.5 * box.diameter))
    start, end = problem.evaluate(*both(START, found.pose)).cost
    assert (found.initial_cost, found.cost) == pytest.approx((start, end), rel=1e-6)
    assert found.cost < 0.7 * found.initial_cost


def both(*poses: Pose) -> tuple[np.ndarray, np.ndarray]:
    return np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])


def test_the_crop_holds_a_mask_beside_the_start_but_not_in_a_followed_frame(box: Mesh) -> None:
    observation = seen(box, mask=True)
    beside = TRUTH.retract([0.06, 0, 0, 0, 0, 0])
    assert observation.mask_box is not None
    left = observation.mask_box[0]
    assert solved(box, observation, beside).level.window.x0 < left
    followed = search_of(box, observation, beside).run(near=True)
    window = followed.window if isinstance(followed, Failure) else followed.level.window
    assert window is not None and window.x0 > left


def test_every_iterate_is_reported(box: Mesh) -> None:
    calls: list[tuple[int, int, float]] = []
    found = search_of(box, seen(box), START, progress=lambda *call: calls.append(call)).run()
    assert isinstance(found, Outcome)
    assert calls[-1][0] == len(found.history.costs) - 1, "the last round's last iterate"
    assert [iteration for iteration, _, _ in calls] == sorted({iteration for iteration, _, _ in calls})
    assert {count for _, count, _ in calls} == {10} and all(np.isfinite(cost) for _, _, cost in calls)


def test_a_result_that_does_not_convince_has_failed(box: Mesh) -> None:
    wrong = TRUTH.retract([0, 0, 0, 0, 1.5, 1.0])
    found = solved(box, seen(box), wrong)
    assert found.confidence is not None and found.confidence < 0.5 and found.status is Status.FAILED


def test_a_mask_is_doubted_at_the_last_level_only(box: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    doubts: list[float] = []

    def noted(*arguments: Any, **others: Any) -> LevelProblem:
        doubts.extend(one.mask_error_px for one in arguments if isinstance(one, LevelRules))
        return prepare_level(*arguments, **others)

    monkeypatch.setattr(level_preparation, "prepare_level", noted)
    solved(box, seen(box, mask=True), START)
    assert doubts == [0.0, FAST.search.mask_error_px]


def test_a_tracker_follows_by_the_last_level_where_a_search_has_one_hypothesis(box: Mesh) -> None:
    near, wide = tracking_presets(FAST)
    assert near.search.fallback_confidence == 0.0 and not near.search.symmetric_alternatives
    assert wide.search.fallback_confidence == 1.0
    assert near.search.least_confidence == wide.search.least_confidence == 0.0
    for preset, quick in (("fast", True), ("default", False)):
        refiner = Refiner(box, preset=preset, threads=1)
        refiner.track(seen(box), START)
        assert refiner._tracker is not None and (refiner._tracker._quick is not None) == quick
