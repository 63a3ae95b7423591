"""Proposals with no start: rotations all around, templates, and what laying one over a crop costs."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import primitives
from diffdope.experiments.synthetic import picture, random_pose
from diffdope.geometry import so3
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.problem import screening_kernel as kernel
from diffdope.problem.responsibility import weights_of_mask
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.templates import TemplateSphere, step_of
from diffdope.search.proposals.view_sphere import Proposals, ViewSphereSettings, view_sphere

ASIDE = np.array([0.05, 0.0, -0.15])
WIDER = ViewSphereSettings().wider_scales
BOX = primitives()["box, label"].mesh


def angles_deg(R: np.ndarray, to: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip(0.5 * (np.einsum("nij,ij->n", R, to) - 1.0), -1.0, 1.0)))


@pytest.mark.parametrize(("count", "farthest_deg"), [(576, 25.0), (2000, 17.0)])
def test_rotations_leave_no_hole(count: int, farthest_deg: float) -> None:
    R = so3.evenly(count)
    assert np.allclose(R @ np.swapaxes(R, 1, 2), np.eye(3)) and np.allclose(np.linalg.det(R), 1.0)
    rng = np.random.default_rng(0)
    nearest = [angles_deg(R, random_rotation(rng)).min() for _ in range(500)]
    assert max(nearest) < farthest_deg
    assert np.mean(nearest) > 0.4 * farthest_deg  # none of them is there twice


def test_no_rotations_are_refused() -> None:
    with pytest.raises(DiffDopeError, match="count: expected at least one rotation"):
        so3.evenly(0)


# ---------------------------------------------------------------- the kernel against plain numpy


def oracle(
    seen: kernel.Seen, depth: np.ndarray, rgb: np.ndarray, place: tuple[float, ...], pay: kernel.Penalties
) -> tuple[float, float]:
    """Cost and distance of one placement, pixel by pixel."""
    scale, x, y, z = place
    height, width = seen.mask.shape
    rows, columns = np.mgrid[:height, :width]
    side = depth.shape[0]
    u = np.floor(np.float32(0.5 * side) + (columns - x) / np.float32(scale)).astype(int)
    v = np.floor(np.float32(0.5 * side) + (rows - y) / np.float32(scale) / seen.aspect).astype(int)
    inside = (u >= 0) & (u < side) & (v >= 0) & (v < side)
    drawn = np.where(inside, depth[v.clip(0, side - 1), u.clip(0, side - 1)], 0.0)
    colors = rgb[v.clip(0, side - 1), u.clip(0, side - 1)]
    there, mask = drawn > 0.0, seen.mask > 0.5
    both, measured = there & mask, seen.depth > 0.0
    for limit in (pay.limit_m, 0.5 * pay.limit_m):
        away = (seen.depth - (drawn - 1.0) - z)[both & measured]
        z += float(np.clip(away, -limit, limit).mean()) if len(away) else 0.0
    gain = np.clip(seen.rgb[both].sum() / max(colors[both].sum(), 1e-6), 0.25, 4.0)
    full = pay.silhouette + pay.depth + pay.color
    surface = drawn - 1.0 + z
    cost = full * np.count_nonzero(mask & ~there)
    hidden = measured & (seen.depth < surface - pay.behind_m)
    cost += full * seen.outside[there & ~mask & ~hidden].sum()
    off = np.minimum(np.abs(seen.depth - surface) / pay.depth_m, 1.0)
    cost += pay.depth * off[both & measured].sum()
    unlike = np.minimum(np.abs(seen.rgb - gain * colors).sum(axis=2) / pay.color_range, 1.0)
    cost += pay.color * unlike[both].sum()
    return float(cost), z


@pytest.mark.parametrize("aspect", [1.0, 1.3])
def test_the_kernel_pays_what_plain_numpy_pays(aspect: float) -> None:
    rng, f32 = np.random.default_rng(3), np.float32
    y, x = np.mgrid[:20, :24]
    mask = (((x - 11) / 7) ** 2 + ((y - 9) / 5) ** 2 < 1).astype(f32)
    depth = rng.uniform(0.45, 0.55, mask.shape).astype(f32) * (rng.random(mask.shape) < 0.9)
    seen = kernel.Seen(
        mask, rng.random(mask.shape).astype(f32), depth.astype(f32), rng.random((20, 24, 3)).astype(f32),
        f32(mask.sum()), f32(aspect),
    )  # fmt: skip
    v, u = np.mgrid[:30, :30]
    drawn = (1.0 + 0.02 * rng.standard_normal((30, 30))) * (np.hypot(u - 14.5, v - 14.5) < 12)
    templates = kernel.Templates(drawn[None].astype(f32), rng.random((1, 30, 30, 3)).astype(f32))
    pay = kernel.Penalties(f32(1.0), f32(0.5), f32(1.0), f32(0.02), f32(0.01), f32(0.75), f32(0.05))
    places = rng.uniform([0.4, 5, 4, 0.4], [0.9, 18, 15, 0.6], (20, 4)).astype(f32)
    placements = kernel.Placements(np.zeros(20, np.int64), *(np.ascontiguousarray(places[:, k]) for k in range(4)))
    cost, z = np.empty(20, f32), np.empty(20, f32)
    kernel.screen(seen, templates, placements, 0, 20, pay, cost, z)
    wanted = [oracle(seen, templates.depth[0], templates.rgb[0], tuple(place), pay) for place in places]
    # Where single precision rounds to another pixel of the template, a pixel pays something else.
    assert np.median(np.abs(cost - [one[0] for one in wanted])) < 1e-3
    assert np.abs(cost - [one[0] for one in wanted]).max() < 5.0
    assert np.abs(z - [one[1] for one in wanted]).max() < 1e-3


# ---------------------------------------------------------------- templates and proposals


@pytest.fixture(scope="module")
def levels() -> MeshLevels:
    return MeshLevels(BOX, (500,), threads=1)


def test_templates_are_the_object_in_the_middle(levels: MeshLevels) -> None:
    sphere = TemplateSphere.of(levels.buffers(500), levels.length_m, 50, step_of(5.0))
    covered = sphere.templates.depth > 0.0
    assert not covered[:, 0].any() and not covered[:, -1].any()
    assert not covered[:, :, 0].any() and not covered[:, :, -1].any()
    assert np.abs(sphere.templates.depth[covered] - 1.0).max() < 0.51 * levels.length_m
    off = 0.5 * np.abs(sphere.boxes[:, :2] + sphere.boxes[:, 2:])
    assert off.max() < 2.5 and off.mean() < 0.8  # a box's near half looks larger than its far one
    near = sphere.within(sphere.R[7], np.radians(80.0))
    assert 1 < len(near.R) < 50 and angles_deg(near.R, sphere.R[7]).max() < 80.0
    assert len(sphere.within(so3.exp(np.array([0.3, 0.1, 0.0])) @ sphere.R[7], 1e-3).R) == 1  # the nearest


def test_templates_are_kept(levels: MeshLevels) -> None:
    assert levels.templates(20, 500, 5.0) is levels.templates(20, 500, 5.1)
    assert levels.templates(20, 500, 5.0) is not levels.templates(20, 500, 10.0)


@pytest.mark.parametrize("names", [("rgb", "depth", "mask"), ("depth", "mask"), ("rgb", "mask")])
@pytest.mark.parametrize("hidden", [False, True])
def test_the_truth_is_among_the_first(levels: MeshLevels, names: tuple[str, ...], hidden: bool) -> None:
    # Without depth, the size of what is hidden is found by the second, wider search, and not in all cases.
    wider = hidden and "depth" not in names
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth = random_pose(rng)
        parts = [(BOX, truth)]
        if hidden:
            parts.append((BOX, Pose(random_rotation(rng), truth.t_m2c + ASIDE)))
        seen = picture(parts, rng)
        given = Observation(seen.camera, **{name: getattr(seen, name) for name in names})
        count = 96 if wider else 48
        laid = view_sphere(levels, given, ViewSphereSettings(scales=WIDER if wider else (1.0,)), count)
        assert isinstance(laid, Proposals)
        assert (np.diff(laid.explained) <= 0.0).all() and len(laid.t) == count
        off = np.linalg.norm(laid.t[:, :2] - truth.t_m2c[:2], axis=1) / levels.length_m
        found.append(((angles_deg(laid.R, truth.R_m2c) < 30.0) & (off < 0.2)).any())
    assert sum(found) >= 11


def test_only_rotations_near_a_start_are_proposed_if_there_is_one(levels: MeshLevels) -> None:
    rng = np.random.default_rng(1)
    truth = random_pose(rng)
    seen = picture([(BOX, truth)], rng)
    laid = view_sphere(levels, seen, ViewSphereSettings(), 48, around=truth, angle_rad=np.radians(60.0))
    assert isinstance(laid, Proposals)
    assert angles_deg(laid.R, truth.R_m2c).max() < 65.0  # what is seen elsewhere in the image is turned a little


def test_without_a_pose_only_depth_tells_what_hides_the_object() -> None:
    rng = np.random.default_rng(2)
    truth = random_pose(rng)
    seen = picture([(BOX, truth), (BOX, Pose(truth.R_m2c, truth.t_m2c + ASIDE))], rng)
    weights = weights_of_mask(seen, margin_m=0.01)
    assert seen.mask is not None and seen.depth is not None
    nearer = (seen.depth > 0) & (seen.depth < truth.t_m2c[2] - 0.1)
    assert (weights[seen.mask > 0.5] == 1.0).all()
    assert np.mean(weights[nearer & (seen.mask < 0.5)] == 0.0) > 0.9
    assert np.mean(weights[seen.depth > truth.t_m2c[2] + 0.1] == 1.0) > 0.9
    flat = weights_of_mask(Observation(seen.camera, mask=seen.mask), margin_m=0.01)
    assert (flat[seen.mask > 0.5] == 1.0).all() and flat.min() == 0.0
