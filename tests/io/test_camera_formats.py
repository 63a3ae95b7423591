"""Camera files as the tools of this field write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.lens import Distortion
from diffdope.io.cameras import load_camera, load_camera_of_image
from tests.oracle.files import written

PINHOLE = Camera(600.0, 601.0, 320.0, 240.0, 640, 480)
FIVE = (0.1, -0.2, 0.001, -0.002, 0.05)
BENT = Camera(600.0, 601.0, 320.0, 240.0, 640, 480, Distortion(FIVE))


ROS = """image_width: 640
image_height: 480
camera_name: head
camera_matrix:
  rows: 3
  cols: 3
  data: [600.0, 0.0, 320.0, 0.0, 601.0, 240.0, 0.0, 0.0, 1.0]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [0.1, -0.2, 1e-3, -0.002, 0.05]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
projection_matrix:
  rows: 3
  cols: 4
  data: [590.0, 0.0, 318.0, 0.0, 0.0, 592.0, 241.0, 0.0, 0.0, 0.0, 1.0, 0.0]
"""
ECHO = """header:
  stamp:
    sec: 1700000000
    nanosec: 5
  frame_id: camera_color_optical_frame
height: 480
width: 640
distortion_model: MODEL
d:
- 0.1
- -0.2
- 0.001
- -0.002
- 0.05
REST
k:
- 600.0
- 0.0
- 320.0
- 0.0
- 601.0
- 240.0
- 0.0
- 0.0
- 1.0
r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
p: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
binning_x: 0
binning_y: 0
roi: {x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}
---
"""


def test_ros_calibration_file_has_its_projection_matrix_as_the_pinhole(tmp_path: Path) -> None:
    camera, scale = load_camera(written(tmp_path / "camera_info.yaml", ROS))
    assert (camera.fx, camera.distortion.coefficients, scale) == (600.0, FIVE, 1.0)  # type: ignore[union-attr]
    assert camera.rectified == Camera(590.0, 592.0, 318.0, 241.0, 640, 480)
    rectified, _ = load_camera(written(tmp_path / "camera_info.yaml", ROS), rectified=True)
    assert rectified == camera.rectified


def test_ros2_topic_echo(tmp_path: Path) -> None:
    text = ECHO.replace("MODEL", "plumb_bob").replace("REST\n", "")
    assert load_camera(written(tmp_path / "info.yaml", text))[0] == BENT
    text = ECHO.replace("MODEL", "rational_polynomial").replace("REST", "- 0.3\n- 0.1\n- 0.02")
    assert load_camera(written(tmp_path / "i.yaml", text))[0].distortion == Distortion((*FIVE, 0.3, 0.1, 0.02))
    text = ECHO.replace("MODEL", "equidistant").replace("- 0.05\nREST\n", "")
    assert load_camera(written(tmp_path / "e.yaml", text))[0].distortion == Distortion(FIVE[:4], "fisheye")


def test_a_region_of_the_sensor_and_binning(tmp_path: Path) -> None:
    text = ECHO.replace("MODEL", "plumb_bob").replace("REST\n", "")
    roi = "roi: {x_offset: 40, y_offset: 80, height: 240, width: 320, do_rectify: false}"
    part = text.replace("roi: {x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false}", roi)
    assert load_camera(written(tmp_path / "a.yaml", part))[0] == BENT.crop(40, 80, 320, 240)
    halved = part.replace("binning_x: 0", "binning_x: 2").replace("binning_y: 0", "binning_y: 2")
    camera, _ = load_camera_of_image(written(tmp_path / "b.yaml", halved), (120, 160))
    assert camera == BENT.crop(40, 80, 320, 240).resize(160, 120)
    rest = part.replace("height: 240, width: 320", "height: 0, width: 0")  # from there to the end
    assert load_camera(written(tmp_path / "c.yaml", rest))[0] == BENT.crop(40, 80, 600, 400)
    with pytest.raises(DiffDopeError, match="a region within the sensor, .* got 320 x 240 at"):
        load_camera(written(tmp_path / "d.yaml", part.replace("x_offset: 40", "x_offset: 400")))
    with pytest.raises(DiffDopeError, match="width: expected 160 as in the camera file, got 640"):
        load_camera_of_image(written(tmp_path / "e.yaml", halved), (480, 640))


def test_ros1_camera_info_as_json(tmp_path: Path) -> None:
    message = {
        "height": 480, "width": 640, "distortion_model": "plumb_bob", "D": list(FIVE),
        "K": [600, 0, 320, 0, 601, 240, 0, 0, 1], "R": np.eye(3).ravel().tolist(),
        "P": [600, 0, 320, -60, 0, 601, 240, 0, 0, 0, 1, 0],
    }  # fmt: skip
    camera, _ = load_camera(written(tmp_path / "info.json", message))
    assert camera.rectified == PINHOLE
    assert camera.distortion is not None and camera.distortion.coefficients == FIVE


OPENCV_4 = """%YAML:1.0
---
calibration_time: "Thu Jan  4 12:00:00 2024"
image_width: 640
image_height: 480
flags: 0
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ 600., 0., 320., 0., 601., 240., 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ 1.0000000000000001e-01, -2.0000000000000001e-01,
       1.0000000000000000e-03, -2.0000000000000000e-03, 5.0000000000000003e-02 ]
