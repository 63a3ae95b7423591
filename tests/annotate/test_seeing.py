"""Between screen, photograph and view: rays, boxes, fields of view, notches of the wheel."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope import Camera, Mesh
from diffdope.annotate.holding import notches_of
from diffdope.annotate.seeing import box_on, fitting_fov, middle_of, pixel_on, ray_to, thumbnail
from diffdope.geometry.so3 import exp, wxyz_from_matrix
from diffdope.scene.packaged import packaged_example

CAMERA = Camera(400.0, 420.0, 300.0, 250.0, 640, 480)


def test_a_ray_through_a_pixel_meets_it_wherever_the_viewer_stands(rng: np.random.Generator) -> None:
    for u, v in ((0.0, 0.0), (639.0, 479.0), (123.4, 45.6)):
        on_plane = 1.7 * np.array([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, 1.0])
        for viewer in (np.zeros(3), np.array([0.3, -0.2, 0.4]), np.array([-0.5, 0.1, -1.0])):
            assert pixel_on(CAMERA, viewer, 3.0 * (on_plane - viewer), 1.7) == pytest.approx((u, v))
    assert pixel_on(CAMERA, np.zeros(3), np.array([5.0, 0.0, 1.0]), 1.7) is None
    assert pixel_on(CAMERA, np.zeros(3), np.array([0.0, 0.0, -1.0]), 1.7) is None
    assert pixel_on(CAMERA, np.array([0.0, 0.0, 2.0]), np.array([0.0, 0.0, 1.0]), 1.7) is None


def test_the_screen_s_rays_are_those_of_its_camera(rng: np.random.Generator) -> None:
    R, fov, aspect = exp(rng.normal(size=3)), 0.7, 1.6
    screen = Camera(500.0 / np.tan(0.35), 500.0 / np.tan(0.35), 799.5, 499.5, 1600, 1000)
    for x, y in ((0.5, 0.5), (0.1, 0.8), (0.99, 0.02)):
        direction = R.T @ ray_to(x, y, wxyz=wxyz_from_matrix(R), fov=fov, aspect=aspect)
        u, v = screen.project(direction)
        assert (float(u), float(v)) == pytest.approx((1600 * x - 0.5, 1000 * y - 0.5))


@pytest.mark.parametrize("aspect", [0.4, 1.0, 640 / 480, 2.5])
def test_the_whole_photograph_fits_on_the_screen(aspect: float) -> None:
    fov = fitting_fov(CAMERA, aspect)
    half = np.tan(0.5 * fov)
    wide, high = 640 / CAMERA.fx / (2 * half * aspect), 480 / CAMERA.fy / (2 * half)
    assert max(wide, high) == pytest.approx(1 / 1.06)
    u, v = CAMERA.project(middle_of(CAMERA))
    assert (float(u), float(v)) == pytest.approx((319.5, 239.5))


def test_a_box_has_two_corners_in_any_order() -> None:
    assert box_on([(30.0, 40.0), (10.0, 90.0)]) == (10.0, 40.0, 20.0, 50.0)
    assert box_on([(30.0, 40.0), None]) is None
    assert box_on([(30.0, 40.0), (31.0, 90.0)]) is None


def test_notches_of_the_wheel_are_told_from_other_moves() -> None:
    aim = np.array([0.6, 0.0, 0.8])
    for notches in (-7, -1, 0, 1, 2, 11):
        away = 1.0 - (1.0 / 0.95) ** notches
        assert notches_of(away * aim, aim, aim) == notches
    assert notches_of(np.array([0.1, 0.0, 0.05]), aim, aim) == 0  # turned about what is looked at
    assert notches_of(0.05 * aim, aim + np.array([0.0, 0.1, 0.0]), aim) == 0  # moved aside


def test_a_thumbnail_shows_the_whole_object_with_and_without_colours() -> None:
    mesh = packaged_example().mesh
    for one in (mesh, Mesh(mesh.vertices_m, mesh.faces)):
        picture = thumbnail(one)
        assert picture.shape == (80, 240, 3) and picture.dtype == np.uint8
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (border == 255).all() and (picture < 200).any(axis=2).mean() > 0.05
    assert np.ptp(thumbnail(mesh).astype(int), axis=2).max() > 60
