"""Colours on both sides of an outline: probabilities of pixels, and what they are worth in a film."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.pipelines.settings import PRESETS
from diffdope.problem.level_problem import prepare_followed
from diffdope.problem.level_settings import holding_region
from diffdope.problem.variables import Variables
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.colour_region import RegionSettings, posterior_of
from diffdope.terms.contour import ContourSettings
from diffdope.terms.photometric_gain import NEUTRAL

CAMERA = Camera(300.0, 300.0, 79.5, 59.5, 160, 120)


def disc(radius: float, size: int = 96) -> NDArray[np.float32]:
    v, u = np.mgrid[:size, :size] - (size - 1) / 2.0
    return np.clip(radius + 0.5 - np.hypot(u, v), 0.0, 1.0).astype(np.float32)


def test_colours_of_both_sides_tell_the_outline_where_it_truly_is() -> None:
    seen, expected = disc(30.0), disc(28.0)  # the pose is expected 2 pixels too far
    rgb = seen[..., None] * np.float32([0.8, 0.2, 0.2]) + (1.0 - seen[..., None]) * np.float32([0.2, 0.3, 0.8])
    posterior = posterior_of(rgb, expected)
    assert posterior[seen == 1.0].min() > 0.95
    assert posterior[seen == 0.0].max() < 0.05


def test_colours_that_are_alike_tell_nothing() -> None:
    rgb = np.full((96, 96, 3), 0.5, np.float32)
    assert np.allclose(posterior_of(rgb, disc(30.0)), 0.5, atol=1e-3)


def test_only_photographs_alone_that_edges_do_not_hold_need_it(box: Mesh) -> None:
    ones = np.ones((CAMERA.height, CAMERA.width))
    photograph = Observation(CAMERA, rgb=np.full((*ones.shape, 3), 0.5))
    settings, region, edges = PRESETS["fast"].objective, RegionSettings(), ContourSettings()
    assert holding_region(box, photograph, region, None, settings) is region
    assert not holding_region(box, photograph, RegionSettings(weight=0.0), None, settings)
    assert not holding_region(box, photograph, region, edges, settings)
    assert not holding_region(box, photograph, region, None, replace(settings, rgb_weight=0.0))
    assert not holding_region(Mesh(box.vertices_m, box.faces), photograph, region, None, settings)
    for more in ({"depth": ones}, {"mask": ones > 0.0}):
        both = Observation(CAMERA, rgb=np.full((*ones.shape, 3), 0.5), **more)
        assert not holding_region(box, both, region, None, settings)


@pytest.mark.parametrize("bad", [{"weight": -1.0}, {"uncovered": -0.1}, {"rims": -0.1}, {"size": 4}])
def test_settings_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(DiffDopeError, match=next(iter(bad))):
        RegionSettings(**bad)  # type: ignore[arg-type]


def cost_of_growing(region: RegionSettings) -> float:
    """By how much a level's cost rises if the object is nearer by 4 %: a white box before a wall of its own colours."""
    rng = np.random.default_rng(0)
    box = painted("box", *grid_box(np.array([0.06, 0.2, 0.1]), 6), lambda x: 0.9 + 0.1 * (mottled(x) - 0.5))
    truth = Pose(np.eye(3), np.array([0.0, 0.0, 0.5])).retract([0.0, 0.0, 0.0, 0.5, 0.4, 0.0])
    images = Renderer(box, CAMERA).render(truth.R_m2c, truth.t_m2c)
    wall = np.clip(0.85 + gaussian_filter(rng.normal(0.0, 2.0, (120, 160, 3)), (6, 6, 0)), 0.0, 1.0)
    seen = Observation(CAMERA, rgb=images.rgb[0] + (1.0 - images.coverage[0])[..., None] * wall)
    meshes = MeshLevels(box)
    level = prepare_followed(
        meshes.buffers(), seen, CropWindow(0, 0, 160, 120, 1), PRESETS["fast"].objective, length_m=box.diameter,
        gain=NEUTRAL, pose=truth, region=holding_region(box, seen, region, None, PRESETS["fast"].objective),
    )  # fmt: skip
    assert level.modalities == ("rgb",)  # a region is no mask
    problem = level.problem(Variables.one_object(0.5 * box.diameter))
    near = problem.evaluate(np.stack([truth.R_m2c] * 2), np.stack([truth.t_m2c, 0.96 * truth.t_m2c])).cost
    return float(near[1] - near[0])


def test_a_white_object_does_not_grow_over_what_is_as_white() -> None:
    assert cost_of_growing(RegionSettings(weight=0.0)) < 0.0  # to cover costs less than to leave out
    assert cost_of_growing(RegionSettings()) > 0.0
