from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera

K = np.array([[1390.53, 0, 964.957], [0, 1386.99, 522.586], [0, 0, 1]])
CAMERA = Camera(1390.53, 1386.99, 964.957, 522.586, 1920, 1080)


def test_from_K() -> None:
    camera = Camera.from_K(K, width=1920, height=1080)
    assert camera == CAMERA
    np.testing.assert_array_equal(camera.K, K)
    assert Camera.from_K(K.ravel().tolist(), width=1920, height=1080) == CAMERA
    sized: Any = {"width": np.int64(1920), "height": np.int64(1080)}  # as array shapes give them
    assert Camera.from_K(K, **sized) == CAMERA


def test_project_is_K_times_x(rng: np.random.Generator) -> None:
    x_c = rng.uniform([-1, -1, 0.3], [1, 1, 2], (6, 4, 3))
    u, v = CAMERA.project(x_c)
    homogeneous = x_c @ K.T
    np.testing.assert_allclose(u, homogeneous[..., 0] / homogeneous[..., 2])
    np.testing.assert_allclose(v, homogeneous[..., 1] / homogeneous[..., 2])


def test_project_gives_nan_behind_the_camera() -> None:
    u, v = CAMERA.project(np.array([[0, 0, 1], [0, 0, 0], [0.1, 0.1, -1]]))
    np.testing.assert_array_equal(np.isnan(u), [False, True, True])
    np.testing.assert_array_equal(np.isnan(v), [False, True, True])


def test_back_project_inverts_project(rng: np.random.Generator) -> None:
    camera = Camera(50, 60, 9.3, 7.8, 20, 16)
    depth = rng.uniform(0.5, 2, (16, 20))
    depth[3, 4] = 0
    points = camera.back_project(depth)
    np.testing.assert_array_equal(points[3, 4], 0)
    u, v = camera.project(np.delete(points.reshape(-1, 3), 3 * 20 + 4, axis=0))
    grid_v, grid_u = np.mgrid[:16, :20]
    np.testing.assert_allclose(u, np.delete(grid_u.ravel(), 3 * 20 + 4), atol=1e-12)
    np.testing.assert_allclose(v, np.delete(grid_v.ravel(), 3 * 20 + 4), atol=1e-12)
    np.testing.assert_array_equal(points[..., 2], depth)


def test_half_pixel_example_of_the_conventions() -> None:
    camera = Camera(1400, 1400, 959.5, 539.5, 1920, 1080)
    half = camera.resize(960, 540)
    assert (half.cx, half.cy) == (479.5, 269.5)
    assert (half.fx, half.fy) == (700, 700)
    naive = 959.5 * 0.5
    assert (naive - half.cx) / 0.5 == 0.5  # pixels of the original
    assert pytest.approx(0.25e-3) == 0.5 * 0.7 / 1400


def test_resize_agrees_with_averaging_pixels() -> None:
    # The centre of a k x k block of pixels is the mean of their centres; it must be the new pixel's centre.
    camera = Camera(50, 60, 9.3, 7.8, 20, 16)
    small = camera.resize(5, 4)
    x_c = np.array([0.13, -0.05, 0.9])
    (u,), (v,) = (np.atleast_1d(c) for c in camera.project(x_c))
    (small_u,), (small_v,) = (np.atleast_1d(c) for c in small.project(x_c))
    block_centre = np.arange(20).reshape(5, 4).mean(axis=1)
    assert np.interp(u, block_centre, np.arange(5)) == pytest.approx(small_u)
    assert np.interp(v, np.arange(16).reshape(4, 4).mean(axis=1), np.arange(4)) == pytest.approx(small_v)


def test_resize_there_and_back() -> None:
    back = CAMERA.resize(640, 270).resize(1920, 1080)
    np.testing.assert_allclose(back.K, CAMERA.K, rtol=1e-14)


def test_crop_shifts_pixels() -> None:
    crop = CAMERA.crop(100, 50, 300, 200)
    assert (crop.width, crop.height) == (300, 200)
    u, v = CAMERA.project([0.1, 0.2, 0.7])
    crop_u, crop_v = crop.project([0.1, 0.2, 0.7])
    assert (float(u - crop_u), float(v - crop_v)) == pytest.approx((100, 50))


def test_crop_may_have_its_principal_point_outside() -> None:
    assert CAMERA.crop(1500, 0, 100, 100).cx < 0


def changed(i: int, j: int, value: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    changed_K = K.copy()
    changed_K[i, j] = value
    return changed_K


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (K.T, "K is transposed: give K.T"),
        (changed(0, 1, 2.0), "zero skew"),
        (changed(2, 2, 2.0), r"last row \(0, 0, 1\)"),
        (changed(0, 0, np.nan), "K: expected finite numbers"),
        (changed(0, 0, -1390.0), "fx: expected a positive number, got -1390"),
        (np.eye(4), r"K: expected shape \(3, 3\), got \(4, 4\)"),
        (2 * np.array([[500, 0, 964], [0, 500, 520], [0, 0, 0.5]]), "another image size"),
    ],
)
def test_bad_K(matrix: Any, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        Camera.from_K(matrix, width=1920, height=1080)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (640, 480), (720, 540), (1280, 800)])
def test_swapped_size_is_named(width: int, height: int) -> None:
    centred = np.array([[600, 0, width / 2 + 7], [0, 600, height / 2 - 5], [0, 0, 1]])
    Camera.from_K(centred, width=width, height=height)
    with pytest.raises(DiffDopeError, match="width and height look swapped"):
        Camera.from_K(centred, width=height, height=width)


def test_K_of_twice_the_size() -> None:
    with pytest.raises(
        DiffDopeError, match=r"K: expected a principal point inside the 960 x 540 .* another image size"
    ):
        Camera.from_K(K, width=960, height=540)


@pytest.mark.parametrize("width", [0, -3, 10.5, "640", None])
def test_bad_size(width: Any) -> None:
    with pytest.raises(DiffDopeError, match="width: expected a positive whole number"):
        Camera(1, 1, 0, 0, width, 10)


@pytest.mark.parametrize("shortest", [1e-320, 0.0045, 0.19])
def test_a_focal_length_in_metres_is_none_in_pixels(shortest: float) -> None:
    for name in ("fx", "fy"):
        numbers: dict[str, Any] = {"fx": 1390.0, "fy": 1390.0, name: shortest}
        with pytest.raises(DiffDopeError, match=f"{name}: expected a focal length in pixels of a picture of 1920, got"):
            Camera(**numbers, cx=960.0, cy=540.0, width=1920, height=1080)
    assert Camera(0.5, 0.5, 960.0, 540.0, 1920, 1080).resize(192, 108).fx == pytest.approx(0.05)  # wide, but no error
