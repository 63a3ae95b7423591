"""Cameras of phones, of structure from motion, and COLMAP's bytes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.geometry.lens import Distortion
from diffdope.io.cameras import load_camera
from diffdope.io.capture import read_capture
from tests.oracle.files import written

COEFFICIENTS = {"k1": 0.1, "k2": -0.02, "k3": 0.005, "k4": -0.001, "p1": 0.002, "p2": -0.003}
OPENSFM = {
    "perspective": Distortion((0.1, -0.02, 0.0, 0.0, 0.0)),
    "simple_radial": Distortion((0.1, 0.0, 0.0, 0.0, 0.0)),
    "radial": Distortion((0.1, -0.02, 0.0, 0.0, 0.0)),
    "brown": Distortion((0.1, -0.02, 0.002, -0.003, 0.005)),
    "fisheye": Distortion((0.1, -0.02, 0.0, 0.0), "fisheye"),
    "fisheye_opencv": Distortion((0.1, -0.02, 0.005, -0.001), "fisheye"),
}
ARKIT = [[600.0, 0.0, 0.0], [0.0, 601.0, 0.0], [321.0, 239.0, 1.0]]  # columns of simd_float3x3
FRAME = {"fl_x": 600.5, "fl_y": 601.5, "cx": 321.5, "cy": 239.5, "w": 640, "h": 480}


def numbers(camera: Any) -> tuple[float, ...]:
    return camera.fx, camera.fy, camera.cx, camera.cy


def opensfm(kind: str, width: int = 640, height: int = 480) -> dict[str, Any]:
    one = {"projection_type": kind, "width": width, "height": height, **COEFFICIENTS}
    if kind in ("perspective", "fisheye"):
        return {**one, "focal": 0.9}
    return {**one, "focal_x": 0.9, "focal_y": 0.95, "c_x": 0.01, "c_y": -0.02}


@pytest.mark.parametrize("kind", OPENSFM)
@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640)])
def test_focal_lengths_of_opensfm_are_shares_of_the_longer_side(
    kind: str, width: int, height: int, tmp_path: Path
) -> None:
    one = opensfm(kind, width, height)
    path = written(tmp_path / "camera_models.json", {"v2 maker phone 12 640 480 perspective 0.7": one})
    camera, _ = load_camera(path)
    fx, fy = 640 * one.get("focal_x", 0.9), 640 * one.get("focal_y", 0.9)
    # The inverse of OpenSfM's normalised coordinates: (u + 0.5 - width / 2) / longer side.
    cx, cy = 640 * one.get("c_x", 0.0) + width / 2 - 0.5, 640 * one.get("c_y", 0.0) + height / 2 - 0.5
    np.testing.assert_allclose(numbers(camera), (fx, fy, cx, cy), rtol=1e-12)
    assert (camera.width, camera.height) == (width, height)
    assert camera.distortion == OPENSFM[kind]


def test_several_cameras_of_opensfm_are_chosen_by_their_place(tmp_path: Path) -> None:
    second = opensfm("brown") | {"focal_x": 1.5}
    path = written(tmp_path / "cameras.json", {"drone 9": opensfm("brown"), "phone 12": second})
    assert load_camera(path, camera_id=1)[0].fx == pytest.approx(960.0)
    with pytest.raises(DiffDopeError, match=r"camera_id.*drone 9.*--camera-id"):
        load_camera(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"projection_type": "spherical"}, "projection_type.*perspective.*spherical"),
        ({"projection_type": "fisheye624"}, "projection_type.*fisheye624"),
        ({"focal_x": 576.0}, "share of the picture's longer side.*576.*divide"),
        ({"width": 0}, "focal.*width and height"),
    ],
)
def test_what_opensfm_may_not_say(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match=words):
        load_camera(written(tmp_path / "camera_models.json", {"one": opensfm("brown") | change}))


@pytest.mark.parametrize(
    "data",
    [
        {"intrinsics": ARKIT, "imageResolution": [640, 480]},
        {"intrinsics": np.ravel(ARKIT).tolist(), "imageResolution": {"width": 640, "height": 480}},
        {"cameraIntrinsics": ARKIT, "width": 640, "height": 480},
        {"intrinsics": np.transpose(ARKIT).tolist(), "width": 640, "height": 480},  # as apps write that turn it
        {"focalLength": [600.0, 601.0], "principalPoint": [321.0, 239.0], "imageDimensions": [640, 480]},
        {
            "focalLength": {"x": 600.0, "y": 601.0}, "principalPoint": {"x": 321.0, "y": 239.0},
            "resolution": {"x": 640, "y": 480},
        },
        {"K": np.ravel(ARKIT).tolist(), "w": 640, "h": 480, "dw": 192, "dh": 256, "fps": 60, "poses": []},
        {
            "fx": 600.0, "fy": 601.0, "cx": 321.0, "cy": 239.0, "width": 640, "height": 480, "blur_score": 9.5,
            "t_00": 1.0, "t_01": 0.0, "t_02": 0.0, "t_03": 0.1, "timestamp": 12, "neighbors": [1, 2],
        },
    ],
    ids=["arkit", "arkit-flat", "arkit-named", "arkit-rows", "arcore", "arfoundation", "record3d", "polycam"],
)  # fmt: skip
def test_phones(data: dict[str, Any], tmp_path: Path) -> None:
    camera, _ = load_camera(written(tmp_path / "camera.json", data))
    assert numbers(camera) == (600.0, 601.0, 321.0, 239.0)
    assert (camera.width, camera.height, camera.distortion) == (640, 480, None)


def test_pincam(tmp_path: Path) -> None:
    (tmp_path / "one.pincam").write_text("640 480 600 601 321 239\n")
    assert numbers(load_camera(tmp_path / "one.pincam")[0]) == (600.0, 601.0, 321.0, 239.0)


def frames(*focal: float, **shared: Any) -> dict[str, Any]:
    listed = [
        {**FRAME, "fl_x": one, "file_path": f"./images/frame_{7 + k:05d}.png", "transform_matrix": np.eye(4).tolist()}
        for k, one in enumerate(focal)
    ]
    return {"camera_model": "OPENCV", **shared, "frames": listed, "applied_transform": np.eye(4)[:3].tolist()}


def test_a_camera_for_each_image_is_chosen_by_number_or_name(tmp_path: Path) -> None:
    path = written(tmp_path / "transforms.json", frames(600.0, 650.0))
    camera, _ = load_camera(path, image_id=8)
    assert numbers(camera) == (650.0, 601.5, 321.0, 239.0)  # counted from the first pixel's corner
    Image.new("RGB", (640, 480)).save(tmp_path / "frame_00007.png")
    Image.fromarray(np.full((480, 640), 700, np.uint16)).save(tmp_path / "depth.png")
    files = {"rgb": tmp_path / "frame_00007.png", "depth": tmp_path / "depth.png", "depth_scale_mm": 1.0}
    assert read_capture(path, **files).camera.fx == 600.0
    with pytest.raises(DiffDopeError, match="depth_scale"):  # and nothing about the image's number
        read_capture(path, **files | {"depth_scale_mm": None})
    with pytest.raises(DiffDopeError, match=r"image_id.*frame_00007.*--image-id"):
        load_camera(path)
    with pytest.raises(DiffDopeError, match=r"image_id.*got 3"):
        load_camera(path, image_id=3)


def test_images_of_one_camera_need_no_choice_and_share_their_lens(tmp_path: Path) -> None:
    path = written(tmp_path / "transforms.json", frames(600.0, 600.0, k1=0.1, k2=-0.02, p1=0.0, p2=0.0))
    camera, _ = load_camera(path)
    assert camera.fx == 600.0 and camera.distortion == Distortion((0.1, -0.02, 0.0, 0.0))
    path = written(tmp_path / "all.json", frames(600.0, 650.0, **FRAME))
    assert load_camera(path)[0].fx == 600.5  # what is stated for all counts


def test_record3d_has_a_camera_for_each_image_too(tmp_path: Path) -> None:
    coefficients = [[600.0, 600.0, 321.0, 239.0], [610.0, 611.0, 322.0, 238.0]]
    data = {"K": np.ravel(ARKIT).tolist(), "w": 640, "h": 480, "perFrameIntrinsicCoeffs": coefficients, "poses": []}
    path = written(tmp_path / "metadata.json", data)
    assert numbers(load_camera(path, image_id=1)[0]) == (610.0, 611.0, 322.0, 238.0)
    assert load_camera(path)[0].fy == 601.0


def colmap(*cameras: tuple[int, int, tuple[float, ...]]) -> bytes:
    """cameras.bin of (number, model, parameters)."""
    rows = [
        struct.pack("<iiQQ", number, model, 640, 480) + struct.pack(f"<{len(values)}d", *values)
        for number, model, values in cameras
    ]
    return struct.pack("<Q", len(rows)) + b"".join(rows)


def test_bytes_of_colmap(tmp_path: Path) -> None:
    path = tmp_path / "cameras.bin"
    path.write_bytes(colmap((3, 4, (600.0, 601.0, 321.5, 239.5, 0.1, -0.02, 0.002, -0.003))))
    (tmp_path / "cameras.txt").write_text("3 OPENCV 640 480 600 601 321.5 239.5 0.1 -0.02 0.002 -0.003\n")
    assert load_camera(path) == load_camera(tmp_path / "cameras.txt")
    assert numbers(load_camera(path)[0]) == (600.0, 601.0, 321.0, 239.0)
    path.write_bytes(colmap((1, 0, (600.0, 320.0, 240.0)), (2, 1, (700.0, 701.0, 320.0, 240.0))))
    assert load_camera(path, camera_id=2)[0].fx == 700.0
    with pytest.raises(DiffDopeError, match=r"camera_id.*--camera-id"):
        load_camera(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty file"),
        (colmap((1, 1, (600.0, 600.0, 320.0, 240.0)))[:-3], "cut off"),
        (colmap((1, 1, (600.0, 600.0, 320.0, 240.0))) + b"0", "goes on after it"),
        (colmap((1, 99, (600.0,))), "model.*99"),
        (bytes([255] * 64), "another kind"),
    ],
)
def test_bytes_that_are_no_cameras(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "cameras.bin").write_bytes(content)
    with pytest.raises(DiffDopeError, match=words):
        load_camera(tmp_path / "cameras.bin")


def test_the_places_of_images_are_no_cameras(tmp_path: Path) -> None:
    (tmp_path / "images.txt").write_text("# images\n1 1 0 0 0 0.1 0.2 0.3 1 frame_1.png\n10 20 -1\n")
    with pytest.raises(DiffDopeError, match=r"images\.txt.*cameras\.txt"):
        load_camera(tmp_path / "images.txt", width=640, height=480)
