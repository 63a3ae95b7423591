"""One frame of a tracked object: what it takes from the frame before, and what it no longer renders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from diffdope.problem.prepare import Problem, prepare
from diffdope.refine import frame
from diffdope.search.frame import FrameSolver

from diffdope.estimate.fit_quality import Drawing, weigh
from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import Status
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import Details
from diffdope.search.outcome import Outcome
from diffdope.solve.levenberg_marquardt import LevenbergSettings, Solution, minimise

FAST = PRESETS["fast"]
TRUTH = Pose(np.eye(3), np.array([0.0, 0.0, 0.5])).retract([0, 0, 0, 0.6, 0.4, 0])
START = TRUTH.retract([0.001, -0.001, 0.002, 0.01, 0.0, -0.01])


@pytest.fixture(scope="module")
def box() -> Mesh:
    return painted("box", *grid_box(np.array([0.06, 0.09, 0.05]), 6), mottled)


def seen(box: Mesh, *, light: float = 1.0, depth: bool = True, mask: bool = False) -> Observation:
    made = picture([(box, TRUTH)], np.random.default_rng(3), noise=SensorNoise())
    return Observation(
        CAMERA, rgb=np.clip(light * np.asarray(made.rgb, float) / (255 if made.rgb.dtype == np.uint8 else 1), 0, 1),
        depth=made.depth if depth else None, mask=made.mask if mask else None,
    )  # fmt: skip


def solver(box: Mesh, preset: Preset = FAST) -> FrameSolver:
    return FrameSolver(Details(box, threads=1), preset)


def solved(outcome: object) -> Outcome:
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_followed_frame_renders_nothing_and_ends_where_another_does(
    box: Mesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, observation = solver(box), seen(box)
    anew = solved(frames.solve(observation, START))

    def refuse(*_: object) -> None:
        raise AssertionError("rendered")

    monkeypatch.setattr(Renderer, "render", refuse)
    followed = solved(frames.solve(observation, START, followed=True))
    for found in (anew, followed):
        assert found.pose.distance_to(TRUTH) < 0.002 and found.pose.angle_to(TRUTH) < 0.02
        assert found.confidence is not None and found.confidence > 0.8


@pytest.mark.parametrize("mask", [False, True])
def test_the_evidence_is_that_of_a_rendering_of_the_result(box: Mesh, mask: bool) -> None:
    found = solved(solver(box).solve(seen(box, mask=mask), START))
    problem = found.problem
    images = Renderer(box, problem.observation.camera, threads=1).render(found.pose.R_m2c, found.pose.t_m2c)
    rendered = weigh(Drawing.of(images), problem.raw, problem.care, box.diameter)
    assert found.evidence is not None
    for name, value in vars(rendered).items():
        assert getattr(found.evidence, name) == pytest.approx(value, abs=2e-3), name


def test_the_light_of_the_frame_before_is_used_only_where_that_frame_convinced(box: Mesh) -> None:
    frames = solver(box)
    frames.solve(seen(box, light=0.7), START)
    known = frames._light
    assert known is not None and known.gain == pytest.approx(0.7, abs=0.1)
    frames.solve(seen(box), TRUTH.retract([0, 0, 0, 0, 1.5, 1.0]))
    assert frames._light is None


@pytest.mark.parametrize("model", ["as-is", "gain"])
def test_other_models_of_light_work_too(box: Mesh, model: str) -> None:
    frames = solver(box, replace(FAST, search=replace(FAST.search, light=model)))  # type: ignore[arg-type]
    for followed in (False, True):
        found = solved(frames.solve(seen(box), START, followed=followed))
        assert found.pose.distance_to(TRUTH) < 0.003


def test_a_mask_that_is_off_counts_less(box: Mesh) -> None:
    given = seen(box, mask=True)
    assert given.mask is not None
    off = given.with_mask(np.roll(given.mask, 6, axis=1))
    trusting = replace(FAST, search=replace(FAST.search, mask_error_px=0.0))
    doubting, believing = (
        solved(solver(box, preset).solve(off, START)).pose.distance_to(TRUTH) for preset in (FAST, trusting)
    )
    assert doubting < 0.5 * believing


def test_without_depth_smaller_gains_count(box: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[LevenbergSettings] = []

    def noted(*arguments: Any, settings: LevenbergSettings, **others: Any) -> Solution:
        used.append(settings)
        return minimise(*arguments, settings=settings, **others)

    monkeypatch.setattr(frame, "minimise", noted)
    for depth in (True, False):
        solver(box).solve(seen(box, depth=depth), START)
    with_depth, without = used[0], used[-1]
    assert with_depth == FAST.search.step
    assert 0.0 < without.negligible < with_depth.negligible and without.tolerance < with_depth.tolerance


def test_a_covariance_is_given_where_it_is_asked_for(box: Mesh) -> None:
    polish = replace(FAST.search.polish, covariance=True)
    asked = solved(solver(box, replace(FAST, search=replace(FAST.search, polish=polish))).solve(seen(box), START))
    assert asked.covariance is not None and np.all(np.linalg.eigvalsh(asked.covariance) > 0.0)
    error = np.concatenate([asked.pose.t_m2c - TRUTH.t_m2c, so3.log(asked.pose.R_m2c @ TRUTH.R_m2c.T)])
    assert np.all(np.abs(error) < 5.0 * np.sqrt(np.diag(asked.covariance)))
    assert solved(solver(box).solve(seen(box), START)).covariance is None


def test_costs_are_of_the_start_and_the_end_on_the_same_images(box: Mesh) -> None:
    found = solved(solver(box).solve(seen(box), START))
    start, end = found.problem.objective(*both(START, found.pose)).cost
    assert (found.initial_cost, found.cost) == pytest.approx((start, end), rel=1e-6)
    assert found.cost < 0.7 * found.initial_cost


def both(*poses: Pose) -> tuple[np.ndarray, np.ndarray]:
    return np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])


def test_the_crop_holds_a_mask_beside_the_start_but_not_in_a_followed_frame(box: Mesh) -> None:
    frames, observation = solver(box), seen(box, mask=True)
    beside = TRUTH.retract([0.06, 0, 0, 0, 0, 0])
    assert observation.mask_box is not None
    left = observation.mask_box[0]
    assert solved(frames.solve(observation, beside)).problem.window.x0 < left
    followed = frames.solve(observation, beside, followed=True)
    assert not isinstance(followed, Outcome) or followed.problem.window.x0 > left


def test_every_iterate_is_reported(box: Mesh) -> None:
    calls: list[tuple[int, int, float]] = []
    found = solved(solver(box).solve(seen(box), START, progress=lambda *call: calls.append(call)))
    assert [iteration for iteration, _, _ in calls] == list(range(len(found.history.costs)))
    assert {count for _, count, _ in calls} == {10} and all(np.isfinite(cost) for _, _, cost in calls)


def test_a_result_that_does_not_convince_has_failed(box: Mesh) -> None:
    wrong = TRUTH.retract([0, 0, 0, 0, 1.5, 1.0])
    found = solved(solver(box).solve(seen(box), wrong))
    assert found.confidence is not None and found.confidence < 0.5 and found.status is Status.FAILED


def test_a_mask_is_doubted_at_the_last_level_only(box: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    doubts: list[float] = []

    def noted(*arguments: Any, mask_error_px: float, **others: Any) -> Problem:
        doubts.append(mask_error_px)
        return prepare(*arguments, mask_error_px=mask_error_px, **others)

    monkeypatch.setattr(frame, "prepare", noted)
    solver(box).solve(seen(box, mask=True), START)
    assert doubts == [0.0, FAST.search.mask_error_px]


@pytest.mark.parametrize(
    "changed",
    [
        {"doubt": 0.5},
        {"other_sides": True},
        {"near": replace(FAST.search.near, hypotheses=(2, 1))},
        {"near": replace(FAST.search.near, angle_deg=5.0)},
        {"outline": replace(FAST.search.outline, weight=0.1)},
    ],
)
def test_it_fits_only_a_search_with_nothing_around_it(changed: dict[str, Any]) -> None:
    assert FrameSolver.fits(FAST.search)
    assert not FrameSolver.fits(replace(FAST.search, **changed))
