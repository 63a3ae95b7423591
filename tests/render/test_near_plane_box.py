"""The box of an object that crosses the camera's plane reaches the border of the image where the object does."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry.camera import Camera
from diffdope.pipelines.result import Status
from diffdope.problem.region import box_of

CAMERA = Camera(90.0, 92.0, 47.3, 35.8, 96, 72)


def corners(low: tuple[float, float, float], high: tuple[float, float, float]) -> np.ndarray:
    return np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ((-0.2, 0.1, -0.2), (0.2, 0.12, 1.0), (0.0, 35.8 + 92 * 0.1, 95.0, 71.0)),  # a table below
        ((0.1, -0.05, -0.2), (0.2, 0.05, 1.0), (47.3 + 90 * 0.1, 0.0, 95.0, 71.0)),  # a bar to the right
        ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 95.0, 71.0)),  # the camera is inside
    ],
)
def test_the_box_reaches_the_border(low, high, expected) -> None:
    assert box_of(corners(low, high), CAMERA) == pytest.approx(expected)


def test_what_is_behind_or_beside_has_no_box() -> None:
    assert box_of(corners((-1, -1, -1), (1, 1, 0)), CAMERA) is Status.BEHIND_CAMERA
    assert box_of(corners((3, -1, -1), (4, 1, 0.5)), CAMERA) is Status.OUT_OF_VIEW
