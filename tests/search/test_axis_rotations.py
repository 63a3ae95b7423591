"""Cans and cups that start with the wrong turn about their axis: print and handle decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS, Preset
from diffdope.problem.level_problem import LevelRules, prepare_level
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.revolution import Axis
from diffdope.search.alternatives.axis_rotations import (
    TurnSettings,
    about_other_axes,
    turned_alternatives,
    turned_beside,
    upside_down,
    without_rotations,
)
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.registry import ObjectiveSettings

CAMERA = Camera(600.0, 600.0, 159.5, 119.5, 320, 240)
OUTWARD = trimesh.transformations.translation_matrix([0.028, 0.0, 0.0])
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


@pytest.mark.parametrize(("reach_deg", "finds"), [(45.0, False), (120.0, True)])
def test_no_turn_beyond_the_reach_of_a_start_is_an_alternative(reach_deg: float, finds: bool) -> None:
    mesh, window = printed(), CropWindow(0, 0, 160, 120, 2)
    meshes, turns, found = MeshLevels(mesh), TurnSettings(), turned(TRUTH, 100.0)
    level = prepare_level(
        meshes.buffers(turns.faces), seen(mesh, TRUTH, rgb=True), found, window, ObjectiveSettings(), LevelRules(),
        length_m=mesh.diameter, with_normal=True,
    )  # fmt: skip
    axis = Axis(np.array([0.0, 0.0, 1.0]), np.zeros(3))
    steps, within = PRESETS["default"].search.step, (found, np.radians(reach_deg))
    others = turned_alternatives(found, axis, level, meshes, turns, steps, within=within)
    off = [np.degrees(other.angle_to(TRUTH)) for other in others]
    assert (min(off, default=180.0) < 3.0) == finds
    assert all(np.degrees(other.angle_to(found)) < reach_deg + 10.0 for other in others)


def test_symmetries_that_keep_the_axis_are_left_to_turns() -> None:
    axis = Axis(np.array([0.0, 0.0, 1.0]), np.zeros(3))
    R = so3.exp(np.radians([[0.0, 0.0, 0.0], [0.0, 0.0, 30.0], [180.0, 0.0, 0.0], [90.0, 0.0, 0.0]]))
    symmetries = Symmetries(R, np.zeros((4, 3)))
    reversal = upside_down(axis, symmetries)
    assert reversal is not None
    assert reversal[0] == pytest.approx(R[2])
    assert np.allclose(about_other_axes(axis, symmetries).R, R[[0, 3]])
    assert np.allclose(without_rotations(axis, symmetries).R, R[[0, 2, 3]])
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


def labelled() -> Mesh:
    """A white can with one red label, and a blue foot whose edge is jagged."""
    can = solid(handle=False).subdivide()
    v = np.asarray(can.vertices)
    angle = np.arctan2(v[:, 1], v[:, 0])
    colors = np.full((len(v), 3), 0.85)
    colors[(np.abs(angle) < 0.6) & (np.abs(v[:, 2]) < 0.025)] = [0.75, 0.15, 0.12]
    colors[v[:, 2] < -0.038 + 0.003 * np.sin(40.0 * angle)] = [0.15, 0.25, 0.6]
    return Mesh(v, np.asarray(can.faces), colors=colors)


def lit(observation: Observation) -> Observation:
    """From one side, as light falls on what is round."""
    light = np.linspace(0.95, 0.55, CAMERA.width, dtype=np.float32)[None, :, None]
    images = {name: np.array(getattr(observation, name)) for name in observation.modalities}
    return Observation(CAMERA, **{**images, "rgb": np.array(observation.rgb) * light})  # type: ignore[arg-type]


def test_the_label_of_a_can_holds_its_turn_in_a_film() -> None:
    mesh = labelled()
    refiner = Refiner(mesh, preset="fast", threads=1)
    first = Pose(TRUTH.R_m2c @ so3.exp(np.array([0.0, 0.0, 4.6])), TRUTH.t_m2c)
    off = []
    for k in range(9):
        truth = turned(first, 15.0 * np.sin(0.6 * k))
        frame = refiner.track(lit(seen(mesh, truth, rgb=True)), turned(truth, 4.0) if k == 0 else None)
        off.append(np.degrees(frame.pose.angle_to(truth)))
    assert max(off) < 3.0


def test_a_pose_beside_its_turn_is_turned_there_and_a_right_one_stays() -> None:
    mesh, window = labelled(), CropWindow(0, 0, 160, 120, 2)
    truth = Pose(TRUTH.R_m2c @ so3.exp(np.array([0.0, 0.0, 4.6])), TRUTH.t_m2c)
    observation, axis = lit(seen(mesh, truth, rgb=True)), Axis(np.array([0.0, 0.0, 1.0]), np.zeros(3))
    level = prepare_level(
        Buffers(mesh), observation, turned(truth, 5.0), window, ObjectiveSettings(), LevelRules("gain-bias"),
        length_m=mesh.diameter, with_normal=False,
    )  # fmt: skip
    beside = turned_beside(turned(truth, 5.0), axis, level, TurnSettings(), mesh.diameter)
    assert beside is not None and np.degrees(beside.angle_to(truth)) < 2.0
    assert turned_beside(truth, axis, level, TurnSettings(), mesh.diameter) is None


def cage() -> Mesh:
    """18 bars on a circle between two discs, and a handle: it fits as well 20 degrees on, but for the handle."""
    bars = [trimesh.creation.box([0.003, 0.003, 0.08]) for _ in range(18)]
    for k, bar in enumerate(bars):
        bar.apply_transform(trimesh.transformations.rotation_matrix(2.0 * np.pi * k / 18, [0.0, 0.0, 1.0]) @ OUTWARD)
    ends = [trimesh.creation.cylinder(0.03, 0.004, sections=36) for _ in range(2)]
    for sign, end in zip((-1.0, 1.0), ends, strict=True):
        end.apply_translation([0.0, 0.0, 0.04 * sign])
    grip = trimesh.creation.box([0.02, 0.006, 0.03])
    grip.apply_translation([0.04, 0.0, 0.02])
    whole = trimesh.util.concatenate([*bars, *ends, grip])
    return Mesh(np.asarray(whole.vertices), np.asarray(whole.faces))


@pytest.mark.parametrize("one_on_deg", [20.0, -20.0])
def test_bars_that_fit_one_place_on_are_turned_back_towards_the_start(one_on_deg: float) -> None:
    """Between both places the cost is higher than at either, and a descent stays; 15 degrees do not reach."""
    mesh, window, axis = cage(), CropWindow(0, 0, 320, 240, 2), Axis(np.array([0.0, 0.0, 1.0]), np.zeros(3))
    level = prepare_level(
        Buffers(mesh), seen(mesh, TRUTH, rgb=False), TRUTH, window, ObjectiveSettings(), LevelRules("gain-bias"),
        length_m=mesh.diameter, with_normal=False,
    )  # fmt: skip
    one_on, start = turned(TRUTH, one_on_deg), turned(TRUTH, -0.25 * one_on_deg)
    given = axis, level, TurnSettings(), mesh.diameter
    assert turned_beside(one_on, *given) is None
    for begun in (start, turned(TRUTH, 0.25 * one_on_deg)):
        back = turned_beside(one_on, *given, start=begun)
        assert back is not None and np.degrees(back.angle_to(TRUTH)) < 1.0
    assert turned_beside(TRUTH, *given, start=start) is None
