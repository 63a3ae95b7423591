"""Cameras that nobody has calibrated: the focal length that a photograph's EXIF tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from diffdope.errors import DiffDopeError
from diffdope.io.cameras import load_camera, load_camera_of_image
from diffdope.io.images import read_rgb

_EXIF = 0x8769


def photograph(path: Path, size: tuple[int, int], tags: dict[int, Any], orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(_EXIF).update(tags)
    Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8)).save(path, exif=exif)
    return path


def test_the_focal_length_on_film_is_by_the_diagonal(tmp_path: Path) -> None:
    path = photograph(tmp_path / "phone.jpg", (400, 300), {0xA405: 26, 0xA002: 4000, 0xA003: 3000})
    camera, scale = load_camera(path)
    assert camera.fx == camera.fy == pytest.approx(500.0 * 26.0 / np.hypot(36.0, 24.0))
    assert (camera.cx, camera.cy, camera.width, camera.height) == (199.5, 149.5, 400, 300)
    assert camera.focal_deviation == 0.03 and scale is None


def test_pixels_of_the_sensor_where_that_is_not_stated(tmp_path: Path) -> None:
    tags = {0x920A: IFDRational(50), 0xA20E: IFDRational(4000 * 254, 223), 0xA210: 2, 0xA002: 4000, 0xA003: 2664}
    camera, _ = load_camera(photograph(tmp_path / "reflex.jpg", (1000, 666), tags))
    assert camera.fx == pytest.approx(1000.0 * 50.0 / 22.3, rel=1e-4)  # a sensor 22.3 mm wide, a fourth of its pixels


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_it_is_the_camera_of_the_picture_as_it_is_shown(tmp_path: Path, ending: str) -> None:
    path = photograph(tmp_path / f"upright.{ending}", (40, 30), {0xA405: 26}, orientation=6 if ending == "jpg" else 1)
    shown = read_rgb(path)
    camera, _ = load_camera_of_image(path, shown.shape)
    assert (camera.width, camera.height) == (shown.shape[1], shown.shape[0])
    assert (camera.width < camera.height) == (ending == "jpg")


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ({}, "FocalLengthIn35mmFilm"),
        ({0xA405: 0}, "FocalLengthIn35mmFilm"),
        ({0x920A: IFDRational(4)}, "FocalLengthIn35mmFilm"),
        ({0xA405: 26, 0xA002: 4000, 0xA003: 2250}, "cropped"),
    ],
)
def test_what_does_not_tell_it_is_refused_with_the_cure(tmp_path: Path, tags: dict[int, Any], says: str) -> None:
    path = photograph(tmp_path / "edited.jpg", (400, 300), tags)
    with pytest.raises(DiffDopeError, match=says) as error:
        load_camera(path)
    assert "calibrate the camera" in str(error.value) and str(path) in str(error.value)


def test_a_picture_of_another_size_needs_a_word(tmp_path: Path) -> None:
    path = photograph(tmp_path / "phone.jpg", (400, 300), {0xA405: 26})
    with pytest.raises(DiffDopeError, match="camera-size 400x300"):
        load_camera(path, width=200, height=150)
    camera, _ = load_camera(path, width=200, height=150, camera_size=(400, 300))
    assert camera.fx == pytest.approx(250.0 * 26.0 / np.hypot(36.0, 24.0)) and camera.focal_deviation == 0.03


def test_camera_files_may_state_it(tmp_path: Path) -> None:
    path = tmp_path / "camera.json"
    path.write_text('{"camera_angle_x": 1.1, "width": 400, "height": 300, "focal_deviation": 0.05}')
    assert load_camera(path)[0].focal_deviation == 0.05
    path.write_text('{"fx": 300, "fy": 300, "cx": 199.5, "cy": 149.5, "width": 400, "height": 300}')
    assert load_camera(path)[0].focal_deviation == 0.0
    path.write_text('{"fx": 300, "fy": 300, "cx": 199.5, "cy": 149.5, "width": 400, "height": 300, '
                    '"focal_deviation": 3}')  # fmt: skip
    with pytest.raises(DiffDopeError, match="focal_deviation: expected a share"):
        load_camera(path)