avg_reprojection_error: 2.9999999999999999e-01
"""
OPENCV_XML = """<?xml version="1.0"?>
<opencv_storage>
<image_width>640</image_width>
<image_height>480</image_height>
<camera_matrix type_id="opencv-matrix">
  <rows>3</rows>
  <cols>3</cols>
  <dt>d</dt>
  <data>
    600. 0. 320. 0. 601. 240. 0. 0. 1.</data></camera_matrix>
<distortion_coefficients type_id="opencv-matrix">
  <rows>1</rows>
  <cols>5</cols>
  <dt>d</dt>
  <data>
    0.1 -0.2 0.001 -0.002
    0.05</data></distortion_coefficients>
</opencv_storage>
"""


@pytest.mark.parametrize("dialect", ["%YAML:1.0", "%YAML 1.2", "xml", "json", "json with 600."])
def test_opencv_file_storage(tmp_path: Path, dialect: str) -> None:
    matrix = {"type_id": "opencv-matrix", "rows": 3, "cols": 3, "dt": "d", "data": PINHOLE.K.ravel().tolist()}
    lens = {"type_id": "opencv-matrix", "rows": 1, "cols": 5, "dt": "d", "data": list(FIVE)}
    entry = {"image_width": 640, "image_height": 480, "cameraMatrix": matrix, "distCoeffs": lens}
    text = OPENCV_XML if dialect == "xml" else json.dumps(entry)
    if dialect == "json with 600.":
        text = text.replace("600.0", "600.")
    if dialect.startswith("%"):
        text = OPENCV_4.replace("%YAML:1.0", dialect)
    assert load_camera(written(tmp_path / "calibration", text))[0] == BENT


def test_opencv_fisheye(tmp_path: Path) -> None:
    text = OPENCV_4.replace("1.0000000000000000e-03, -2.0000000000000000e-03, 5.0000000000000003e-02", "0.03, 0.01")
    camera, _ = load_camera(written(tmp_path / "c.yml", text.replace("flags: 0", "fisheye_model: 1")))
    assert camera.distortion == Distortion((0.1, -0.2, 0.03, 0.01), "fisheye")


def test_arrays_that_opencv_users_save(tmp_path: Path) -> None:
    np.savez(tmp_path / "calib.npz", mtx=PINHOLE.K, dist=np.array([FIVE]))
    assert load_camera(tmp_path / "calib.npz", width=640, height=480)[0] == BENT
    np.save(tmp_path / "K.npy", PINHOLE.K)
    assert load_camera(tmp_path / "K.npy", width=640, height=480)[0] == PINHOLE


COLMAP = {
    "SIMPLE_PINHOLE 640 480 600 320.5 240.5": None,
    "PINHOLE 640 480 600 600 320.5 240.5": None,
    "SIMPLE_RADIAL 640 480 600 320.5 240.5 -0.02": Distortion((-0.02, 0, 0, 0)),
    "RADIAL 640 480 600 320.5 240.5 -0.02 0.01": Distortion((-0.02, 0.01, 0, 0)),
    "OPENCV 640 480 600 600 320.5 240.5 -0.02 0.01 1e-3 2e-3": Distortion((-0.02, 0.01, 1e-3, 2e-3)),
    "FULL_OPENCV 640 480 600 600 320.5 240.5 1 2 3 4 5 6 7 8": Distortion((1, 2, 3, 4, 5, 6, 7, 8)),
    "OPENCV_FISHEYE 640 480 600 600 320.5 240.5 .1 .2 .3 .4": Distortion((0.1, 0.2, 0.3, 0.4), "fisheye"),
    "SIMPLE_RADIAL_FISHEYE 640 480 600 320.5 240.5 .1": Distortion((0.1, 0, 0, 0), "fisheye"),
    "RADIAL_FISHEYE 640 480 600 320.5 240.5 .1 .2": Distortion((0.1, 0.2, 0, 0), "fisheye"),
    "FOV 640 480 600 600 320.5 240.5 0.9": Distortion((0.9,), "fov"),
    "SIMPLE_FISHEYE 640 480 600 320.5 240.5": Distortion((0, 0, 0, 0), "fisheye"),
    "FISHEYE 640 480 600 600 320.5 240.5": Distortion((0, 0, 0, 0), "fisheye"),
    "THIN_PRISM_FISHEYE 640 480 600 600 320.5 240.5 .1 .2 .01 .02 .03 .04 .05 .06": Distortion(
        (0.1, 0.2, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06), "thin_prism_fisheye"
    ),
    "RAD_TAN_THIN_PRISM_FISHEYE 640 480 600 600 320.5 240.5 .1 .2 .3 .4 .5 .6 .01 .02 .03 .04 .05 .06": Distortion(
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06), "fisheye"
    ),
}


@pytest.mark.parametrize("model", COLMAP)
def test_colmap_counts_from_the_corner_of_the_first_pixel(tmp_path: Path, model: str) -> None:
    text = (
        f"# Camera list with one line of data per camera:\n#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n1 {model}\n"
    )
    camera, _ = load_camera(written(tmp_path / "cameras.txt", text))
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (600, 600, 320, 240)
    assert camera.distortion == COLMAP[model]


# Where pycolmap 4.2.1 draws the points below: pycolmap.Camera(...).img_from_cam, whose pixels count from the corner.
SEEN_BY_COLMAP = {
    "THIN_PRISM_FISHEYE 640 480 600 610 320.5 240.5 .1 .02 .01 .02 .03 -.04 .05 .06": [
        (501.7387151020782, 126.18252647537108), (391.62407603813426, 649.6138685067422),
        (60.760464058913215, 476.68589215904933),
    ],
    "RAD_TAN_THIN_PRISM_FISHEYE 640 480 600 610 320.5 240.5 .1 .02 .03 -.04 .05 .006 .01 .02 .03 .04 .05 .06": [
        (498.3497695642403, 127.98951181916904), (390.32772785248045, 662.0562000236213),
        (53.958122241953674, 485.70396405470717),
    ],
    "FISHEYE 640 480 600 610 320.5 240.5": [
        (493.2570704206548, 123.40909671488947), (372.7251850820262, 612.169233833753),
        (53.66082343119763, 457.52919694262596),
    ],
}  # fmt: skip


@pytest.mark.parametrize("model", SEEN_BY_COLMAP)
def test_colmaps_lenses_draw_as_colmap(tmp_path: Path, model: str) -> None:
    camera, _ = load_camera(written(tmp_path / "cameras.txt", f"1 {model}\n"))
    u, v = camera.project(np.array([[0.3, -0.2, 1.0], [0.1, 0.7, 1.0], [-0.5, 0.4, 1.0]]))
    assert np.allclose(np.stack([u, v], axis=1) + 0.5, SEEN_BY_COLMAP[model], atol=1e-9)


def test_several_cameras_of_colmap(tmp_path: Path) -> None:
    path = written(tmp_path / "cameras.txt", "1 PINHOLE 640 480 600 600 320 240\n7 PINHOLE 64 48 60 60 32 24\n")
    assert load_camera(path, camera_id=7)[0].width == 64
    with pytest.raises(DiffDopeError, match="camera_id: expected one of the 2 of the file .*give --camera-id"):
        load_camera(path)
    text = "1 SIMPLE_DIVISION 640 480 600 320 240 0.1\n"
    with pytest.raises(DiffDopeError, match="expected a camera model of SIMPLE_PINHOLE, .* got SIMPLE_DIVISION"):
        load_camera(written(tmp_path / "cameras.txt", text))


KALIBR = """cam0:
  cam_overlaps: [1]
  camera_model: pinhole
  distortion_coeffs: [-0.28, 0.07, 0.0002, 1.8e-05]
  distortion_model: radtan
  intrinsics: [600.0, 601.0, 320.0, 240.0]
  resolution: [640, 480]
  rostopic: /cam0/image_raw
