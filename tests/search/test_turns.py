"""Cans and cups that start with the wrong turn about their axis: print and handle decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.revolution import Axis
from diffdope.search.turns import TurnSettings, about_other_axes, upside_down

CAMERA = Camera(600.0, 600.0, 159.5, 119.5, 320, 240)
TRUTH = Pose(so3.exp(np.array([1.9, 0.3, -0.2])), np.array([0.01, -0.005, 0.5]))


def solid(*, handle: bool) -> trimesh.Trimesh:
    """A can of 60 mm, 100 mm high, with a handle or without."""
    can = trimesh.creation.cylinder(0.03, 0.1, sections=48)
    for _ in range(2):
        can = can.subdivide()
    if not handle:
        return can
    grip = trimesh.creation.box([0.025, 0.01, 0.06])
    grip.apply_translation([0.042, 0.0, 0.0])
    return trimesh.util.concatenate([can, grip])


def printed() -> Mesh:
    """A can with patches of random colours all around."""
    can = solid(handle=False)
    v = np.asarray(can.vertices)
    angle = np.arctan2(v[:, 1], v[:, 0])
    patch = np.floor(angle / (2.0 * np.pi) * 9).astype(int) % 9, np.floor((v[:, 2] + 0.05) / 0.03).astype(int)
    colors = np.random.default_rng(3).random((9, 4, 3))[patch]
    return Mesh(v, np.asarray(can.faces), colors=colors)


def seen(mesh: Mesh, pose: Pose, *, rgb: bool) -> Observation:
    images = Renderer(mesh, CAMERA).render(pose.R_m2c[None], pose.t_m2c[None])
    mask = images.coverage[0] > 0.5
    depth = np.where(mask, images.depth[0] / np.maximum(images.coverage[0], 0.5), 0.0).astype(np.float32)
    return Observation(CAMERA, rgb=images.rgb[0] if rgb else None, depth=depth, mask=mask)


def turned(pose: Pose, degrees: float) -> Pose:
    return Pose(pose.R_m2c @ so3.exp(np.radians([0.0, 0.0, degrees])), pose.t_m2c)


def without_turns(name: str) -> Preset:
    chosen = PRESETS[name]
    search = replace(chosen.search, turns=TurnSettings(count=0), symmetric_alternatives=False)
    return replace(chosen, search=search)


def test_a_can_that_starts_with_the_wrong_turn_is_turned() -> None:
    name = "fast"
    mesh = printed()
    observation, start = seen(mesh, TRUTH, rgb=True), turned(TRUTH, 100.0)
    stays = Refiner(mesh, preset=without_turns(name)).refine(observation, start)
    result = Refiner(mesh, preset=name).refine(observation, start)
    assert np.degrees(stays.pose.angle_to(TRUTH)) > 30.0
    assert np.degrees(result.pose.angle_to(TRUTH)) < 1.0
    assert result.ok


def test_without_colours_a_start_is_believed_beyond_its_reach() -> None:
    can = solid(handle=False)
    mesh = Mesh(np.asarray(can.vertices), np.asarray(can.faces))
    start = turned(TRUTH, 100.0)
    result = Refiner(mesh, preset="fast").refine(seen(mesh, TRUTH, rgb=False), start)
    assert np.degrees(result.pose.angle_to(start)) < 50.0
    assert result.ok


def test_symmetries_that_keep_the_axis_are_left_to_turns() -> None:
    axis = Axis(np.array([0.0, 0.0, 1.0]), np.zeros(3))
    R = so3.exp(np.radians([[0.0, 0.0, 0.0], [0.0, 0.0, 30.0], [180.0, 0.0, 0.0], [90.0, 0.0, 0.0]]))
    symmetries = Symmetries(R, np.zeros((4, 3)))
    reversal = upside_down(axis, symmetries)
    assert reversal is not None
    assert reversal[0] == pytest.approx(R[2])
    assert np.allclose(about_other_axes(axis, symmetries).R, R[[0, 3]])
    assert upside_down(axis, Symmetries(R[:2], np.zeros((2, 3)))) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": -1}, "count: expected at least 0"),
        ({"count": 2}, "count: expected 0, or at least 3 turns, got 2"),
        ({"size": 4}, "size: expected at least 8"),
        ({"kept": 0}, "kept: expected at least 1"),
    ],
)
def test_impossible_numbers_are_named(change: dict[str, int], words: str) -> None:
    with pytest.raises(DiffDopeError, match=words):
        TurnSettings(**change)
