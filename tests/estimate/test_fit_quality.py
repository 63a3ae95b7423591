from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.estimate.confidence import agreement, confidence_of, log_odds_of, right_minimum, sigmoid
from diffdope.estimate.fit_quality import FitQuality, assess
from diffdope.geometry import so3
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.terms.base import Comparison, Rendering
from diffdope.terms.photometric import local_correlation

MESH, WHOLE, START, TRUTH = packaged_example()


def seen_at(pose: Pose, observation: Observation) -> Comparison:
    images = Renderer(MESH, WHOLE.camera).render(pose.R_m2c, pose.t_m2c)
    everywhere = np.ones((WHOLE.camera.height, WHOLE.camera.width), np.float32)
    return Comparison(Rendering.of(images), observation, everywhere, MESH.diameter)


def evidence_of(pose: Pose, observation: Observation = WHOLE) -> FitQuality:
    return assess(seen_at(pose, observation))


def test_the_truth_has_more_of_everything_than_the_start() -> None:
    true, start = evidence_of(TRUTH), evidence_of(START)
    for name in ("overlap", "depth_inliers", "texture"):
        assert getattr(true, name) > getattr(start, name) + 0.05
    assert true.depth_error is not None
    assert start.depth_error is not None
    assert true.depth_error < start.depth_error
    assert confidence_of(true) > 0.95
    assert confidence_of(start) < 0.5


def test_evidence_falls_with_the_distance_from_the_truth(rng: np.random.Generator) -> None:
    sure = [
        np.mean([confidence_of(evidence_of(perturb(TRUTH, angle_rad=a, distance_m=d, rng=rng))) for _ in range(4)])
        for a, d in ((0.0, 0.0), (0.1, 0.004), (0.3, 0.012), (0.8, 0.03))
    ]
    assert sure == sorted(sure, reverse=True)
    assert sure[-1] < 0.2


def test_what_was_not_given_is_not_judged() -> None:
    assert WHOLE.rgb is not None
    seen = evidence_of(TRUTH, Observation(WHOLE.camera, rgb=WHOLE.rgb))
    assert seen.overlap is None
    assert seen.depth_inliers is None
    assert seen.texture is not None


def test_a_change_of_light_does_not_change_the_texture() -> None:
    assert WHOLE.rgb is not None
    dim = Observation(WHOLE.camera, rgb=0.4 * WHOLE.rgb + 0.1, depth=WHOLE.depth, mask=WHOLE.mask)
    assert evidence_of(TRUTH, dim).texture == pytest.approx(evidence_of(TRUTH).texture, abs=0.02)


def detail_of(pose: Pose, rgb: np.ndarray | None) -> float | None:
    return local_correlation(seen_at(pose, Observation(WHOLE.camera, rgb=rgb, mask=WHOLE.mask)))


def test_shading_changes_the_texture_and_not_the_details() -> None:
    """As on something round: one side is in the light, the other is not."""
    assert WHOLE.rgb is not None
    across = np.linspace(0.0, 1.0, WHOLE.camera.width)[None, :, None]
    columns = np.flatnonzero(WHOLE.mask.any(axis=0)) / WHOLE.camera.width  # type: ignore[union-attr]
    shade = 0.15 + 0.85 * np.clip((across - columns[0]) / (columns[-1] - columns[0]), 0.0, 1.0)
    shaded = (shade * WHOLE.rgb).astype(np.float32)
    plain, dark = detail_of(TRUTH, WHOLE.rgb), detail_of(TRUTH, shaded)
    assert plain is not None
    assert dark is not None
    assert plain > 0.8  # noise takes the rest
    assert dark > 0.9 * plain
    texture = [
        evidence_of(TRUTH, Observation(WHOLE.camera, rgb=rgb, mask=WHOLE.mask)).texture for rgb in (WHOLE.rgb, shaded)
    ]
    assert texture[0] is not None
    assert texture[1] is not None
    assert texture[1] < 0.8 * texture[0]


