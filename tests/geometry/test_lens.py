"""Lens models, against OpenCV's own numbers and their inverses."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.lens import Distortion, reach

X, Y = np.array([0.5, -0.3, 0.0]), np.array([0.2, 0.4, 0.0])
# cv2.projectPoints and cv2.fisheye.projectPoints of OpenCV 5.0 with K = 1, to 12 digits.
OPENCV = {
    "four": ((-0.118, 0.094, 0.0009, -0.0012), [0.4860747, -0.2936445, 0.0], [0.19483008, 0.391351, 0.0]),
    "five": (
        (-0.118, 0.094, 0.0009, -0.0012, -0.021),
        [0.4858186155, -0.2935460625, 0.0],
        [0.1947276462, 0.39121975, 0.0],
    ),
    "eight": (
        (0.3, -0.2, 0.001, 0.002, 0.05, 0.31, -0.1, 0.02),
        [0.49689157706, -0.297061539808, 0.0],
        [0.198814630824, 0.396998719743, 0.0],
    ),
    "twelve": (
        (0.3, -0.2, 0.001, 0.002, 0.05, 0.31, -0.1, 0.02, 0.001, -0.002, 0.003, 0.0004),
        [0.49701337706, -0.296936539808, 0.0],
        [0.199718270824, 0.397773719743, 0.0],
    ),
    "fisheye": (
        (0.02, -0.01, 0.003, -0.0005),
        [0.460637074342, -0.279264042243, 0.0],
        [0.184254829737, 0.372352056324, 0.0],
    ),
}


@pytest.mark.parametrize("name", OPENCV)
def test_distorts_as_opencv(name: str) -> None:
    coefficients, x, y = OPENCV[name]
    model = "fisheye" if name == "fisheye" else "opencv"
    xd, yd = Distortion(coefficients, model).distort(X, Y)  # type: ignore[arg-type]
    assert np.allclose(xd, x, atol=1e-11) and np.allclose(yd, y, atol=1e-11)


@pytest.mark.parametrize(
    "lens",
    [
        Distortion((-0.118, 0.094, 0.0009, -0.0012, -0.021)),
        Distortion((0.3, -0.2, 0.001, 0.002, 0.05, 0.31, -0.1, 0.02)),
        Distortion((-0.35, 0.12, 0.001, 0.002)),
        Distortion((0.02, -0.01, 0.003, -0.0005), "fisheye"),
        Distortion((0.9,), "fov"),
        Distortion((0.1, 0.02, 1e-3, 2e-3, 0.03, -0.04, 5e-3, 6e-3), "thin_prism_fisheye"),
        Distortion((0.01, 0.02, -0.01, 0.002, 0.001, 0.0, 1e-3, -1e-3, 1e-3, 2e-3, -1e-3, 1e-4), "fisheye"),
    ],
)
def test_undistort_is_the_inverse(lens: Distortion) -> None:
    x, y = np.meshgrid(np.linspace(-0.8, 0.8, 21), np.linspace(-0.6, 0.6, 17))
    seen = np.hypot(x, y) < 0.98 * reach(lens)
    back = lens.undistort(*lens.distort(x, y))
    assert seen.mean() > 0.5
    assert np.abs(back[0] - x)[seen].max() < 1e-9 and np.abs(back[1] - y)[seen].max() < 1e-9


def test_rays_beyond_the_turning_point_of_the_polynomial_are_not_seen() -> None:
    lens = Distortion((-0.3, 0.0, 0.0, 0.0))
    turn = np.sqrt(1 / 0.9)  # where r - 0.3 r^3 is greatest
    assert abs(reach(lens) - turn) < 1e-3
    xd, _ = lens.distort(np.array([0.99 * turn, 1.01 * turn]), np.zeros(2))
    assert np.isfinite(xd[0]) and np.isnan(xd[1])


def test_cropping_and_resizing_keep_what_is_seen_where() -> None:
    camera = Camera(500, 510, 320, 240, 640, 480, Distortion((-0.1, 0.05, 1e-3, 1e-3), pinhole=(480, 490, 318, 242)))
    point = np.array([0.2, -0.1, 0.9])
    u, v = camera.project(point)
    a, b = camera.rectified.project(point)
    small = camera.resize(320, 240)
    assert np.allclose(small.project(point), ((u + 0.5) / 2 - 0.5, (v + 0.5) / 2 - 0.5))
    assert np.allclose(small.rectified.project(point), ((a + 0.5) / 2 - 0.5, (b + 0.5) / 2 - 0.5))
    cut = camera.crop(100, 50, 200, 200)
    assert np.allclose(cut.project(point), (u - 100, v - 50))
    assert np.allclose(cut.rectified.project(point), (a - 100, b - 50))


def test_back_projection_is_the_inverse_of_projection() -> None:
    turn = np.array([[np.cos(0.1), 0, np.sin(0.1)], [0, 1, 0], [-np.sin(0.1), 0, np.cos(0.1)]])
    lens = Distortion((-0.1, 0.05, 1e-3, 1e-3), rotation=tuple(turn.ravel()))
    camera = Camera(50, 51, 31.5, 23.5, 64, 48, lens)
    u, v = camera.project(camera.back_project(np.full((48, 64), 0.7)))
    assert np.allclose(u, np.arange(64)[None, :], atol=1e-6) and np.allclose(v, np.arange(48)[:, None], atol=1e-6)


def test_zeros_are_a_pinhole_and_a_list_is_opencvs() -> None:
    plain = Camera(500, 500, 320, 240, 640, 480)
    assert Camera(500, 500, 320, 240, 640, 480, [0, 0, 0, 0, 0]) == plain  # type: ignore[arg-type]
    assert Camera.from_K(plain.K, width=640, height=480, distortion=[0.1, 0, 0, 0]).distortion == Distortion(
        (0.1, 0, 0, 0)
    )
    assert Camera(500, 500, 320, 240, 640, 480, Distortion((0, 0, 0, 0), "fisheye")) != plain


@pytest.mark.parametrize(
    ("coefficients", "model", "message"),
    [
        ((0.1, 0.2), "opencv", "distortion: expected 4 or 5 or 8 or 12 coefficients of opencv, got 2"),
        ((0.1,) * 14, "opencv", "distortion: expected no tilt of the sensor"),
        (
            (0.1,) * 4,
            "brown",
            "distortion.model: expected one of opencv, fisheye, thin_prism_fisheye, fov, got 'brown'",
        ),
        ((np.nan,) * 4, "opencv", "distortion: expected finite numbers"),
        ("text", "opencv", "distortion: expected an array of numbers"),
    ],
)
def test_what_is_no_distortion(coefficients: object, model: str, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        Distortion(coefficients, model)  # type: ignore[arg-type]
