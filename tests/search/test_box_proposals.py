"""A box instead of a mask: what drawings earn and pay in it, and how much of a result sticks out of it."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import grid_box, primitives
from diffdope.experiments.synthetic import picture, random_pose
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.perturb import random_rotation
from diffdope.geometry.pose import Pose
from diffdope.problem import box_screening_kernel as kernel
from diffdope.problem.failure import Failure
from diffdope.problem.screening_kernel import FRONT, Placements, Templates
from diffdope.render.arrays import pinhole_of
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.box_proposals import BoxSettings, box_proposals, box_score, explained, lies_in_box
from diffdope.search.proposals.view_sphere import ViewSphereSettings

BOX = primitives()["box, label"].mesh
CUBE = primitives()["cube"].mesh
BAR = Mesh(*grid_box(np.array([0.24, 0.03, 0.03]), 6))


def oracle(
    seen: kernel.BoxSeen, depth: np.ndarray, rgb: np.ndarray, place: tuple[float, ...], pay: kernel.BoxPenalties,
    *, follow: bool = True,
) -> tuple[float, float]:  # fmt: skip
    """Score and distance of one placement, in plain numpy."""
    scale, x, y, z = place
    height, width = seen.depth.shape
    rows, columns = np.mgrid[:height, :width]
    high, wide = depth.shape
    u = np.floor(np.float32(0.5 * wide) + (columns - x) / np.float32(scale)).astype(int)
    v = np.floor(np.float32(0.5 * high) + (rows - y) / np.float32(scale) / seen.aspect).astype(int)
    there = (u >= 0) & (u < wide) & (v >= 0) & (v < high)
    drawn = np.where(there, depth[v.clip(0, high - 1), u.clip(0, wide - 1)], 0.0)
    colors = rgb[v.clip(0, high - 1), u.clip(0, wide - 1)]
    there &= drawn > 0.0
    x0, y0, x1, y1 = seen.box
    inside = (columns >= x0) & (columns <= x1) & (rows >= y0) & (rows <= y1)
    known = seen.depth > 0.0
    bin_m = 0.5 * pay.depth_m
    number = np.floor((seen.depth - (drawn - 1.0) - z) / bin_m + 0.5 * kernel.BINS).astype(int)
    number = number[there & inside & known]
    bins = np.bincount(number[(number >= 0) & (number < kernel.BINS)], minlength=kernel.BINS).astype(float)
    three = bins[:-2] + bins[1:-1] + bins[2:]
    if follow and three.max() > 0.0:
        best = int(np.argmax(three)) + 1
        z += bin_m * (best - kernel.BINS // 2 + (bins[best + 1] - bins[best - 1]) / three.max())
    surface = drawn - 1.0 + z
    away = np.abs(seen.depth - surface) / pay.depth_m
    agrees = there & inside & (~known | (away < 1.0))
    gain = np.clip(seen.rgb[agrees].sum() / max(colors[agrees].sum(), 1e-6), 0.25, 4.0)
    hidden = there & known & (away >= 1.0) & (seen.depth < surface)
    score = -pay.in_front * np.count_nonzero(hidden & inside)
    score -= pay.outside * np.count_nonzero(there & ~inside & ~hidden)
    score -= pay.behind * np.count_nonzero(there & inside & known & (away >= 1.0) & ~hidden)
    score += (1.0 - away)[agrees & known].sum()
    off = np.abs(seen.rgb - gain * colors).sum(axis=2) / pay.color_range
    score += pay.color * (1.0 - np.minimum(off, 2.0))[agrees].sum()
    if not agrees.any():
        return -1e6, z
    r, c = np.nonzero(agrees)
    gaps = np.array([c.min() - x0, c.max() - x1, r.min() - y0, r.max() - y1])
    beyond = np.maximum(np.abs(gaps) - 1.0, 0.0)  # a pixel at either end is not known
    short = beyond[:2].sum() * (y1 - y0 + 1) + beyond[2:].sum() * (x1 - x0 + 1)
    return float(score - pay.edge * short), z


@pytest.mark.parametrize("aspect", [1.0, 1.3])
def test_the_kernel_scores_as_plain_numpy_does(aspect: float) -> None:
    rng, f32 = np.random.default_rng(3), np.float32
    depth = rng.uniform(0.45, 0.55, (20, 24)) * (rng.random((20, 24)) < 0.9)
    box = np.array([4, 3, 18, 15], f32)
    seen = kernel.BoxSeen(depth.astype(f32), rng.random((20, 24, 3)).astype(f32), box, f32(aspect))
    v, u = np.mgrid[:28, :32]
    drawn = (1.0 + 0.02 * rng.standard_normal((28, 32))) * (np.hypot(u - 15.5, v - 13.5) < 12)
    templates = Templates(drawn[None].astype(f32), rng.random((1, 28, 32, 3)).astype(f32))
    pay = kernel.BoxPenalties(f32(0.03), f32(0.5), f32(0.375), f32(1.0), f32(0.2), f32(0.9), f32(0.5))
    places = rng.uniform([0.4, 5, 4, 0.4], [0.9, 18, 15, 0.6], (40, 4)).astype(f32)
    placements = Placements(np.zeros(40, np.int64), *(np.ascontiguousarray(places[:, k]) for k in range(4)))
    score, z = np.empty(40, f32), np.empty(40, f32)
    bins = np.zeros(kernel.BINS, f32)
    kernel.screen_box(seen, templates, placements, 0, 40, np.int64(1), pay, bins, score, z)
    wanted = [oracle(seen, templates.depth[0], templates.rgb[0], tuple(place), pay) for place in places]
    # Where single precision rounds to another pixel or bin, a placement ends elsewhere.
    assert np.median(np.abs(score - [one[0] for one in wanted])) < 1e-3
    assert np.median(np.abs(z - [one[1] for one in wanted])) < 1e-5
    assert np.mean(np.abs(z - [one[1] for one in wanted]) < 1e-4) > 0.9


def test_a_drawing_that_is_told_to_stay_stays() -> None:
    f32, flat = np.float32, np.full((6, 6), 0.5, np.float32)
    seen = kernel.BoxSeen(flat, np.zeros((6, 6, 3), f32), np.array([0, 0, 5, 5], f32), f32(1.0))
    templates = Templates(np.ones((1, 6, 6), f32), np.zeros((1, 6, 6, 3), f32))
    placements = Placements(np.zeros(1, np.int64), *(np.array([one], f32) for one in (1.0, 2.5, 2.5, 0.45)))
    pay = kernel.BoxPenalties(f32(0.1), *(f32(one) for one in (0.0, 1.0, 1.0, 0.2, 1.0, 0.5)))
    bins, score, z = np.zeros(kernel.BINS, f32), np.empty(1, f32), np.empty(1, f32)
    kernel.screen_box(seen, templates, placements, 0, 1, np.int64(0), pay, bins, score, z)
    assert z[0] == f32(0.45) and score[0] == pytest.approx(36 * 0.5, rel=1e-5)  # half of the range off, everywhere
    kernel.screen_box(seen, templates, placements, 0, 1, np.int64(1), pay, bins, score, z)
    assert z[0] == pytest.approx(0.5, abs=0.026)  # to a bin's middle


@pytest.mark.parametrize("color", [0.0, 0.5])
def test_a_pose_is_scored_as_what_its_pixels_show(color: float) -> None:
    rng, f32 = np.random.default_rng(4), np.float32
    vertices, faces = grid_box(np.array([0.08, 0.06, 0.05]), 3)
    mesh = Mesh(vertices, faces, colors=np.clip(0.5 + 6.0 * vertices, 0.0, 1.0))
    camera, count = Camera(80.0, 80.0, 15.5, 11.5, 32, 24), 12
    R = np.stack([random_rotation(rng) for _ in range(count)])
    t = np.array([0.0, 0.0, 0.4]) + rng.uniform(-0.03, 0.03, (count, 3))
    images = Renderer(mesh, camera, threads=1).render(R, t)
    # What a drawing shows of the object in a pixel: of a convex body, only the background is mixed in.
    there = images.triangle_id >= 0
    drawn = np.where(there, images.depth + (FRONT - t[:, 2, None, None].astype(f32)), f32(0.0))
    rgb = images.rgb / np.maximum(images.coverage, f32(1e-3))[..., None]
    depth = images.depth[0] + f32(0.01) * rng.standard_normal((24, 32)).astype(f32)
    depth = np.where(there[0] & (rng.random((24, 32)) < 0.8), depth, rng.choice([0.0, 0.3, 0.6], (24, 32)))
    seen = kernel.BoxSeen(depth.astype(f32), rng.random((24, 32, 3)).astype(f32), np.array([8, 5, 22, 17], f32), f32(1))
    pay = kernel.BoxPenalties(f32(0.03), f32(color), f32(0.375), f32(2.0), f32(0.2), f32(0.9), f32(0.5))
    buffers = Buffers(mesh, threads=1)
    score = explained(buffers, pinhole_of(camera), seen, pay, R.astype(f32), t.astype(f32))
    wanted = [oracle(seen, drawn[b], rgb[b], (1.0, 15.5, 11.5, t[b, 2]), pay, follow=False)[0] for b in range(count)]
    assert np.ptp(wanted) > 50.0
    np.testing.assert_allclose(score, wanted, atol=0.02)


def test_the_score_of_a_pose_does_not_depend_on_others() -> None:
    rng, (truth, seen, box) = np.random.default_rng(5), scenes(1)[0]
    score = box_score(MeshLevels(BOX, threads=1), seen, box, BoxSettings(), size=48, faces=0, depth_range=0.05)
    R = np.stack([truth.R_m2c, *(random_rotation(rng) for _ in range(4))])
    t = np.stack([truth.t_m2c] * 5)
    assert np.array_equal(score(R, t), np.concatenate([score(R[k : k + 1], t[k : k + 1]) for k in range(5)]))


def scenes(count: int = 8) -> list[tuple[Pose, Observation, tuple[float, float, float, float]]]:
    made = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        truth = random_pose(rng)
        beside = Pose(random_rotation(rng), truth.t_m2c + np.array([0.05, 0.01, -0.06]))
        seen = picture([(BOX, truth), (CUBE, beside)], rng)
        assert seen.mask_box is not None
        made.append((truth, seen.without_mask(), seen.mask_box))
    return made


@pytest.fixture(scope="module")
def levels() -> MeshLevels:
    return MeshLevels(BOX, (500,), threads=1)


def test_the_truth_is_among_the_proposals(levels: MeshLevels) -> None:
    found = []
    for truth, seen, box in scenes():
        laid = box_proposals(levels, seen, box, ViewSphereSettings(), BoxSettings())
        assert not isinstance(laid, Failure)
        assert (np.diff(laid.explained) <= 0.0).all()
        angle = np.arccos(np.clip(0.5 * (np.einsum("nij,ij->n", laid.R, truth.R_m2c) - 1.0), -1.0, 1.0))
        near = np.linalg.norm(laid.t - truth.t_m2c, axis=1) < 0.15 * levels.length_m
        found.append(bool((near & (angle < np.radians(30.0))).any()))
    assert np.mean(found) > 0.85, found


def test_the_truth_explains_more_than_what_is_off(levels: MeshLevels) -> None:
    settings = BoxSettings()
    for truth, seen, box in scenes(4):
        off = [np.zeros(3), [0.02, 0, 0], [0, -0.02, 0], [0, 0, 0.03], [0, 0, -0.03]]
        R = np.stack([truth.R_m2c] * len(off))
        t = truth.t_m2c + np.array(off, np.float64)
        score = box_score(levels, seen, box, settings, size=48, faces=0, depth_range=0.05)(R, t)
        assert np.argmax(score) == 0, score


def crossed(angle_deg: float) -> tuple[Pose, Pose, Observation]:
    """Two bars, one upon the other, seen from above: the lower and the upper pose, and the mask of the lower."""
    turn = so3.exp(np.radians([0.0, 0.0, angle_deg]))
    lower = Pose(np.eye(3), np.array([0.0, 0.0, 0.63]))
    upper = Pose(turn, np.array([0.0, 0.0, 0.6]))
    seen = picture([(BAR, lower), (BAR, upper)], np.random.default_rng(0))
    return lower, upper, seen


def test_of_two_bars_the_one_is_meant_at_whose_ends_the_box_ends() -> None:
    lower, upper, seen = crossed(10.0)
    levels = MeshLevels(BAR, threads=1)
    assert seen.mask_box is not None
    R, t = np.stack([lower.R_m2c, upper.R_m2c]), np.stack([lower.t_m2c, upper.t_m2c])

    def surplus(settings: BoxSettings) -> float:
        score = box_score(levels, seen.without_mask(), seen.mask_box, settings, size=48, faces=0, depth_range=0.05)
        of_lower, of_upper = score(R, t)
        return float(of_lower - of_upper)

    assert surplus(BoxSettings()) > 0.0
    assert surplus(BoxSettings(behind=1.0, outside=1.0, edge=0.5)) < 0.0


def test_what_sticks_out_of_a_box_is_counted(levels: MeshLevels) -> None:
    truth, seen, (x0, y0, x1, y1) = scenes(1)[0]
    whole = lies_in_box(levels, seen, (x0, y0, x1, y1), truth, 0.05)
    half = lies_in_box(levels, seen, (x0, y0, 0.5 * (x0 + x1), y1), truth, 0.05)
    assert whole.outside < 0.05 and half.outside > 0.2
    elsewhere = Pose(truth.R_m2c, truth.t_m2c + np.array([0.5, 0.0, 0.0]))
    assert lies_in_box(levels, seen, (x0, y0, x1, y1), elsewhere, 0.05) == (1.0, 1.0)


def test_what_falls_short_of_a_box_is_told(levels: MeshLevels) -> None:
    truth, seen, (x0, y0, x1, y1) = scenes(1)[0]
    width = x1 - x0
    right = lies_in_box(levels, seen, (x0, y0, x1, y1), truth, 0.05)
    wider = lies_in_box(levels, seen, (x0, y0, x1 + width, y1), truth, 0.05)
    assert right.short < 0.1 and wider.short == pytest.approx(0.5, abs=0.1)
    assert wider.outside <= right.outside


def test_a_box_without_a_measured_depth_gives_nothing(levels: MeshLevels) -> None:
    _, seen, box = scenes(1)[0]
    depth = np.array(seen.depth)
    x0, y0, x1, y1 = (int(one) for one in box)
    depth[y0 : y1 + 1, x0 : x1 + 1] = 0.0
    blind = Observation(seen.camera, depth=depth)
    assert isinstance(box_proposals(levels, blind, box, ViewSphereSettings(), BoxSettings()), Failure)


@pytest.mark.parametrize("name", ["depth_range", "depth_range_fine", "color_range", "sticking_out", "falling_short"])
def test_ranges_of_nothing_are_refused(name: str) -> None:
    with pytest.raises(DiffDopeError, match=f"{name}: expected"):
        BoxSettings(**{name: 0.0})
