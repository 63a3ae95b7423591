"""Masks that are off as a whole, beside depth that says where the object is, or has errors of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from diffdope.experiments.shapes import grid_box
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture, random_pose
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import PRESETS
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.signed_distance import signed_distance


def angle() -> Mesh:
    """Two plates at a right angle, one shorter than the other."""
    parts = [((0.08, 0.05, 0.01), (0.0, 0.0, 0.0)), ((0.01, 0.03, 0.05), (0.035, 0.01, 0.03))]
    vertices, faces = [], []
    for size, middle in parts:
        corners, triangles = grid_box(np.array(size), 3)
        faces.append(triangles + sum(len(one) for one in vertices))
        vertices.append(corners + np.array(middle))
    return Mesh(np.concatenate(vertices), np.concatenate(faces))


BARE = angle()
PIXEL_MM = 1e3 * 0.55 / CAMERA.fx


def seen(seed: int, *, depth_m: float = 0.0005) -> tuple[Observation, Pose, Pose]:
    """A picture of the bare object, where it is, and a start that is 10 degrees and 4 mm off."""
    rng = np.random.default_rng(seed)
    truth = random_pose(rng)
    observation = picture([(BARE, truth)], rng, noise=SensorNoise(0.01, depth_m, 0.0, 0.0))
    return observation, truth, perturb(truth, angle_rad=np.radians(10.0), distance_m=0.004, rng=rng)


def shifted(observation: Observation, down: int) -> Observation:
    """Its mask is so many pixels too far down."""
    assert observation.mask is not None
    return observation.with_mask(np.roll(observation.mask, down, axis=0))


def off_mm(result: RefinementResult, truth: Pose) -> float:
    """Largest distance of a vertex from its place."""
    vertices = BARE.vertices_m
    return 1e3 * float(np.linalg.norm(result.pose.apply(vertices) - truth.apply(vertices), axis=1).max())


def test_a_mask_that_is_off_as_a_whole_gives_way_to_depth() -> None:
    """Of one view in four, the steps end half way, for both plates are seen flat and shifts hardly change depth."""
    errors_mm = []
    for seed in range(4):
        observation, truth, start = seen(seed)
        low = shifted(observation, 3)
        for result in (Refiner(BARE).refine(low, start), Refiner(BARE).locate(low)):
            assert NoteCode.MASK_SHIFTED in result.note_codes
            errors_mm.append(off_mm(result, truth))
    assert max(errors_mm) < 0.5 * 3 * PIXEL_MM
    assert sorted(errors_mm)[5] < 0.25 * PIXEL_MM  # six of eight


def test_a_mask_that_is_said_to_be_where_it_should_be_is_followed() -> None:
    observation, truth, start = seen(0)
    default = PRESETS["default"]
    trusting = replace(default.search, noise=replace(default.search.noise, mask_shift_px=0.0))
    result = Refiner(BARE, preset=replace(default, search=trusting)).refine(shifted(observation, 3), start)
    assert off_mm(result, truth) > 1.5 * PIXEL_MM
    assert NoteCode.MASK_SHIFTED not in result.note_codes


@pytest.mark.parametrize("seed", range(4))
def test_depth_that_is_not_registered_is_not_followed_against_mask_and_photograph(seed: int) -> None:
    observation, truth, start = seen(seed)
    assert observation.depth is not None
    moved = np.roll(observation.depth, 3, axis=0)
    beside = Observation(observation.camera, rgb=observation.rgb, depth=moved, mask=observation.mask)
    result = Refiner(BARE).refine(beside, start)
    assert NoteCode.MASK_SHIFTED not in result.note_codes
    assert off_mm(result, truth) < 0.5 * 3 * PIXEL_MM  # nearer to where mask and photograph have it


@pytest.mark.parametrize("seed", range(4))
def test_a_good_mask_does_not_give_way_to_depth_with_errors_that_neighbours_share(seed: int) -> None:
    observation, truth, start = seen(seed)
    assert observation.depth is not None
    wave = gaussian_filter(np.random.default_rng(seed).standard_normal(observation.depth.shape), 12.0)
    bent = observation.depth + np.float32(0.002 / wave.std()) * wave.astype(np.float32)
    beside = Observation(observation.camera, rgb=observation.rgb, depth=bent, mask=observation.mask)
    result = Refiner(BARE).refine(beside, start)
    assert NoteCode.MASK_SHIFTED not in result.note_codes
    middle = 1e3 * np.linalg.norm((result.pose.t_m2c - truth.t_m2c)[:2])
    assert middle < 0.5 * PIXEL_MM


def drawn_by_a_network(observation: Observation, seed: int) -> Observation:
    """Its mask has a wavy border, and is two pixels too far down."""
    assert observation.mask is not None
    waves = gaussian_filter(np.random.default_rng(seed).normal(size=observation.mask.shape), 4.0)
    wavy = gaussian_filter(observation.mask.astype(float), 1.2) + 0.15 * waves / waves.std() > 0.5
    return observation.with_mask(np.roll(wavy, 2, axis=0))


def test_a_mask_with_a_rough_border_leaves_the_place_to_depth() -> None:
    """Also to depth whose errors neighbours share, which does not tell on its own that the mask is off."""
    default = PRESETS["default"]
    trusting = replace(default.search, noise=replace(default.search.noise, mask_shift_px=0.0))
    errors_mm, trusted_mm = [], []
    for seed in range(4):
        observation, truth, start = seen(seed, depth_m=0.0)
        assert observation.depth is not None
        wave = gaussian_filter(np.random.default_rng(seed).standard_normal(observation.depth.shape), 2.0)
        smoothed = observation.depth + np.float32(0.001 / wave.std()) * wave.astype(np.float32)
        beside = Observation(observation.camera, rgb=observation.rgb, depth=smoothed, mask=observation.mask)
        rough = drawn_by_a_network(beside, seed)
        errors_mm.append(off_mm(Refiner(BARE).refine(rough, start), truth))
        followed = Refiner(BARE, preset=replace(default, search=trusting)).refine(rough, start)
        trusted_mm.append(off_mm(followed, truth))
    assert np.median(errors_mm) < 0.5 * np.median(trusted_mm)
    assert all(mine < followed + 0.1 for mine, followed in zip(errors_mm, trusted_mm, strict=True))


def spoilt(mask: np.ndarray) -> dict[str, np.ndarray]:
    """Masks with smooth borders, each wrong in another way."""
    outside = signed_distance(mask)
    rows, columns = np.nonzero(mask)
    v, u = np.indices(mask.shape)
    hole = (v - np.median(rows)) ** 2 + (u - np.median(columns)) ** 2 < (0.15 * np.sqrt(mask.sum())) ** 2
    return {
        "shifted": np.roll(mask, (2, 2), axis=(0, 1)),
        "wide": outside < 2.5,
        "narrow": outside < -1.5,
        "cut": mask & (u < np.quantile(columns, 0.8)),
        "hole": np.roll(mask, 1, axis=0) & ~hole,
    }


def test_a_mask_that_is_wrong_in_any_way_costs_no_more_than_none() -> None:
    """Neither the pose nor its being believed."""
    refiner, with_mask, without = Refiner(BARE), [], []
    for seed in range(3):
        observation, truth, start = seen(seed)
        assert observation.mask is not None
        alone = off_mm(refiner.refine(observation.without_mask(), start), truth)
        for name, mask in spoilt(np.asarray(observation.mask) > 0.5).items():
            result = refiner.refine(observation.with_mask(mask), start)
            assert result.ok, (seed, name, result.notes)
            with_mask.append(off_mm(result, truth))
            without.append(alone)
    assert np.mean(with_mask) < 1.1 * np.mean(without) + 0.02 * PIXEL_MM, (with_mask, without)


def test_a_mask_holds_what_depth_leaves_open() -> None:
    """The place of a flat plate that lies in a table of its own depth, though the mask is off."""
    plate = Mesh(*grid_box(np.array([0.08, 0.05, 0.002]), 3))
    rng = np.random.default_rng(3)
    truth = Pose(random_pose(rng).R_m2c, np.array([0.0, 0.0, 0.55]))
    observation = picture([(plate, truth)], rng, noise=SensorNoise(0.01, 0.0005, 0.0, 0.0))
    assert observation.mask is not None and observation.depth is not None
    drawn = Renderer(plate, CAMERA).render(truth.R_m2c, truth.t_m2c)
    normal = truth.R_m2c[:, 2]
    rays = CAMERA.back_project(np.ones((CAMERA.height, CAMERA.width)))
    top = truth.t_m2c - 0.001 * np.sign(normal[2]) * normal
    table = (normal @ top) / (rays @ normal)
    flush = np.where(drawn.triangle_id[0] >= 0, observation.depth, np.where(table > 0.0, table, 0.0))
    seen_flush = Observation(CAMERA, depth=flush.astype(np.float32), mask=shifted(observation, 2).mask)
    start = perturb(truth, angle_rad=np.radians(10.0), distance_m=0.004, rng=rng)
    result = Refiner(plate).refine(seen_flush, start)
    across = 1e3 * np.linalg.norm((result.pose.t_m2c - truth.t_m2c)[:2])
    assert across < 3.0 * PIXEL_MM
    assert result.covariance is not None
    known_mm = 1e3 * np.sqrt(np.trace(result.covariance[:2, :2]))
    assert known_mm > 0.5 * across
