"""The first stage from a rough start: measured points against the planes of a surface."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope import DiffDopeError, Mesh, Observation, Pose, Refiner
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.perturb import perturb
from diffdope.geometry.solids import box, cylinder
from diffdope.problem.closest_points_kernel import descend_planes
from diffdope.render.pool import HypothesisPool
from diffdope.render.renderer import Renderer
from diffdope.scene.packaged import packaged_example
from diffdope.search.proposals.closest_points import ClosestPointSettings, Surface, aligned, measured_points

F64 = NDArray[np.float64]
CAMERA = Camera(500.0, 500.0, 159.5, 119.5, 320, 240)
TRUTH = Pose(so3.exp(np.array([0.5, -0.7, 0.2])), np.array([0.02, -0.01, 0.6]))


def seen_of(mesh: Mesh, pose: Pose = TRUTH) -> Observation:
    images = Renderer(mesh, CAMERA).render(pose.R_m2c, pose.t_m2c)
    coverage = np.array(images.coverage[0])
    inside = coverage > 0.99
    return Observation(CAMERA, depth=np.where(inside, images.depth[0], 0.0), mask=inside)


def sums(surface: Surface, seen: F64, pose: Pose, scale: float, limit: float) -> tuple[F64, F64, float]:
    curvature, slope, away = np.zeros((1, 6, 6)), np.zeros((1, 6)), np.array([scale])
    c = surface.cells
    arrays = surface.points, surface.normals, c.start, c.nearest, c.low, c.size, c.shape
    one_step = np.array([1.0, 1.0, 1e-3, 1.0, 0.0, limit])  # in metres, of a scale that is `away` itself
    R, t = np.array(pose.R_m2c[None]), np.array(pose.t_m2c[None])
    descend_planes(seen, R, t, arrays, one_step, away, np.empty((3, 6, 6)), curvature, slope)
    return curvature[0], slope[0], float(away[0])


def test_sums_are_those_of_all_points_one_by_one() -> None:
    mesh = Mesh(*box((0.1, 0.06, 0.04)))
    surface, scale, limit = Surface.of(mesh), 0.01, 0.03
    pose = perturb(TRUTH, angle_rad=0.05, distance_m=0.002, rng=np.random.default_rng(3))
    seen = measured_points(seen_of(mesh), 60)
    curvature, slope, away = sums(surface, seen, pose, scale, limit)
    want_curvature, want_slope, want_away = np.zeros((6, 6)), np.zeros(6), 0.0
    for P in seen:
        q, ray = pose.R_m2c.T @ (P - pose.t_m2c), pose.R_m2c.T @ P
        facing = surface.normals @ ray < 0.0
        distance = np.linalg.norm(surface.points[facing] - q, axis=1)
        n, m = surface.normals[facing][np.argmin(distance)], surface.points[facing][np.argmin(distance)]
        want_away += min(distance.min(), limit) / len(seen)
        if distance.min() > limit:
            continue
        r, row = (q - m) @ n, np.concatenate([n, np.cross(q, n)])
        weight = (1.0 / (1.0 + (r / scale) ** 2)) ** 2 / len(seen)
        want_curvature += weight * np.outer(row, row)
        want_slope += weight * r * row
    assert away == pytest.approx(want_away, rel=1e-9)
    np.testing.assert_allclose(curvature, want_curvature, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(slope, want_slope, rtol=1e-9, atol=1e-12)


def test_sums_skip_what_is_far_off_and_turned_away() -> None:
    mesh = Mesh(*box((0.1, 0.06, 0.04)))
    surface = Surface.of(mesh)
    seen = measured_points(seen_of(mesh), 60)
    far = Pose(TRUTH.R_m2c, TRUTH.t_m2c + np.array([0.0, 0.0, 1.0]))
    curvature, slope, away = sums(surface, seen, far, 0.01, 0.03)
    assert away == pytest.approx(0.03)
    assert not curvature.any() and not slope.any()


@pytest.mark.parametrize("seed", range(4))
def test_points_lead_home_from_far(seed: int) -> None:
    mesh = packaged_example()[0]
    about = mesh.vertices_m.mean(axis=0)
    mesh = Mesh(mesh.vertices_m - about, mesh.faces)
    seen = measured_points(seen_of(mesh), 300)
    start = perturb(TRUTH, angle_rad=np.radians(40.0), distance_m=0.016, rng=np.random.default_rng(seed))
    R, t, told = aligned(
        Surface.of(mesh), seen, start, ClosestPointSettings(), diameter_m=mesh.diameter, stays=False,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    ends = [Pose(*pose) for pose in zip(R, t, strict=True)]
    assert 1 <= len(ends) <= 3
    assert told
    assert min(np.degrees(end.angle_to(TRUTH)) for end in ends) < 5.0


def test_a_good_start_is_enough() -> None:
    mesh = Mesh(*box((0.1, 0.06, 0.04)))
    seen = measured_points(seen_of(mesh), 300)
    start = perturb(TRUTH, angle_rad=np.radians(5.0), distance_m=0.002, rng=np.random.default_rng(0))
    settings = ClosestPointSettings()
    R, t, told = aligned(
        Surface.of(mesh), seen, start, settings, diameter_m=mesh.diameter, stays=True, rng=np.random.default_rng(0)
    )
    assert len(t) == 1
    assert told
    end = Pose(R[0], t[0])
    assert end.distance_to(TRUTH) < 5e-4 and np.degrees(end.angle_to(TRUTH)) < 1.0


def test_what_points_do_not_tell_stays_with_the_start() -> None:
    mesh = Mesh(*cylinder(0.03, 0.1))
    seen = measured_points(seen_of(mesh), 300)
    axis = TRUTH.R_m2c @ np.array([0.0, 0.0, 1.0])
    tilt = so3.exp(np.radians(20.0) * np.cross(axis, [0.0, 0.0, 1.0]) / np.linalg.norm(np.cross(axis, [0, 0, 1])))
    start = Pose(tilt @ TRUTH.R_m2c, TRUTH.t_m2c + np.array([0.004, 0.0, 0.01]))
    R, _, told = aligned(
        Surface.of(mesh), seen, start, ClosestPointSettings(enough_deg=1.0), diameter_m=mesh.diameter, stays=True,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert not told
    assert np.degrees(np.linalg.norm(so3.log(TRUTH.R_m2c.T @ R[0]))) < 3.0


def test_too_few_points_lead_nowhere() -> None:
    mesh = Mesh(*box((0.1, 0.06, 0.04)))
    R, t, told = aligned(
        Surface.of(mesh), np.zeros((5, 3)), TRUTH, ClosestPointSettings(), diameter_m=mesh.diameter, stays=True,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert len(R) == len(t) == 0
    assert not told


def test_measured_points_are_those_of_the_mask_that_have_depth() -> None:
    depth, mask = np.zeros((240, 320)), np.zeros((240, 320), bool)
    mask[100:110, 200:210], depth[100:105, 190:220] = True, 0.5
    mask[106:110, 206:210] = False  # a mask that fills its box is a detector's box
    points = measured_points(Observation(CAMERA, depth=depth, mask=mask), 1000)
    assert len(points) == 50
    u, v = CAMERA.fx * points[:, 0] / 0.5 + CAMERA.cx, CAMERA.fy * points[:, 1] / 0.5 + CAMERA.cy
    assert {(round(a), round(b)) for a, b in zip(u, v, strict=True)} == {
        (a, b) for a in range(200, 210) for b in range(100, 105)
    }


def test_what_a_box_shows_is_not_all_the_object() -> None:
    depth, mask = np.full((240, 320), 0.5), np.zeros((240, 320), bool)
    mask[100:140, 200:240] = True
    assert len(measured_points(Observation(CAMERA, depth=depth, mask=mask), 100)) == 0


def test_fast_finds_the_object_from_a_far_start() -> None:
    mesh, observation, _, truth = packaged_example()
    start = perturb(truth, angle_rad=np.radians(40.0), distance_m=0.016, rng=np.random.default_rng(1))
    result = Refiner(mesh, preset="fast").refine(observation, start)
    assert result.pose.distance_to(truth) < 0.003
    assert np.degrees(result.pose.angle_to(truth)) < 2.0


@pytest.mark.parametrize(("name", "value"), [("starts", -1), ("iterations", 0), ("points", 0), ("kept", 0)])
def test_numbers_that_make_no_stage_are_refused(name: str, value: int) -> None:
    with pytest.raises(DiffDopeError, match=name):
        ClosestPointSettings(**{name: value})  # type: ignore[arg-type]


def test_threads_share_the_poses_and_change_none() -> None:
    mesh = Mesh(*box((0.1, 0.06, 0.04)))
    surface, seen = Surface.of(mesh), measured_points(seen_of(mesh), 300)
    start = perturb(TRUTH, angle_rad=0.6, distance_m=0.02, rng=np.random.default_rng(5))
    settings, found = ClosestPointSettings(starts=13), []
    for pool in (None, HypothesisPool(1), HypothesisPool(2), HypothesisPool(3)):
        rng = np.random.default_rng(6)
        given = {"diameter_m": mesh.diameter, "stays": False, "rng": rng, "pool": pool}
        found.append(aligned(surface, seen, start, settings, **given))  # type: ignore[arg-type]
    alone, *shared = found
    turned = Pose(alone.R[0], alone.t[0]).angle_to(start)
    assert turned > np.radians(settings.enough_deg)  # so the start alone was not enough, and others took part
    for other in shared:
        np.testing.assert_array_equal(other.R, alone.R)
        np.testing.assert_array_equal(other.t, alone.t)
