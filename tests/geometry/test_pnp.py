"""Poses from clicked points."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope import Camera, Pose
from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pnp import poses_from_points

CAMERA = Camera(600.0, 610.0, 330.5, 230.2, 640, 480)


def random_pose(rng: np.random.Generator) -> Pose:
    return Pose(so3.exp(rng.normal(size=3) * 2.0), np.array([*rng.uniform(-0.15, 0.15, 2), rng.uniform(0.5, 1.5)]))


def seen(pose: Pose, points: np.ndarray) -> np.ndarray:
    return np.stack(CAMERA.project(pose.apply(points)), axis=1)


@pytest.mark.parametrize("count", [4, 5, 6, 12])
@pytest.mark.parametrize("flat", [False, True])
def test_exact_pixels_give_the_pose(count: int, flat: bool, rng: np.random.Generator) -> None:
    for _ in range(20):
        points = rng.uniform(-0.08, 0.08, (count, 3)) * [1.0, 1.0, 0.0 if flat else 1.0] + [0.0, 0.3, 0.0]
        widths = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if widths[1] < 0.2 * widths[0]:
            continue
        pose = random_pose(rng)
        found = poses_from_points(points, seen(pose, points), CAMERA)
        assert found[0].rms_px < 1e-5
        off = min((np.degrees(one.pose.angle_to(pose)), one.pose.distance_to(pose)) for one in found)
        assert off[0] < 1e-3 and off[1] < 1e-5


def test_clicks_that_are_a_pixel_off_give_a_pose_nearby(rng: np.random.Generator) -> None:
    points = np.array(np.meshgrid([-0.05, 0.05], [-0.04, 0.04], [-0.06, 0.06])).reshape(3, -1).T
    for _ in range(30):
        pose = random_pose(rng)
        found = poses_from_points(points, seen(pose, points) + rng.normal(size=(8, 2)), CAMERA)
        assert 0.1 < found[0].rms_px < 3.0
        assert np.degrees(found[0].pose.angle_to(pose)) < 8.0


@pytest.mark.parametrize(("thick", "far"), [(0.10, 2.5), (0.01, 0.8)])
def test_noise_of_a_network_on_a_box_far_away_puts_it_nowhere_behind(
    thick: float, far: float, rng: np.random.Generator
) -> None:  # fmt: skip
    """Linear solutions of such points have a sign that noise decides, and put one of four behind the camera."""
    points = np.array(np.meshgrid([-0.1, 0.1], [-0.07, 0.07], [-thick / 2, thick / 2])).reshape(3, -1).T
    for _ in range(30):
        pose = Pose(random_pose(rng).R_m2c, np.array([*rng.uniform(-0.15, 0.15, 2), far]))
        found = poses_from_points(points, seen(pose, points) + rng.normal(0.0, 2.0, (8, 2)), CAMERA)
        assert all(one.pose.t_m2c[2] > 0.8 * far for one in found)
        assert min(np.degrees(one.pose.angle_to(pose)) for one in found) < 25.0


def test_markers_seen_straight_on_in_whole_pixels_are_the_right_way_up() -> None:
    points = np.array([[-1, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0]]) * 0.05
    pose = Pose(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 0.5]))
    camera = Camera(600.0, 600.0, 320.0, 240.0, 640, 480)
    (found,) = poses_from_points(points, np.stack(camera.project(pose.apply(points)), axis=1), camera)
    assert np.degrees(found.pose.angle_to(pose)) < 1e-3


def test_a_small_flat_object_far_away_has_two_poses_and_both_come_back() -> None:
    points = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * 0.02
    pose = Pose(so3.exp([0.5, 0.0, 0.0]), np.array([0.0, 0.0, 1.5]))
    found = poses_from_points(points, seen(pose, points), CAMERA)
    assert len(found) == 2
    assert found[0].pose.angle_to(pose) < 1e-4


@pytest.mark.parametrize(
    ("points", "why"),
    [
        (np.eye(3), "at least 4 points, got 3"),
        (np.outer(np.arange(5.0), [1.0, 2.0, 3.0]) * 0.01, "not on one line"),
        (np.full((4, 3), np.nan), "finite"),
    ],
)
def test_what_cannot_tell_a_pose_is_refused(points: np.ndarray, why: str) -> None:
    with pytest.raises(DiffDopeError, match=why):
        poses_from_points(points, np.arange(2.0 * len(points)).reshape(-1, 2), CAMERA)
