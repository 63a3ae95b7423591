"""What tells whether the border of a mask is where the object ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import trimesh

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.problem.level_problem import LevelRules, prepare_level
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.search.descent import Descent
from diffdope.search.mask_as_region import deviations, log_odds
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.registry import ObjectiveSettings

AT = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))


def plain_part() -> Mesh:
    """A shaft with a shoulder and a short arm, of facets as coarse as those of CAD exports, without colours."""
    parts = [trimesh.creation.cylinder(r, h, sections=32) for r, h in ((0.012, 0.1), (0.02, 0.03))]
    arm = trimesh.creation.box([0.05, 0.015, 0.012])
    arm.apply_translation([0.025, 0.0, 0.03])
    both = trimesh.util.concatenate([*parts, arm])
    return Mesh(np.asarray(both.vertices), np.asarray(both.faces))


def covariance(rng: np.random.Generator) -> np.ndarray:
    root = rng.normal(size=(6, 6)) * np.array([1e-3] * 3 + [1e-2] * 3)[:, None]
    return root @ root.T


def test_deviations_are_those_of_a_normal_distribution(rng: np.random.Generator) -> None:
    known = covariance(rng)
    root = np.linalg.cholesky(known)
    off = [deviations(root @ rng.normal(size=6), known) for _ in range(400)]
    assert np.mean(np.square(off)) == pytest.approx(1.0, abs=0.1)


def test_a_direction_that_is_known_exactly_makes_no_deviation_infinite() -> None:
    known = np.diag([1e-6, 1e-6, 1e-6, 1e-4, 1e-4, 0.0])
    assert np.isfinite(deviations(np.full(6, 1e-3), known))


def test_a_border_is_borne_out_by_its_shape_and_by_what_the_others_allow() -> None:
    assert log_odds(0.2, 0.15) > 2.0 > log_odds(2.0, 0.2) > 0.0 > log_odds(30.0, 0.1)
    assert log_odds(5.0, 0.1) > 0.0 > log_odds(5.0, 2.0)


def test_a_factor_about_another_pose_is_the_same_cost(rng: np.random.Generator) -> None:
    factor = QuadraticFactor(AT, rng.normal(size=6), covariance(rng), 2.0)
    step, more = 1e-2 * rng.normal(size=(2, 6)) * [1, 1, 1, 0, 0, 0]
    moved = factor.about(AT.retract(step))

    def cost(one: QuadraticFactor, xi: np.ndarray) -> float:
        return one.constant + float(one.slope @ xi + 0.5 * xi @ one.curvature @ xi)

    assert cost(moved, more) == pytest.approx(cost(factor, step + more))


def test_a_level_beside_another_shares_its_crop_and_its_drawing() -> None:
    mesh, observation, start, _ = packaged_example()
    buffers, window = Buffers(mesh), CropWindow(0, 0, 320, 240, 4)
    given = ObjectiveSettings(), LevelRules()
    how = {"length_m": mesh.diameter, "with_normal": True}
    level = prepare_level(buffers, observation, start, window, *given, **how)
    smaller = CropWindow(4, 4, 312, 232, 4)
    free = prepare_level(buffers, observation.without_mask(), start, smaller, *given, **how, beside=level)
    assert free.window == level.window
    assert free.crop.rgb is level.crop.rgb and free.crop.depth is level.crop.depth
    assert free.crop.mask is None and level.crop.mask is not None
    assert free.drawn(buffers, start) is level.drawn(buffers, start)


def test_a_mask_that_is_off_does_not_make_depth_less_sure() -> None:
    """Facets leave turns and slides open, of which such a mask knows little: less than the rise of depth's own cost."""
    camera, rng = Camera(600.0, 600.0, 159.5, 119.5, 320, 240), np.random.default_rng(3)
    mesh = plain_part()
    truth = Pose(so3.exp(np.array([0.5, 0.6, 0.2])), np.array([0.01, -0.01, 0.5]))
    images = Renderer(mesh, camera).render(truth.R_m2c, truth.t_m2c)
    on = images.coverage[0] > 0.5
    depth = (np.where(on, images.depth[0], 0.56) + 0.0002 * rng.normal(size=on.shape)).astype(np.float32)
    start = truth.retract(np.array([0.002, -0.001, 0.002, 0.06, -0.04, 0.05]))
    refiner = Refiner(mesh, threads=1)
    known = []
    for mask in (None, np.roll(on, (3, -3), (0, 1))):
        result = refiner.refine(Observation(camera, depth=depth, mask=mask), start)
        assert result.covariance is not None
        known.append(np.sqrt(np.trace(result.covariance[:3, :3])))
    assert known[1] < 1.4 * known[0]  # 1.95 where the mask alone was asked


def test_a_border_that_is_clearly_borne_out_is_not_searched_without(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, observation, _, truth = packaged_example()
    assert observation.mask is not None
    free, run = list[bool](), Descent.run

    def counted(self: Descent, *given: Any, **how: Any) -> Any:
        free.append(how.get("judged") is False)
        return run(self, *given, **how)

    monkeypatch.setattr(Descent, "run", counted)
    refiner, near = Refiner(mesh, threads=1), truth.retract(np.array([2e-3, -2e-3, 2e-3, 0.05, -0.05, 0.05]))
    right = refiner.refine(observation, near)
    assert not any(free) and right.ok
    shifted = refiner.refine(observation.with_mask(np.roll(observation.mask, 8, axis=1)), near)
    assert any(free) and NoteCode.MASK_SHIFTED in shifted.note_codes
    assert shifted.pose.distance_to(right.pose) < 0.003
