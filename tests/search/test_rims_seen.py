"""A photograph alone: the outline is where colours mix, not where contrast is strongest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS
from diffdope.problem.level_problem import LevelProblem
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search import search
from diffdope.search.descent import Descent
from diffdope.search.doubts import Doubts
from diffdope.search.history import Recorder
from diffdope.search.levels import Level
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.rims_seen import seen_alone

CAMERA = Camera(500.0, 500.0, 79.5, 79.5, 160, 160)
TRUTH = Pose(so3.exp(np.array([0.5, 0.3, 0.2])), np.array([0.002, -0.003, 0.5]))
START = TRUTH.retract([0.002, -0.002, 0.003, 0.08, -0.06, 0.05])


@pytest.fixture(scope="module")
def box() -> Mesh:
    return painted("box", *grid_box(np.array([0.06, 0.1, 0.08]), 6), lambda x: 0.3 + 0.3 * mottled(x))


def photograph(mesh: Mesh, shadow: float) -> Observation:
    """Of the true pose, in another light, blurred; a shadow lies around the object, darkest beside it."""
    fine = CAMERA.resize(3 * CAMERA.width, 3 * CAMERA.height)
    seen = Renderer(mesh, fine).render(TRUTH.R_m2c, TRUTH.t_m2c)
    covered = seen.coverage[0][..., None]
    dark = 2.0 * shadow * gaussian_filter(seen.coverage[0], 12.0)[..., None]
    rgb = 0.9 * seen.rgb[0] + (1.0 - covered) * 0.9 * (1.0 - dark)
    rgb = rgb.reshape(CAMERA.height, 3, CAMERA.width, 3, 3).mean(axis=(1, 3))
    return Observation(CAMERA, rgb=np.asarray(gaussian_filter(rgb, (0.7, 0.7, 0.0)), np.float32))


def level_of(mesh: Mesh, observation: Observation) -> LevelProblem:
    """The last of a search, at the true pose."""
    p = PRESETS["default"]
    descent = Descent(MeshLevels(mesh), observation, p.search, p.objective, p.crop.margin, Recorder())
    level = descent.levels.last(TRUTH, Level(160))
    assert isinstance(level, LevelProblem)
    return level


def off_mm(pose: Pose) -> float:
    """Along the view."""
    return 1e3 * abs(float((pose.t_m2c - TRUTH.t_m2c) @ TRUTH.t_m2c) / np.linalg.norm(TRUTH.t_m2c))


def test_a_shadow_beside_a_painted_object_does_not_draw_it_nearer(box: Mesh) -> None:
    refiner, given = Refiner(box, threads=1), photograph(box, 0.4)
    alone, result = (refiner.refine(given, START, start_counts=counts) for counts in (False, True))
    assert off_mm(alone.pose) < 0.5  # edges alone leave 1.7
    assert off_mm(result.pose) < 0.5 * off_mm(START)


def test_a_doubted_minimum_is_no_wider(box: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """The confidence has the probability of the right minimum as its other factor: it counts once."""
    refiner, given = Refiner(box, threads=1), photograph(box, 0.4)
    sure = refiner.refine(given, START)
    monkeypatch.setattr(search, "doubts_about", lambda *_: Doubts(at_most=0.0))
    doubted = refiner.refine(given, START)
    assert sure.right_minimum is not None and doubted.right_minimum is not None
    assert doubted.right_minimum < 0.8 < sure.right_minimum
    np.testing.assert_allclose(doubted.covariance, sure.covariance, rtol=1e-6)


def test_rims_are_for_patterns_in_photographs_alone(box: Mesh) -> None:
    given = photograph(box, 0.0)
    assert given.rgb is not None
    covered = Renderer(box, CAMERA).render(TRUTH.R_m2c, TRUTH.t_m2c)
    masked = Observation(CAMERA, rgb=given.rgb, mask=covered.coverage[0] > 0.5)
    measured = Observation(CAMERA, rgb=given.rgb, depth=covered.depth[0])
    plain = Mesh(box.vertices_m, box.faces)
    asked = ((box, given), (box, masked), (box, measured), (plain, given))
    assert [seen_alone(level_of(mesh, one), mesh) for mesh, one in asked] == [True, False, False, False]
