from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow, choose_crop

CAMERA = Camera(600, 600, 319.5, 239.5, 640, 480)


def test_camera_of_a_window_sees_block_centres() -> None:
    window = CropWindow(40, 60, 120, 90, 3)
    camera = window.camera(CAMERA)
    assert (camera.width, camera.height) == window.size == (40, 30)
    # The middle pixel of block (7, 5) keeps its ray.
    u, v = 40 + 3 * 7 + 1, 60 + 3 * 5 + 1
    x_c = np.array([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, 1])
    np.testing.assert_allclose(camera.project(x_c), (7, 5), atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_the_camera_of_a_window_is_that_of_a_crop_made_smaller(k: int) -> None:
    window = CropWindow(13, 29, 42 * k, 31 * k, k)
    assert window.camera(CAMERA) == CAMERA.crop(13, 29, 42 * k, 31 * k).resize(42, 31)


@pytest.mark.parametrize("window", [CropWindow(-1, 0, 10, 10), CropWindow(0, 0, 641, 10), CropWindow(0, 475, 6, 6)])
def test_window_must_be_inside(window: CropWindow) -> None:
    with pytest.raises(DiffDopeError, match="window: expected a rectangle inside the 640 x 480 image"):
        window.camera(CAMERA)


@pytest.mark.parametrize(("width", "height", "k"), [(10, 9, 2), (0, 4, 1), (4, 4, 0), (2, 2, 3)])
def test_bad_windows(width: int, height: int, k: int) -> None:
    with pytest.raises(DiffDopeError, match="expected a"):
        CropWindow(0, 0, width, height, k)


def test_margin_is_a_fraction_of_the_larger_side() -> None:
    window = choose_crop([(100, 200, 199, 249)], CAMERA, margin=0.1, max_size=1000)
    assert window == CropWindow(90, 190, 120, 70, 1)  # 9.9 px on every side, rounded outwards


def test_union_of_boxes() -> None:
    window = choose_crop([(100, 100, 149, 149), (200, 120, 209, 129)], CAMERA, margin=0, max_size=500)
    assert (window.x0, window.y0, window.width, window.height) == (100, 100, 110, 50)


@pytest.mark.parametrize(("size", "k"), [(200, 1), (199, 2), (100, 2), (99, 3), (50, 4), (1, 200)])
def test_reduction_is_the_least_that_fits(size: int, k: int) -> None:
    window = choose_crop([(100, 100, 299, 299)], CAMERA, margin=0, max_size=size)
    assert window.reduction == k
    assert max(window.size) <= size


def test_clipped_to_the_image() -> None:
    window = choose_crop([(-1e30, 400, 50, 1e30)], CAMERA, margin=0.2, max_size=10**6)
    assert window == CropWindow(0, 0, 640, 480, 1)


def test_random_boxes(rng: np.random.Generator) -> None:
    for _ in range(500):
        camera = Camera(600, 600, 10, 10, int(rng.integers(5, 700)), int(rng.integers(5, 700)))
        size = np.array([camera.width, camera.height])
        low = rng.uniform(-0.5, 0.9, 2) * size
        high = low + rng.uniform(0, 1, 2) * size
        if (high < 0).any():
            continue
        max_size = int(rng.integers(8, 300))
        box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        window = choose_crop([box], camera, margin=0.1, max_size=max_size)
        window.check_inside(camera)
        assert max(window.size) <= max_size
        # Everything of the box that is in the image is in the window, but for rows that make no whole block.
        k = window.reduction
        start, end = (
            np.array([window.x0, window.y0]),
            np.array([window.x0 + window.width, window.y0 + window.height]),
        )
        assert (start <= np.clip(low, 0, size - 1) + k - 1).all()
        assert (end >= np.clip(high, 0, size - 1) - k + 1).all()


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([(700, 0, 800, 10)], "expected a box that meets the 640 x 480 image"),
        ([(-50, 0, -20, 10)], "expected a box that meets"),
        ([], "boxes_uv: expected"),
        ([(10, 0, 5, 10)], "x0 <= x1"),
        ([(0, 0, np.nan, 10)], "boxes_uv: expected finite numbers"),
    ],
)
def test_bad_boxes(boxes: list[tuple[float, float, float, float]], message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        choose_crop(boxes, CAMERA, margin=0, max_size=100)


def test_bad_settings() -> None:
    with pytest.raises(DiffDopeError, match="margin"):
        choose_crop([(0, 0, 9, 9)], CAMERA, margin=-0.1, max_size=100)
    with pytest.raises(DiffDopeError, match="max_size"):
        choose_crop([(0, 0, 9, 9)], CAMERA, margin=0.1, max_size=0)
