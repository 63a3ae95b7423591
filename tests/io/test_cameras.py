"""Camera files, and what they say of lens and depth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.lens import Distortion
from diffdope.io.cameras import depth_scale_m, load_camera, load_camera_of_image
from tests.oracle.files import written

K = np.array([[1390.53, 0, 964.957], [0, 1386.99, 522.586], [0, 0, 1]])
CAMERA = Camera(1390.53, 1386.99, 964.957, 522.586, 1920, 1080)
ENTRY = {"cam_K": K.ravel().tolist(), "depth_scale": 0.1}
SIMPLE = {
    "fx": 1390.53,
    "fy": 1386.99,
    "cx": 964.957,
    "cy": 522.586,
    "width": 1920,
    "height": 1080,
    "depth_scale": 1.0,
}


def test_load_entry(tmp_path: Path) -> None:
    assert load_camera(written(tmp_path / "camera.json", ENTRY), width=1920, height=1080) == (CAMERA, 0.1)


def test_load_camera_json(tmp_path: Path) -> None:
    assert load_camera(written(tmp_path / "camera.json", SIMPLE)) == (CAMERA, 1.0)


def test_load_without_depth_scale(tmp_path: Path) -> None:
    path = written(tmp_path / "camera.json", {"cam_K": ENTRY["cam_K"]})
    assert load_camera(path, width=1920, height=1080) == (CAMERA, None)


def test_load_scene_camera(tmp_path: Path) -> None:
    other = {"cam_K": K.ravel().tolist(), "depth_scale": 1.0}
    path = written(tmp_path / "camera.json", {"3": ENTRY, "000007": other})
    assert load_camera(path, width=1920, height=1080, image_id=3)[1] == 0.1
    assert load_camera(path, width=1920, height=1080, image_id=7)[1] == 1.0
    assert load_camera(written(tmp_path / "camera.json", {"3": ENTRY}), width=1920, height=1080)[1] == 0.1


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (ENTRY, {}, "width: expected the image's size in pixels, got none"),
        (SIMPLE, {"width": 1080, "height": 1920}, "width: expected 1920 as in the camera file, got 1080"),
        ({"a": 1}, {}, "camera: expected cam_K, or fx, fy, cx and cy, got keys a"),
        ({"fx": 3}, {"width": 4, "height": 4}, "camera: expected cam_K"),
        ([1], {}, "camera file .*: expected a camera matrix of 3 x 3 numbers, got 1 numbers"),
        ({"0": ENTRY, "1": ENTRY}, {"width": 1920, "height": 1080}, "image_id: expected one of the 2"),
        (
            {"0": ENTRY},
            {"width": 1920, "height": 1080, "image_id": 5},
            "image_id: expected one of the 1 .* got 5",
        ),
        ({**SIMPLE, "depth_scale": 0}, {}, "depth_scale: expected a positive number"),
        ({**SIMPLE, "fx": "wide"}, {}, "fx: expected a finite number, got 'wide'"),
        ({"cam_K": [1, 2]}, {"width": 4, "height": 4}, "camera.json: K: expected shape"),
    ],
)
def test_bad_files(tmp_path: Path, content: object, options: dict[str, int], message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        load_camera(written(tmp_path / "camera.json", content), **options)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="camera: cannot read .*nowhere.json"):
        load_camera(tmp_path / "nowhere.json")
    (tmp_path / "x.json").write_text("{", encoding="utf-8")
    with pytest.raises(DiffDopeError, match="camera: expected JSON in .*x.json"):
        load_camera(tmp_path / "x.json")


def test_the_images_size_serves_where_the_file_has_none(tmp_path: Path) -> None:
    assert load_camera_of_image(written(tmp_path / "camera.json", ENTRY), (1080, 1920, 3)) == (CAMERA, 0.1)
    assert load_camera_of_image(written(tmp_path / "camera.json", SIMPLE), (1080, 1920)) == (CAMERA, 1.0)


def test_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "camera.json").write_text(json.dumps(SIMPLE), encoding="utf-8-sig")
    assert load_camera(tmp_path / "camera.json") == (CAMERA, 1.0)


@pytest.mark.parametrize("where", ["entry", "flat"])
def test_distortion_is_read_wherever_it_is_stated(where: str, tmp_path: Path) -> None:
    lens = {"distortion_model": "plumb_bob", "distortion_coefficients": [-0.05, 0.02, 0, 0, 0]}
    contents: dict[str, Any] = {"entry": {"0": ENTRY | lens}, "flat": SIMPLE | lens}
    camera, _ = load_camera_of_image(
        written(tmp_path / "camera.json", contents[where]), (1080, 1920), image_id=0 if where == "entry" else None
    )
    assert camera.distortion == Distortion((-0.05, 0.02, 0.0, 0.0, 0.0))
    assert camera.rectified == CAMERA


def test_distortion_beside_the_entries_is_refused(tmp_path: Path) -> None:
    content = {"0": ENTRY, "1": ENTRY, "dist_coeffs": [-0.05, 0.02, 0, 0, 0]}
    words = "camera file .*camera.json: dist_coeffs: expected no lens distortion: .* undistort the images first"
    with pytest.raises(DiffDopeError, match=words):
        load_camera_of_image(written(tmp_path / "camera.json", content), (1080, 1920), image_id=0)


# ---------------- pictures of another size than K's


def test_the_factor_of_resized_pictures_is_named_and_K_converted(tmp_path: Path) -> None:
    path = written(tmp_path / "camera.json", SIMPLE)
    with pytest.raises(DiffDopeError, match=r"width: expected 1920 .* got 960; the pictures were resized by 0.5: give"):
        load_camera_of_image(path, (540, 960))
    for size in ((1920, 1080), (960, 540)):  # what K is for, or what it shall be for
        assert load_camera_of_image(path, (540, 960), camera_size=size)[0] == CAMERA.resize(960, 540)
    with pytest.raises(DiffDopeError, match="camera_size: expected 1920x1080 as in the camera file, got 640x480"):
        load_camera_of_image(path, (540, 960), camera_size=(640, 480))
    with pytest.raises(DiffDopeError, match="the pictures have that size: leave --camera-size .* out"):
        load_camera_of_image(path, (1080, 1920), camera_size=(640, 480))


def test_the_factor_is_found_where_the_file_holds_no_size(tmp_path: Path) -> None:
    path = written(tmp_path / "camera.json", ENTRY)
    for shape in ((540, 960), (2160, 3840), (270, 480)):
        factor = 1920 / shape[1]
        with pytest.raises(DiffDopeError, match=f"pictures {factor:.3g} times as large; give --camera-size 1920x1080"):
            load_camera_of_image(path, shape)
        resized = load_camera_of_image(path, shape, camera_size=(1920, 1080))[0]
        assert resized == CAMERA.resize(shape[1], shape[0])
    assert load_camera_of_image(path, (1080, 1920), camera_size=(1920, 1080))[0] == CAMERA


def test_cropped_pictures_have_no_single_factor(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match=r"no single factor \(0.75 across, 1 down\).*: \(240, 0\) if the middle"):
        load_camera_of_image(written(tmp_path / "camera.json", SIMPLE), (1080, 1440))


# ---------------- depth scale

INTEGERS, FLOATS = np.zeros((2, 2), np.uint16), np.zeros((2, 2), np.float32)


@pytest.mark.parametrize(
    ("given", "of_file", "depth", "scale"),
    [
        (None, 0.1, INTEGERS, 1e-4),
        (1.0, 0.1, INTEGERS, 1e-3),
        (None, 0.1, FLOATS, None),  # float metres, whatever the camera's file says of integers
        (1.0, None, FLOATS, 1e-3),
        (None, 0.1, None, None),
        (None, None, None, None),
    ],
)
def test_depth_scale(given: float | None, of_file: float | None, depth: Any, scale: float | None) -> None:
    found = depth_scale_m(given, of_file, "camera.json", depth=depth)
    assert found == (None if scale is None else pytest.approx(scale))


def test_depth_without_scale() -> None:
    with pytest.raises(DiffDopeError, match="depth: expected a depth_scale in c.json or --depth-scale, got neither"):
        depth_scale_m(None, None, "c.json", depth=INTEGERS)
    with pytest.raises(DiffDopeError, match="depth-scale: expected a positive number, got -1"):
        depth_scale_m(-1.0, 0.1, "c.json", depth=INTEGERS)


# ---------------- the data sets


def test_bop_files(shared_data: Path) -> None:
    camera, scale = load_camera(shared_data / "hope" / "camera.json")
    assert (camera, scale) == (CAMERA, 1.0)
    path = shared_data / "sim" / "dev" / "000001" / "scene_camera.json"
    camera, scale = load_camera(path, width=640, height=480, image_id=3)
    assert (camera.fx, camera.cx, camera.cy, scale) == (605.0, 321.4, 237.8, 0.1)
