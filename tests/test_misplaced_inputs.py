"""What is said of arguments in another order, of files in the place of arrays, and of other units: with the cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.io.wording import in_options

CAMERA = dd.Camera.from_K([[500, 0, 320], [0, 500, 240], [0, 0, 1]], width=640, height=480)
K = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
RGB = np.zeros((480, 640, 3), np.uint8)
DEPTH = np.full((480, 640), 0.8, np.float32)
BOX = dd.Mesh(np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]]), np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2],
                                                                                     [1, 2, 3]]))  # fmt: skip


def seen(**images: Any) -> dd.Observation:
    return dd.Observation(CAMERA, **images)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: dd.Observation(RGB, CAMERA),
            r"images by name, got ndarray, Camera; Observation\(camera",
        ),
        (lambda: dd.Observation(CAMERA, RGB), "images by name, got Camera, ndarray"),
        (
            lambda: dd.Observation({"cam_K": [1]}, rgb=RGB),
            "a Camera, got dict; Camera.from_K takes .* load_camera",
        ),
        (lambda: seen(rgb="x.png"), r"rgb: expected an array, got the path 'x.png'; Observation.load\(camera, rgb="),
        (lambda: seen(mask="x.png"), r"mask: .* Observation.load\(camera, mask="),
        (lambda: seen(rgb=1.5 * DEPTH), "is it depth"),
        (lambda: seen(rgb=RGB.astype(float) + 90), "divide by 255"),
        (lambda: seen(depth=1e2 * DEPTH), "it looks like centimetres: .* 0.01 for centimetres"),
        (lambda: seen(depth=1e3 * DEPTH), "it looks like millimetres: .* 0.001 for millimetres"),
        (lambda: seen(depth=1e4 * DEPTH), "it looks like tenths of a millimetre: .* 0.0001 for"),
        (lambda: seen(depth=(1e3 * DEPTH).astype(np.uint16), depth_scale=0.1), "it looks like millimetres"),
        (
            lambda: dd.Camera.from_K("cam.json", width=640, height=480),
            "the path 'cam.json'; load_camera reads",
        ),
        (lambda: dd.Camera.from_K(K / 640, width=640, height=480), r"K was scaled: give K / K\[2, 2\]"),
        (
            lambda: dd.Camera.from_K(np.diag([1 / 640, 1 / 480, 1]) @ K, width=640, height=480),
            "shares of the",
        ),
        (lambda: dd.Pose(np.eye(3), np.ones((3, 1))), r"give t_m2c.ravel\(\)"),
        (lambda: dd.Pose(np.eye(4), np.ones(3)), r"Pose.from_matrix takes a matrix \(4, 4\)"),
        (
            lambda: dd.Refiner(BOX).refine(seen(mask=DEPTH > 0)),
            r"pose: expected .*, got none; locate\(obs",
        ),
        (lambda: dd.refine(BOX, seen(mask=DEPTH > 0)), "got none; locate"),
        (
            lambda: dd.Refiner(BOX).refine(dd.Pose.identity(), seen(mask=DEPTH > 0)),
            "observation: expected an Obs",
        ),
    ],
)
def test_the_cure_is_said(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(dd.DiffDopeError, match=said):
        call()


def test_units_of_depth_are_said_as_options() -> None:
    for scale, unit, option in ((0.01, "centimetres", 10), (0.0001, "tenths of a millimetre", 0.1)):
        text = in_options(f"depth_scale is METRES per unit, {scale:g} for {unit}")
        assert text == f"--depth-scale is millimetres per unit: {option:g} for those"
