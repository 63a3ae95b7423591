"""Depth's scale: what a print says of it, what several say together, and how sure poses are for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.estimate.depth_scale import ScaleEvidence, scale_belief, scale_told
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.terms.registry import NoiseSettings

NOISE = NoiseSettings()


@pytest.mark.parametrize("told", [ScaleEvidence(0.0, 0.003), ScaleEvidence(0.03, 0.004)])
def test_a_print_is_weighed_by_bayes_rule(told: ScaleEvidence) -> None:
    """Of many cameras, by chance: how many are off, and by how much, of those of which a print says the same."""
    rng = np.random.default_rng(5)
    n = 2_000_000
    off = rng.random(n) < NOISE.depth_off
    scale = rng.normal(size=n) * np.where(off, NOISE.depth_off_by, NOISE.depth_bias)
    says = scale + rng.normal(size=n) * np.hypot(told.deviation, 0.003)
    alike = np.abs(says - told.too_far) < 2e-4
    found = scale_belief([told], NOISE)
    assert found.off == pytest.approx(off[alike].mean(), abs=0.02)
    alike &= off
    assert (found.too_far, found.deviation) == pytest.approx((scale[alike].mean(), scale[alike].std()), abs=5e-4)


def test_without_a_print_the_prior_is_left() -> None:
    assert scale_belief([], NOISE) == (NOISE.depth_off, 0.0, NOISE.depth_off_by)
    assert scale_belief([ScaleEvidence(0.02, 0.003)], replace(NOISE, depth_off=0.0)).off == 0.0


def test_prints_tell_more_together_but_share_an_error() -> None:
    one, few, many = (scale_belief([ScaleEvidence(0.015, 0.01)] * n, NOISE) for n in (1, 6, 1000))
    assert one.off < 0.2 < 0.5 < few.off < many.off
    assert one.deviation > few.deviation > many.deviation > 0.0025
    outlier = scale_belief([ScaleEvidence(0.0, 0.004)] * 6 + [ScaleEvidence(0.06, 0.004)], NOISE)
    assert outlier.off < NOISE.depth_off


def test_colours_that_agree_no_better_where_they_would_have_the_object_say_nothing() -> None:
    """Colours whose step is 10 mm or 0.5 mm along the ray, on which they cost less, or more, as under a finger."""
    pose, spread = Pose(np.eye(3), np.array([0.0, 0.0, 0.5])), np.full(6, 0.05)
    known = np.diag([1e6, 1e6, 1e6, 1e4, 1e4, 1e4])

    def told(step_m: float, *there: float) -> tuple[ScaleEvidence | None, list[float]]:
        gradient, asked = np.zeros(6), list[float]()
        gradient[2] = -step_m * known[2, 2]

        def cost(poses: Sequence[Pose]) -> np.ndarray:
            asked.extend(float(one.t_m2c[2]) for one in poses)
            return np.array([1.0, *there])

        colours = SimpleNamespace(gradient=gradient, birge_ratio=1.0, information=lambda: SimpleNamespace(matrix=known))
        depth = SimpleNamespace(gradient=np.zeros(6), step=known)
        return scale_told({"rgb": colours, "depth": depth}, spread, pose, cost), asked  # type: ignore[dict-item]

    found, asked = told(0.01, 0.98, 1.0, 1.1)  # the step goes too far
    assert found is not None and found.too_far == pytest.approx(-0.02, rel=0.01)
    assert asked == pytest.approx([0.5, 0.5025, 0.505, 0.51], abs=1e-4)
    assert told(0.01, 1.02, 1.05, 1.1)[0] is None
    assert told(0.0005, 1.1, 1.1, 1.1) == (told(0.0005, 0.9, 0.9, 0.9)[0], [])


@pytest.mark.parametrize("value", [-0.1, 1.0, np.nan])
def test_what_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(DiffDopeError, match="depth_off"):
        NoiseSettings(depth_off=value)


@pytest.fixture(scope="module")
def found() -> dict[tuple[float, bool], RefinementResult]:
    """The packaged example, whose object has a print, by the factor on its depth, and whether there is a mask."""
    mesh, seen, start, _ = packaged_example()
    assert seen.depth is not None
    refiner, every = Refiner(mesh, threads=1), {}
    for times in (0.985, 1.0, 1.01):
        images = Observation(seen.camera, rgb=seen.rgb, depth=seen.depth * np.float32(times))
        every[times, False] = refiner.refine(images, start)
        every[times, True] = refiner.refine(images.with_mask(seen.mask), start)
    return every


def test_what_is_printed_tells_the_scale(found: dict[tuple[float, bool], RefinementResult]) -> None:
    for (times, _), result in found.items():
        seen = result.evidence
        assert seen is not None and seen.too_far is not None and seen.too_far_deviation is not None
        assert abs(1.0 + seen.too_far - times) < 2.0 * seen.too_far_deviation < 0.03


def test_results_are_less_sure_where_a_print_disagrees(found: dict[tuple[float, bool], RefinementResult]) -> None:
    right, near = (found[times, False].confidence for times in (1.0, 0.985))
    assert right is not None and near is not None
    assert near < 0.85 < 0.9 < right


def test_fast_has_the_prior_alone() -> None:
    """A part that is small for its distance is told to 3 % of its diameter by depth whose scale is right only."""
    mesh, seen, start, _ = packaged_example()
    preset = PRESETS["fast"]
    noise = replace(preset.search.noise, depth_off=0.0)
    sure = Refiner(mesh, preset=replace(preset, search=replace(preset.search, noise=noise)), threads=1)
    known, doubted = sure.refine(seen, start), Refiner(mesh, preset=preset, threads=1).refine(seen, start)
    assert known.confidence is not None and doubted.confidence is not None and known.right_minimum is not None
    assert 1.0 - NOISE.depth_off < doubted.confidence / known.confidence < 1.0
    assert doubted.right_minimum == known.right_minimum
