"""Which part of the image is drawn, and how large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from diffdope.cli.pictures import Draughtsman, whole_window
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from tests.oracle.shapes import box


def test_a_whole_image_is_reduced_to_a_size_for_looking_at() -> None:
    assert whole_window(Camera(1400, 1400, 959.5, 539.5, 1920, 1080)).size == (640, 360)
    assert whole_window(Camera(300, 300, 159.5, 119.5, 320, 240)).size == (320, 240)
    assert max(whole_window(Camera(300, 300, 640.0, 479.5, 1281, 961)).size) <= 640


def test_where_nothing_was_compared_the_whole_image_is_drawn_small(tmp_path: Path) -> None:
    shape = box(cells=1)
    mesh = Mesh(shape.vertices_m, shape.faces)
    observation = Observation(Camera(1000, 1000, 799.5, 599.5, 1600, 1200), rgb=np.full((1200, 1600, 3), 0.5))
    result = Refiner(mesh).refine(observation, Pose(np.eye(3), np.array([0.0, 0.0, -1.0])))
    assert result.window is None
    Draughtsman(mesh, observation, result).draw(tmp_path, titles=("start", "end"))
    with Image.open(tmp_path / "overlay.png") as picture:
        assert 1000 < picture.size[0] < 1300