cam1:
  T_cn_cnm1:
  - [1.0, 0.0, 0.0, -0.1]
  - [0.0, 1.0, 0.0, 0.0]
  - [0.0, 0.0, 1.0, 0.0]
  - [0.0, 0.0, 0.0, 1.0]
  camera_model: CAMERA
  distortion_coeffs: [-0.01, 0.02, 0.003, 0.001]
  distortion_model: equidistant
  intrinsics: [600.0, 601.0, 320.0, 240.0]
  resolution: [640, 480]
"""


def test_kalibr_camchain(tmp_path: Path) -> None:
    path = written(tmp_path / "camchain.yaml", KALIBR.replace("CAMERA", "pinhole"))
    assert load_camera(path, camera_id=0)[0].distortion == Distortion((-0.28, 0.07, 0.0002, 1.8e-05))
    assert load_camera(path, camera_id=1)[0].distortion == Distortion((-0.01, 0.02, 0.003, 0.001), "fisheye")
    with pytest.raises(DiffDopeError, match=r"camera_id: expected one of the 2 of the file \(cam0, cam1\)"):
        load_camera(path)
    for other in ("omni", "ds", "eucm"):
        with pytest.raises(DiffDopeError, match=f"camera_model: expected the lens model of a pinhole, got '{other}'"):
            load_camera(written(tmp_path / "c.yaml", KALIBR.replace("CAMERA", other)), camera_id=1)


def test_nine_numbers(tmp_path: Path) -> None:
    for text in (
        "6e2 0 320\n0 601 240\n0 0 1\n",
        "[[600, 0, 320], [0, 601, 240], [0, 0, 1]]",
        "600,0,320,0,601,240,0,0,1",
    ):
        path = written(tmp_path / "cam_K.txt", text)
        assert load_camera(path, width=640, height=480) == (PINHOLE, None)


def test_bop_cam_model(tmp_path: Path) -> None:
    model = {
        "image_width": 640, "image_height": 480, "projection_model_type": "CameraModelType.FISHEYE624",
        "projection_params": [300.0, 320.0, 240.0, *np.arange(12.0).tolist()],
    }  # fmt: skip
    camera, _ = load_camera(written(tmp_path / "scene_camera.json", {"3": {"cam_model": model}}), image_id=3)
    assert camera == Camera(300, 300, 320, 240, 640, 480, Distortion(tuple(range(12)), "fisheye"))


def test_realsense_open3d_and_nerfstudio(tmp_path: Path) -> None:
    realsense = {"width": 640, "height": 480, "ppx": 320, "ppy": 240, "fx": 600, "fy": 601}
    for name in ("distortion.inverse_brown_conrady", "RS2_DISTORTION_NONE"):
        content = realsense | {"model": name, "coeffs": [0, 0, 0, 0, 0]}
        assert load_camera(written(tmp_path / "r.json", content))[0] == PINHOLE
    content = realsense | {"model": "distortion.brown_conrady", "coeffs": list(FIVE)}
    assert load_camera(written(tmp_path / "r.json", content))[0] == BENT
    with pytest.raises(DiffDopeError, match="lens model: expected one of plumb_bob, .*inverse_brown_conrady"):
        content = realsense | {"model": "distortion.inverse_brown_conrady", "coeffs": list(FIVE)}
        load_camera(written(tmp_path / "r.json", content))
    columns = {"width": 640, "height": 480, "intrinsic_matrix": PINHOLE.K.T.ravel().tolist()}
    assert load_camera(written(tmp_path / "o.json", columns))[0] == PINHOLE
    nerf = {"w": 640, "h": 480, "fl_x": 600, "fl_y": 601, "cx": 320, "cy": 240, "k1": 0.1, "k2": -0.2, "p1": 0, "p2": 0}
    camera, _ = load_camera(written(tmp_path / "n.json", nerf | {"camera_model": "OPENCV"}))
    assert camera.distortion == Distortion((0.1, -0.2, 0, 0))


@pytest.mark.parametrize(
    "lens",
    [
        {"dist_coeffs": "see calibration.yaml"},
        {"distortion": {"a": 0.3, "b": 0}},
        {"distortion_model": "division", "dist_coeffs": [0.3]},
        {"k1": 0.1, "k4": 0.2},
        {"tau_x": 0.1},
        {"radial_distortion": [0.1, 0.2]},
    ],
)
def test_a_lens_that_is_not_understood_is_refused(tmp_path: Path, lens: dict[str, Any]) -> None:
    entry = {"fx": 600, "fy": 601, "cx": 320, "cy": 240, "width": 640, "height": 480}
    with pytest.raises(DiffDopeError, match="undistort the images first|name the lens model"):
        load_camera(written(tmp_path / "c.json", entry | lens))


def test_what_is_no_camera(tmp_path: Path) -> None:
    for text in ("hello", "", "- a\n- b\n", "1 2 3", "%YAML:1.0\n---\n", "<html></html>", "{}", "a: [", "\x00"):
        with pytest.raises(DiffDopeError, match="camera"):
            load_camera(written(tmp_path / "c.txt", text), width=640, height=480)


def test_both_cameras_of_a_stereo_calibration(tmp_path: Path) -> None:
    matrix = (
        "!!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n   data: [ FX, 0., 320., 0., 601., 240., 0., 0., 1. ]\n"
    )
    lens = "!!opencv-matrix\n   rows: 1\n   cols: 5\n   dt: d\n   data: [ K, -0.2, 1.e-03, -2.e-03, 5.e-02 ]\n"
    parts = [f"M{k}: {matrix.replace('FX', fx)}D{k}: {lens.replace('K', bent)}" for k, fx, bent in
             ((1, "600.", "0.1"), (2, "610.", "0.3"))]  # fmt: skip
    path = written(tmp_path / "intrinsics.yml", "%YAML:1.0\n---\n" + "".join(parts))
    left, _ = load_camera(path, width=640, height=480, camera_id=1)
    right, _ = load_camera(path, width=640, height=480, camera_id=2)
    assert left == BENT
    assert right.fx == 610 and right.distortion == Distortion((0.3, *FIVE[1:]))
    with pytest.raises(DiffDopeError, match=r"camera_id: expected one of the 2 of the file \(camera 1, camera 2\)"):
        load_camera(path, width=640, height=480)
    plain = {"fx": 600, "fy": 601, "cx": 320, "cy": 240, "width": 640, "height": 480, "k1": 0.1, "k2": -0.2}
    assert load_camera(written(tmp_path / "c.json", plain))[0].distortion == Distortion((0.1, -0.2, 0, 0))


@pytest.mark.parametrize(
    ("key", "value", "refused"),
    [
        ("distortion_map", "map.bin", True), ("lens_polynomial", [0.1, 0.2], True), ("inv_poly", [1.0, 2.0], True),
        ("image_distortion", {"k": 0.1}, True), ("distorted", False, False), ("undistorted", True, False),
        ("lens", "50 mm", False), ("lens_distortion", "none", False), ("distortion_scale", 0.0, False),
    ],
)  # fmt: skip
def test_whatever_speaks_of_distortion_is_used_or_refused(tmp_path: Path, key: str, value: Any, refused: bool) -> None:
    entry = {"cam_K": [600, 0, 320, 0, 600, 240, 0, 0, 1], "width": 640, "height": 480, key: value}
    path = written(tmp_path / "c.json", json.dumps(entry))
    if refused:
        with pytest.raises(DiffDopeError, match=f"{key}.*: expected no lens distortion"):
            load_camera(path)
    else:
        assert load_camera(path)[0].distortion is None


NUMBERS = {"fx": 500.0, "fy": 510.0, "cx": 320.0, "cy": 240.0}
SIZED = {**NUMBERS, "width": 640, "height": 480}
BENDS = {"K1": -0.27, "K2": 0.35, "K3": -0.32, "P1": 0.001, "P2": 0.0}


def test_a_lens_that_stands_beside_the_numbers_is_not_passed_over(tmp_path: Path) -> None:
    """Zivid's and Orbbec's files, and what nobody can tell."""
    capitals = {name.upper(): value for name, value in NUMBERS.items()}
    zivid = {"CameraIntrinsics": {"CameraMatrix": capitals, "Distortion": BENDS}}
    read, _ = load_camera(written(tmp_path / "zivid.yml", zivid), width=640, height=480)
    assert read.distortion == Distortion((-0.27, 0.35, 0.001, 0.0, -0.32)) and read.fy == 510.0
    deep = {"device": {"left": {"intrinsics": SIZED, "distortion": {"k1": 0.1}}}, "distance": {"k1": 3.0}}
    assert load_camera(written(tmp_path / "deep.json", deep))[0].distortion == Distortion((0.1, 0.0, 0.0, 0.0))
    orbbec = {"rgbIntrinsic": SIZED, "rgbDistortion": {"k1": 0.1, "k2": -0.2}, "depthIntrinsic": SIZED}
    path = written(tmp_path / "orbbec.json", orbbec)
    with pytest.raises(DiffDopeError, match=r"camera_id.*got none chosen.*: 0 for rgbIntrinsic, 1 for depthIntrinsic"):
        load_camera(path)
    assert load_camera(path, camera_id=0)[0].distortion == Distortion((0.1, -0.2, 0.0, 0.0))
    assert load_camera(path, camera_id=1)[0].distortion is None
    nobodys = {"color": SIZED, "depth": SIZED, "distortion": {"k1": 0.1}}
    with pytest.raises(DiffDopeError, match=r"distortion.k1: expected no lens distortion"):
        load_camera(written(tmp_path / "nobodys.json", nobodys), camera_id=0)


def test_files_that_write_size_or_columns_the_other_way_round(tmp_path: Path) -> None:
    """MegaPose's resolution is (height, width); Record3D's K goes down the columns."""
    K = [[500.0, 0.0, 320.0], [0.0, 510.0, 240.0], [0.0, 0.0, 1.0]]
    plain = Camera(**NUMBERS, width=640, height=480)
    assert load_camera(written(tmp_path / "camera_data.json", {"K": K, "resolution": [480, 640]}))[0] == plain
    other = {"K": K, "resolution": [640, 480], "model": "pinhole"}
    assert load_camera(written(tmp_path / "other.json", other))[0] == plain
    columns = [500.0, 0, 0, 0, 510.0, 0, 320.0, 240.0, 1]
    metadata = {"w": 640, "h": 480, "fps": 30, "K": columns, "poses": [[0, 0, 0, 1, 0, 0, 0]]}
    assert load_camera(written(tmp_path / "metadata.json", metadata))[0] == plain
    with pytest.raises(DiffDopeError, match="K is transposed"):
        load_camera(written(tmp_path / "K.json", {"K": columns, "w": 640, "h": 480}))
    kinect = {"color_camera": {**NUMBERS, "resolution_width": 640, "resolution_height": 480}}
    assert load_camera(written(tmp_path / "kinect.json", kinect))[0] == plain


def test_nerfstudio_counts_from_the_corner_as_colmap_does(tmp_path: Path) -> None:
    entry = {"fl_x": 500.0, "fl_y": 510.0, "cx": 320.5, "cy": 240.5, "w": 640, "h": 480, "frames": []}
    plain = Camera(**NUMBERS, width=640, height=480)
    assert load_camera(written(tmp_path / "transforms.json", entry))[0] == plain
    colmap = "# cameras\n1 PINHOLE 640 480 500.0 510.0 320.5 240.5\n"
    assert load_camera(written(tmp_path / "cameras.txt", colmap))[0] == plain


KITTI = (
    "P0: 600 0 320 0 0 601 240 0 0 0 1 0\nP2: 700 0 321 45.5 0 701 241 -0.3 0 0 1 0.005\nR0_rect: 1 0 0 0 1 0 0 0 1\n"
    "Tr_velo_to_cam: 1 0 0 0 0 1 0 0 0 0 1 0\n"
)
ORB = "%YAML:1.0\nCamera.fx: 600.0\nCamera.fy: 601.0\nCamera.cx: 320.0\nCamera.cy: 240.0\nCamera.fps: 30.0\n"


def test_kittis_projections_are_no_lens(tmp_path: Path) -> None:
    path = written(tmp_path / "000000.txt", KITTI)
    assert load_camera(path, width=640, height=480, camera_id=0)[0] == PINHOLE
    assert load_camera(path, width=640, height=480, camera_id=2)[0] == Camera(700.0, 701.0, 321.0, 241.0, 640, 480)
    with pytest.raises(DiffDopeError, match=r"one of the 2 of the file \(camera 0, camera 2\), got none chosen"):
        load_camera(path, width=640, height=480)
    raw = written(tmp_path / "cam.txt", KITTI.splitlines()[0].replace("P0", "P_rect_00") + "\nS_rect_00: 640 480\n")
    assert load_camera(raw, width=640, height=480)[0] == PINHOLE


def test_orb_slam(tmp_path: Path) -> None:
    def read(text: str, **which: int) -> Camera:
        return load_camera(written(tmp_path / "o.yaml", text), width=640, height=480, **which)[0]

    assert read(ORB) == PINHOLE
    lens = "".join(
        f"Camera.{name}: {value}\n" for name, value in zip(("k1", "k2", "p1", "p2", "k3"), FIVE, strict=True)
    )
    assert read(ORB + lens) == BENT
    fisheye = "".join(f"Camera1.k{k}: 0.0{k}\n" for k in (1, 2, 3, 4))
    third = ORB.replace("Camera.f", "Camera1.f").replace("Camera.c", "Camera1.c") + 'Camera.type: "KannalaBrandt8"\n'
    assert read(third + fisheye).distortion == Distortion((0.01, 0.02, 0.03, 0.04), "fisheye")
    both = ORB + "".join(f"Camera2.{name}: {value}\n" for name, value in (("fx", 5), ("fy", 5), ("cx", 6), ("cy", 7)))
    assert read(both.replace("Camera.f", "Camera1.f").replace("Camera.c", "Camera1.c"), camera_id=1) == PINHOLE
    with pytest.raises(DiffDopeError, match=r"o.yaml: camera, Camera.type: expected one of pinhole, .*, got Omni"):
        read(ORB + "Camera.type: Omni\n")


def test_ndds(tmp_path: Path) -> None:
    inner = {"resX": 640, "resY": 480, "fx": 600.0, "fy": 601.0, "cx": 320.0, "cy": 240.0, "s": 0}
    entry = {"name": "viewpoint", "horizontal_fov": 64, "intrinsic_settings": inner}
    path = written(tmp_path / "_camera_settings.json", {"camera_settings": [entry]})
    assert load_camera(path)[0] == PINHOLE
    two = written(tmp_path / "two.json", {"camera_settings": [entry, {**entry, "name": "other"}]})
    with pytest.raises(DiffDopeError, match="0 for viewpoint, 1 for other"):
        load_camera(two)
    skew = written(tmp_path / "skew.json", {"camera_settings": [{**entry, "intrinsic_settings": {**inner, "s": 3}}]})
    with pytest.raises(DiffDopeError, match="expected zero skew"):
        load_camera(skew)
    less = written(tmp_path / "less.json", {"camera_settings": [{"intrinsic_settings": {"fx": 1}}]})
    with pytest.raises(
        DiffDopeError, match="less.json: camera, intrinsic_settings: expected fx, fy, cx and cy, got no fy"
    ):
        load_camera(less)
