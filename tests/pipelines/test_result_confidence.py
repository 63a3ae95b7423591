"""Confidence: the probability of the right minimum times that of an error below the tolerance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.estimate.confidence import ConfidenceSettings, as_often_right, log_odds, right_minimum, sigmoid
from diffdope.estimate.tolerance import probability_within
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.solids import box
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.result_confidence import believed
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.alternatives.answers import Answer
from diffdope.search.checks.contradictions import AT_MOST
from diffdope.search.settings import SearchSettings

MESH = Mesh(*box((0.1, 0.06, 0.04)))
CAMERA = Camera(fx=300.0, fy=300.0, cx=79.5, cy=59.5, width=160, height=120)
TRUTH = Pose.from_wxyz_xyz([0.8, 0.3, -0.4, 0.3, 0.01, -0.01, 0.5])
START = TRUTH.retract([0.003, -0.002, 0.004, 0.05, -0.04, 0.03])


def tolerant(tolerance_m: float, name: str = "default", **changes: float) -> Preset:
    """Of depth whose scale is right."""
    preset = PRESETS[name]
    confidence = ConfidenceSettings(tolerance_m=tolerance_m, **changes)
    noise = replace(preset.search.noise, depth_off=0.0)
    return replace(preset, search=replace(preset.search, confidence=confidence, noise=noise))


@pytest.fixture(scope="module")
def seen() -> Observation:
    images = Renderer(MESH, CAMERA).render(TRUTH.R_m2c, TRUTH.t_m2c)
    return Observation(CAMERA, depth=images.depth[0], mask=images.coverage[0] > 0.5)


def result_of(seen: Observation, preset: Preset) -> RefinementResult:
    return Refiner(MESH, preset=preset, threads=1).refine(seen, START)


def test_a_result_is_as_sure_as_its_minimum_and_its_covariance(seen: Observation) -> None:
    refiner = Refiner(MESH, threads=1)
    result = refiner.refine(seen, START)
    assert result.covariance is not None and result.right_minimum is not None and result.confidence is not None
    assert result.tolerance_m == pytest.approx(0.03 * MESH.diameter)
    form = refiner.meshes.displacement_form  # the box's middle is its origin
    noise = refiner.preset.resolved_search.noise
    ray = noise.depth_off_by * np.concatenate([result.pose.t_m2c, np.zeros(3)])  # a box without a print
    within, moved = (
        probability_within(result.tolerance_m, known, form, result.pose.R_m2c)
        for known in (result.covariance, result.covariance + np.outer(ray, ray))
    )
    within += noise.depth_off * (moved - within)
    assert result.confidence == pytest.approx(result.right_minimum * within, rel=1e-9)
    assert result.confidence > 0.9


def test_the_outline_is_looked_for_where_there_is_depth_and_no_mask() -> None:
    mesh, whole, start, truth = packaged_example()
    images = {"rgb": whole.rgb, "depth": whole.depth}
    refiner = Refiner(mesh, threads=1)
    found = refiner.refine(Observation(whole.camera, **images), start)
    assert found.evidence is not None and found.evidence.edges is not None and found.evidence.edges > 0.5
    assert found.ok and (found.confidence or 0.0) > 0.5 and found.pose.distance_to(truth) < 0.002
    for other in (whole, Observation(whole.camera, depth=whole.depth), Observation(whole.camera, rgb=whole.rgb)):
        seen = refiner.refine(other, start).evidence
        assert seen is not None and seen.edges is None
    hurried = Refiner(mesh, preset="fast", threads=1).refine(Observation(whole.camera, **images), start).evidence
    assert hurried is not None and hurried.edges is None


def test_the_narrower_the_tolerance_the_less_sure(seen: Observation) -> None:
    results = [result_of(seen, tolerant(one)) for one in (5e-5, 3e-4, 2e-3, 2e-2)]
    sure = [result.confidence or 0.0 for result in results]
    assert sure == sorted(sure) and sure[0] < 0.1 < 0.9 < sure[-1]
    assert len({result.pose.matrix.tobytes() for result in results}) == 1
    assert all(result.ok for result in results)  # it is the right minimum, at any tolerance
    assert "is known to about" in " ".join(results[0].notes)
    assert "is known to about" not in " ".join(results[-1].notes)


def test_without_a_covariance_it_is_that_of_the_minimum_and_of_what_is_usual(seen: Observation) -> None:
    wide, usual, narrow, none = (
        result_of(seen, tolerant(one * MESH.diameter, "fast")) for one in (0.1, 0, 0.001, 1e-5)
    )
    assert usual.covariance is None and usual.right_minimum == narrow.right_minimum
    assert usual.right_minimum is not None and usual.evidence is not None and usual.evidence.depth_error is not None
    assert usual.evidence.left is not None and 0.0 <= usual.evidence.left < 0.01
    within = 1.0 - np.exp(-0.03 / (0.001 + 1.6 * usual.evidence.depth_error + 1.7 * usual.evidence.left))
    assert usual.confidence == pytest.approx(within * usual.right_minimum)
    assert wide.confidence == pytest.approx(usual.right_minimum, abs=1e-4)
    assert usual.confidence > (narrow.confidence or 0.0) + 0.5 > (none.confidence or 0.0) + 0.5
    assert (none.confidence or 0.0) < 0.01


def test_without_a_covariance_noisy_depth_makes_a_result_less_sure(seen: Observation) -> None:
    depth = np.asarray(seen.depth)
    off = np.random.default_rng(0).normal(0.0, 0.02 * MESH.diameter, depth.shape)
    noisy = Observation(seen.camera, depth=np.where(depth > 0.0, depth + off, 0.0), mask=seen.mask)
    clear, unsure = (result_of(one, tolerant(0, "fast")) for one in (seen, noisy))
    assert unsure.right_minimum is not None and unsure.confidence is not None
    assert unsure.confidence < 0.95 * unsure.right_minimum < 0.96 < (clear.confidence or 0.0)
    tracker = Refiner(MESH, preset="fast", threads=1)
    followed = tracker.track(noisy, START)
    assert followed.confidence == followed.right_minimum  # what films know is judged by the frames before


def test_without_depth_and_a_covariance_the_distance_is_open() -> None:
    mesh, whole, _, truth = packaged_example()
    start = truth.retract([0.002, -0.002, 0.004, 0.03, -0.02, 0.02])
    seen = Observation(whole.camera, rgb=whole.rgb, mask=whole.mask)
    usual, wide = (
        Refiner(mesh, preset=tolerant(one * mesh.diameter, "fast"), threads=1).refine(seen, start) for one in (0.0, 0.1)
    )
    assert usual.covariance is None and usual.right_minimum is not None and usual.ok
    assert usual.confidence == pytest.approx((1.0 - np.exp(-0.03 / 0.052)) * usual.right_minimum)
    assert wide.confidence == pytest.approx((1.0 - np.exp(-0.1 / 0.052)) * usual.right_minimum)
    tracker = Refiner(mesh, preset="fast", threads=1)
    followed = tracker.track(seen, start)
    assert followed.confidence == followed.right_minimum  # what films know is judged by the frames before


@pytest.mark.parametrize("by_mask", [False, True])
def test_a_confidence_is_as_often_right_as_its_factors_were(by_mask: bool) -> None:
    every = [as_often_right(1.0, p, by_mask=by_mask) for p in np.linspace(0.0, 1.0, 101)]
    assert every == sorted(every) and (every[0], every[50], every[100]) == (0.0, 0.5, 1.0)
    assert as_often_right(0.8, 0.1, by_mask=by_mask) == pytest.approx(0.2)
    assert as_often_right(0.1, 0.8, by_mask=by_mask) == 0.1  # what is doubted is not believed for it
    assert as_often_right(1.0, 0.75, by_mask=by_mask) == pytest.approx(0.875 if by_mask else 0.75)


def test_a_photograph_and_a_mask_are_surer_than_their_factors_and_depth_is_not() -> None:
    mesh, whole, start, _ = packaged_example()
    tolerance_m = 0.01 * mesh.diameter  # at which the mask's border is not sure
    refiner = Refiner(mesh, preset=tolerant(tolerance_m), threads=1)
    by_mask = refiner.refine(Observation(whole.camera, rgb=whole.rgb, mask=whole.mask), start)
    assert by_mask.right_minimum is not None and by_mask.covariance is not None and by_mask.evidence is not None
    form, own = refiner.meshes.displacement_form, refiner.frame.enter(by_mask.pose)
    within = probability_within(tolerance_m, by_mask.covariance, form, own.R_m2c)
    both = by_mask.right_minimum * within
    assert 0.5 < both < 0.99 and (by_mask.confidence or 0.0) > both
    assert by_mask.confidence == pytest.approx(as_often_right(by_mask.right_minimum, within, by_mask=True), abs=0.02)


def test_a_map_of_a_users_data_is_applied_last(seen: Observation) -> None:
    plain, mapped = (result_of(seen, tolerant(5e-4, odds=b, slope=a)) for a, b in ((1.0, 1.0), (0.5, 0.4)))
    assert plain.confidence is not None and mapped.confidence is not None
    assert log_odds(mapped.confidence) == pytest.approx(np.log(0.4) + 0.5 * log_odds(plain.confidence))
    assert mapped.right_minimum == plain.right_minimum


def test_answers_are_right_minima_and_the_rest_is_none_of_these(seen: Observation) -> None:
    refiner = Refiner(MESH, threads=1)
    plain = refiner.refine(seen, START)
    answers = tuple(Answer(plain.pose, p) for p in (0.5, 0.3, 0.1))
    located = replace(plain, confidence=0.5, answers=answers, none_of_these=0.1)
    result = believed(located, refiner.meshes, SearchSettings(confidence=ConfidenceSettings(tolerance_m=3e-4)))
    assert result.none_of_these is not None and result.confidence is not None
    total = sum(one.probability for one in result.answers)
    assert total + result.none_of_these == pytest.approx(1.0)
    assert [one.probability / result.answers[0].probability for one in result.answers] == pytest.approx([1, 0.6, 0.2])
    assert total == pytest.approx(right_minimum(0.9))
    assert result.right_minimum == pytest.approx(result.answers[0].probability)
    assert result.confidence < 0.9 * result.answers[0].probability


def test_probabilities_and_log_odds() -> None:
    assert sigmoid(log_odds(0.3)) == pytest.approx(0.3)
    assert right_minimum(0.5) == pytest.approx(0.5)
    assert right_minimum(0.9) > 0.9 and right_minimum(0.1) < 0.1
    started = [right_minimum(fit, started=True) for fit in (0.1, 0.3, 0.5, 0.9)]
    assert started == sorted(started) and started[1] == pytest.approx(0.5, abs=0.02) and started[2] > 0.7
    assert right_minimum(sigmoid(AT_MOST), started=True) == pytest.approx(0.2, abs=0.01)
    assert sigmoid(1e9) <= 1.0 and np.isfinite(log_odds(1.0)) and np.isfinite(log_odds(0.0))


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(DiffDopeError, match="tolerance_m"):
        ConfidenceSettings(tolerance_m=-0.001)
    for name in ("odds", "slope"):
        with pytest.raises(DiffDopeError, match=name):
            ConfidenceSettings(**{name: 0.0})
