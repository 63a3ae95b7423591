"""What a start or a mask was off by, where the images do not tell: the result keeps it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.settings import PRESETS
from diffdope.problem.level_problem import LevelProblem
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.search.levels import Level
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.start_error import left_by_mask

CAMERA = Camera(500.0, 500.0, 79.5, 79.5, 160, 160)
TRUTH = Pose(so3.exp(np.array([0.5, 0.3, 0.2])), np.array([0.002, -0.003, 0.5]))
BOX = Mesh(*grid_box(np.array([0.06, 0.1, 0.08]), 2))


def radius_px(pose: Pose, camera: Camera) -> float:
    """Of a disc of the drawn object's area."""
    coverage = Renderer(BOX, camera).render(pose.R_m2c, pose.t_m2c).coverage[0]
    return float(np.sqrt(np.sum(coverage) / np.pi))


@pytest.fixture(scope="module")
def meshes() -> MeshLevels:
    return MeshLevels(BOX)


@pytest.fixture(scope="module")
def level(meshes: MeshLevels) -> LevelProblem:
    p = PRESETS["default"]
    seen = Renderer(BOX, CAMERA).render(TRUTH.R_m2c, TRUTH.t_m2c)
    given = Observation(CAMERA, rgb=np.repeat(seen.coverage[0][..., None], 3, axis=2))
    inputs = SearchInputs(meshes, given, p.search, p.objective, p.crop.margin)
    found = Descent(inputs, Recorder()).levels.last(TRUTH, Level(160))
    assert isinstance(found, LevelProblem)
    return found


def test_the_distance_is_as_unsure_as_the_border_of_a_mask_that_was_left_out(
    meshes: MeshLevels, level: LevelProblem
) -> None:
    found: Any = SimpleNamespace(level=replace(level, mask_refused_px=2.0), pose=TRUTH)
    off_m = left_by_mask(found, meshes.buffers())
    nearer = Pose(TRUTH.R_m2c, TRUTH.t_m2c * (1.0 - off_m / np.linalg.norm(TRUTH.t_m2c)))
    camera = level.crop.camera
    assert radius_px(nearer, camera) - radius_px(TRUTH, camera) == pytest.approx(2.0, rel=0.25)


def test_a_mask_that_was_kept_leaves_nothing(meshes: MeshLevels, level: LevelProblem) -> None:
    found: Any = SimpleNamespace(level=level, pose=TRUTH)
    assert left_by_mask(found, meshes.buffers()) == 0.0