def test_details_are_those_of_the_pose() -> None:
    far = perturb(TRUTH, angle_rad=0.3, distance_m=0.01, rng=np.random.default_rng(0))
    near, away = detail_of(TRUTH, WHOLE.rgb), detail_of(far, WHOLE.rgb)
    assert near is not None
    assert away is not None
    assert away < near - 0.4
    assert detail_of(TRUTH, None) is None
    assert detail_of(TRUTH, np.full_like(WHOLE.rgb, 0.5)) is None  # nothing but one colour
    assert detail_of(Pose(TRUTH.R_m2c, TRUTH.t_m2c + np.array([5.0, 0.0, 0.0])), WHOLE.rgb) is None


def test_a_pose_outside_of_the_picture_has_no_evidence() -> None:
    away = Pose(TRUTH.R_m2c, TRUTH.t_m2c + np.array([5.0, 0.0, 0.0]))
    assert evidence_of(away).overlap == 0.0
    assert confidence_of(evidence_of(away)) < 0.05


def test_an_occluder_hides_and_does_not_contradict() -> None:
    assert WHOLE.depth is not None
    columns = np.nonzero(WHOLE.mask)[1]
    depth = WHOLE.depth.copy()
    depth[:, : int(np.median(columns))] = 0.3  # a board half a metre before the carton's left half
    seen = evidence_of(TRUTH, Observation(WHOLE.camera, depth=depth))
    assert seen.visible < 0.7
    assert seen.depth_inliers is not None
    assert seen.depth_inliers > 0.9


def test_poses_that_agree_are_counted_by_their_costs() -> None:
    R, t = np.repeat(TRUTH.R_m2c[None], 3, 0), np.repeat(TRUTH.t_m2c[None], 3, 0)
    t[2] += 0.05
    assert agreement(R, t, np.array([1.0, 1.0, 1.0]), TRUTH, MESH.diameter) == pytest.approx(2 / 3)
    assert agreement(R, t, np.array([1.0, 1.0, 9.0]), TRUTH, MESH.diameter) > 0.999


def test_poses_that_look_the_same_agree() -> None:
    turns = [0.0, 0.5, 1.0, 0.25]  # of half a turn
    R = np.stack([TRUTH.R_m2c @ so3.exp(np.array([0.0, 0.0, turn * np.pi])) for turn in turns])
    t = np.stack([TRUTH.t_m2c] * 4)
    asked: list[int] = []

    def same(number: int) -> bool:
        asked.append(number)
        return turns[number] in (0.5, 1.0)

    cost = np.array([1.0, 1.0, 1.0, 1.0])
    assert agreement(R, t, cost, TRUTH, MESH.diameter) == pytest.approx(1 / 4)
    assert agreement(R, t, cost, TRUTH, MESH.diameter, same) == pytest.approx(3 / 4)
    asked.clear()
    assert agreement(R, t, np.array([1.0, 9.0, 9.0, 9.0]), TRUTH, MESH.diameter, same) > 0.999
    assert not asked  # what costs too much to count is not worth the question


def test_confidence_is_a_probability() -> None:
    nothing, all_of_it = FitQuality(overlap=0.0, visible=0.0), FitQuality(1.0, 1.0, 0.0, 0.8, 0.2, 1.0, 1.0)
    assert 0.0 <= confidence_of(nothing) < 0.01 < 0.99 < confidence_of(all_of_it) <= 1.0
    assert confidence_of(replace(all_of_it, overlap=0.7)) < confidence_of(all_of_it)


def test_edges_count_more_than_all_else_but_make_nothing_fail() -> None:
    good = FitQuality(depth_inliers=0.9, texture=0.5, contrast=0.2, agreement=1.0, outline=0.6)
    fits = [log_odds_of(replace(good, edges=share)) for share in (0.0, 0.2, 0.5, 0.9)]
    assert fits == sorted(fits) and fits[-1] > 2.0 and fits[-1] - fits[1] > 3.0
    assert log_odds_of(replace(good, edges=0.3)) < log_odds_of(good)  # sure, it is less sure
    assert right_minimum(sigmoid(fits[0]), started=True) == pytest.approx(0.5, abs=0.01)
    poor = FitQuality(depth_inliers=0.3, texture=0.0, contrast=0.2, agreement=0.2, outline=0.3)
    assert log_odds_of(replace(poor, edges=0.0)) < -3.0
