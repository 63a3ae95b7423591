"""Camera files of makers' and calibrators' programs, and of renderers."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.lens import Distortion
from diffdope.io.cameras import load_camera
from diffdope.io.matlab_files import read_structs
from tests.oracle import files

K = [[600.5, 0.0, 322.25], [0.0, 601.5, 237.75], [0.0, 0.0, 1.0]]
PINHOLE = Camera(600.5, 601.5, 322.25, 237.75, 640, 480)
FIVE = (0.1, -0.2, 0.001, -0.002, 0.05)
EIGHT = (0.1, -0.2, 0.001, -0.002, 0.05, 0.3, -0.1, 0.02)
FOUR = (0.01, 0.02, -0.03, 0.04)


def bent(coefficients: tuple[float, ...], model: Any = "opencv") -> Camera:
    return replace(PINHOLE, distortion=Distortion(coefficients, model))


def written(folder: Path, content: Any, name: str = "camera.json") -> Path:
    return files.written(folder / name, content)


def numbers_of(camera: Camera) -> tuple[float, ...]:
    return camera.fx, camera.fy, camera.cx, camera.cy


def check(found: Camera, wanted: Camera) -> None:
    assert numbers_of(found) == pytest.approx(numbers_of(wanted)) and (found.width, found.height) == (640, 480)
    assert (found.distortion is None) == (wanted.distortion is None)
    if found.distortion is not None and wanted.distortion is not None:
        own, other = found.distortion.coefficients, wanted.distortion.coefficients
        assert found.distortion.model == wanted.distortion.model
        assert own[: len(other)] == pytest.approx(other) and not any(own[len(other) :])


def oak(socket: int, kind: int, lens: tuple[float, ...]) -> list[Any]:
    numbers = [*lens, *[0.0] * (14 - len(lens))]
    about = {"cameraType": kind, "intrinsicMatrix": K, "distortionCoeff": numbers, "width": 640, "height": 480}
    return [socket, {**about, "extrinsics": {"toCameraSocket": 1}, "specHfovDeg": 68.8, "lensPosition": 130}]


def test_depthai(tmp_path: Path) -> None:
    empty = [3, {"cameraType": 0, "intrinsicMatrix": [], "distortionCoeff": [], "width": 0, "height": 0}]
    device = {"boardName": "OAK-D", "cameraData": [oak(0, 0, EIGHT), oak(2, 1, FOUR), empty], "version": 7}
    path = written(tmp_path, device)
    check(load_camera(path, camera_id=0)[0], bent(EIGHT))
    check(load_camera(path, camera_id=2)[0], bent(FOUR, "fisheye"))
    with pytest.raises(DiffDopeError, match="one of the 2 of the file"):
        load_camera(path)
    check(load_camera(written(tmp_path, device | {"cameraData": [oak(0, 0, ())]}))[0], PINHOLE)


def test_basalt(tmp_path: Path) -> None:
    numbers = {"fx": 600.5, "fy": 601.5, "cx": 322.25, "cy": 237.75}
    names = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    lenses: list[tuple[str, dict[str, float]]] = [
        ("pinhole", {}), ("kb4", dict(zip(("k1", "k2", "k3", "k4"), FOUR, strict=True))),
        ("pinhole-radtan8", dict(zip(names, EIGHT, strict=True)) | {"rpmax": 2.5}), ("ds", {"xi": -0.2, "alpha": 0.6}),
    ]  # fmt: skip
    listed = [{"camera_type": kind, "intrinsics": numbers | lens} for kind, lens in lenses]
    path = written(tmp_path, {"value0": {"T_imu_cam": [], "intrinsics": listed, "resolution": [[640, 480]] * 4}})
    for number, camera in enumerate((PINHOLE, bent(FOUR, "fisheye"), bent(EIGHT))):
        check(load_camera(path, camera_id=number)[0], camera)
    with pytest.raises(DiffDopeError, match="lens model: expected one of .*, got 'ds'"):
        load_camera(path, camera_id=3)


FROM_ONE = np.array([[600.5, 0.0, 323.25], [0.0, 601.5, 238.75], [0.0, 0.0, 1.0]])
LENS = {"RadialDistortion": [0.1, -0.2, 0.05], "TangentialDistortion": [0.001, -0.002], "ImageSize": [480, 640]}
STRUCTS = [
    {"IntrinsicMatrix": FROM_ONE.T, **LENS, "Skew": 0.0},
    {"K": FROM_ONE, **LENS, "WorldUnits": "millimeters", "RotationVectors": np.zeros((3, 3))},
    {"FocalLength": [600.5, 601.5], "PrincipalPoint": [323.25, 238.75], **LENS},
]


@pytest.mark.parametrize("struct", STRUCTS)
def test_matlab_counts_from_one(struct: dict[str, Any], tmp_path: Path) -> None:
    listed = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in struct.items()}
    check(load_camera(written(tmp_path, listed))[0], bent(FIVE))
    savemat(tmp_path / "camera.mat", {"s": struct})
    check(load_camera(tmp_path / "camera.mat")[0], bent(FIVE))
    savemat(tmp_path / "pair.mat", {"s": {"CameraParameters1": struct, "CameraParameters2": STRUCTS[0]}})
    check(load_camera(tmp_path / "pair.mat", camera_id=1)[0], bent(FIVE))


def test_other_variables_of_matlab(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"K": np.array(K), "dist": np.array([FIVE])})  # names of OpenCV
    check(load_camera(tmp_path / "a.mat", width=640, height=480)[0], bent(FIVE))
    savemat(tmp_path / "b.mat", {"K": np.array(K)})
    with pytest.raises(DiffDopeError, match="pixels are counted from 0 or 1, got none; save toStruct"):
        load_camera(tmp_path / "b.mat", width=640, height=480)
    toolbox = {"fc": [[600.5], [601.5]], "cc": [[322.25], [237.75]], "kc": np.array([FIVE]).T, "alpha_c": 0.0}
    savemat(tmp_path / "c.mat", toolbox | {"nx": 640, "ny": 480})
    check(load_camera(tmp_path / "c.mat")[0], bent(FIVE))
    savemat(tmp_path / "d.mat", toolbox | {"nx": 640, "ny": 480, "alpha_c": 0.01})
    with pytest.raises(DiffDopeError, match="skew"):
        load_camera(tmp_path / "d.mat")
    savemat(tmp_path / "e.mat", {"s": {"MappingCoefficients": [1.0, 2.0], "ImageSize": [480, 640]}})
    with pytest.raises(DiffDopeError, match="got its fisheyeIntrinsics"):
        load_camera(tmp_path / "e.mat")


@pytest.mark.parametrize("content", [b"", b"MATLAB 7.3 MAT-file" + bytes(105) + b"\x00\x02IM", b"no such file" * 40])
def test_mat_files_that_are_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "camera.mat").write_bytes(content)
    with pytest.raises(DiffDopeError, match="expected a .mat file of version 7, got .*toStruct"):
        load_camera(tmp_path / "camera.mat")


def same(own: Any, other: Any) -> bool:
    if isinstance(other, dict):
        return own.keys() == other.keys() and all(same(own[key], other[key]) for key in other)
    if isinstance(other, str):
        return bool(own == other)
    if isinstance(other, np.ndarray) and other.dtype.kind == "O":
        return len(own) == len(other) and all(map(same, own, other))
    return np.array_equal(np.asarray(own), np.squeeze(other))


@pytest.mark.parametrize("packed", [False, True])
def test_structs_are_what_scipy_reads(packed: bool, tmp_path: Path, rng: np.random.Generator) -> None:
    inner = {"a": rng.normal(size=(3, 2)), "word": "Größe", "flag": np.array([True, False]), "empty": np.zeros((0, 0))}
    kinds = {f"k{kind}": np.arange(-3, 9).astype(kind) for kind in ("i1", "u2", "i4", "f4", "f8", "i8")}
    data = {"s": {**inner, "deep": {"deeper": {"n": 3}}}, "many": np.array([1, 2.5]), "text": "mm", **kinds}
    cells = np.empty(2, object)
    cells[:] = [np.array([1, 2]), "two"]
    path = tmp_path / "a.mat"
    savemat(path, {**data, "cells": cells}, do_compression=packed)
    read, wanted = read_structs(path, "camera"), loadmat(path, simplify_cells=True)
    assert set(read) == {key for key in wanted if not key.startswith("__")}
    for key, value in read.items():
        assert same(value, wanted[key]), key


@pytest.mark.parametrize("packed", [False, True])
def test_damaged_mat_files_end_in_words(packed: bool, tmp_path: Path, rng: np.random.Generator) -> None:
    savemat(tmp_path / "whole.mat", {"s": STRUCTS[0], "K": np.array(K)}, do_compression=packed)
    whole, path = (tmp_path / "whole.mat").read_bytes(), tmp_path / "camera.mat"
    refused = 0
    for _ in range(400):
        spoilt = bytearray(whole)
        for place in rng.integers(128, len(whole), rng.integers(1, 5)):
            spoilt[place] = rng.integers(256)
        path.write_bytes(bytes(spoilt[: rng.integers(100, len(whole))] if rng.random() < 0.3 else spoilt))
        try:
            read_structs(path, "camera")
        except DiffDopeError:
            refused += 1
    assert refused > 100


def test_a_mat_file_that_was_cut_off(tmp_path: Path) -> None:
    savemat(tmp_path / "whole.mat", {"s": STRUCTS[0]}, do_compression=True)
    content = (tmp_path / "whole.mat").read_bytes()
    (tmp_path / "camera.mat").write_bytes(content[: len(content) // 2])
    with pytest.raises(DiffDopeError, match="camera.mat"):
        load_camera(tmp_path / "camera.mat")


OST = """# oST version 5.0 parameters


[image]

width
640

height
480

[narrow_stereo]

camera matrix
600.5 0.000000 322.25
0.000000 601.5 237.75
0.000000 0.000000 1.000000

distortion
0.1 -0.2 0.001 -0.002 0.05

rectification
1.000000 0.000000 0.000000
0.000000 1.000000 0.000000
0.000000 0.000000 1.000000
"""


def test_ost_of_ros(tmp_path: Path) -> None:
    check(load_camera(written(tmp_path, OST, "ost.txt"))[0], bent(FIVE))
    check(load_camera(written(tmp_path, OST.replace("0.1 -0.2 0.001 -0.002 0.05", "0 0 0 0 0"), "ost.ini"))[0], PINHOLE)
    with pytest.raises(DiffDopeError, match="expected 9 numbers below camera matrix, got 6"):
        load_camera(written(tmp_path, OST.replace("0.000000 601.5 237.75\n", ""), "ost.txt"))


def test_camodocal(tmp_path: Path) -> None:
    names = {"mu": 600.5, "mv": 601.5, "u0": 322.25, "v0": 237.75, "k2": 0.01, "k3": 0.02, "k4": -0.03, "k5": 0.04}
    lines = "".join(f"   {name}: {value}\n" for name, value in names.items())
    head = "%YAML:1.0\n---\nmodel_type: KANNALA_BRANDT\ncamera_name: c\nimage_width: 640\nimage_height: 480\n"
    path = written(tmp_path, f"{head}projection_parameters:\n{lines}", "c.yaml")
    check(load_camera(path)[0], bent(FOUR, "fisheye"))


def matrix(name: str, rows: int, columns: int, data: list[float]) -> str:
    return f"{name}: !!opencv-matrix\n   rows: {rows}\n   cols: {columns}\n   dt: d\n   data: {data}\n"


def test_lenses_that_a_file_does_not_name(tmp_path: Path) -> None:
    K_of = matrix("K", 3, 3, np.ravel(K).tolist())
    size = {"width": 640, "height": 480}
    alone = written(tmp_path, "%YAML:1.0\n---\n" + K_of + matrix("D", 4, 1, list(FOUR)), "a.yaml")
    with pytest.raises(DiffDopeError, match="D of four: expected a lens model.*got none; name the lens model"):
        load_camera(alone, **size)
    for name, camera in (("plumb_bob", bent(FOUR)), ("equidistant", bent(FOUR, "fisheye"))):
        said = written(tmp_path, alone.read_text() + f"distortion_model: {name}\n", "b.yaml")
        check(load_camera(said, **size)[0], camera)
    five = written(tmp_path, "%YAML:1.0\n---\n" + K_of + matrix("D", 5, 1, list(FIVE)), "c.yaml")
    check(load_camera(five, **size)[0], bent(FIVE))
    omni = matrix("camera_matrix", 3, 3, np.ravel(K).tolist()) + matrix("distortion_coefficients", 1, 4, list(FOUR))
    for xi in ("xi: 1.2\n", matrix("xi", 1, 1, [1.2])):
        with pytest.raises(DiffDopeError, match="xi: expected no lens distortion"):
            load_camera(written(tmp_path, "%YAML:1.0\n---\n" + omni + xi, "d.yaml"), **size)


def rendered(fx: float, cx: float = 319.5, cy: float = 239.5) -> Camera:
    return Camera(fx, fx, cx, cy, 640, 480)


BLENDER: dict[str, Any] = {
    "lens": 50.0, "sensor_width": 36.0, "sensor_height": 24.0, "sensor_fit": "AUTO", "shift_x": 0.0, "shift_y": 0.0,
    "resolution_x": 640, "resolution_y": 480,
}  # fmt: skip
ISAAC = {"cameraModel": "pinhole", "renderProductResolution": [640, 480], "cameraFocalLength": 24.0}


def test_renderers(tmp_path: Path) -> None:
    """A point on the border of the film is on the border of the picture, half a pixel from its last centre."""
    f = 640 * 50.0 / 36.0
    assert rendered(f).project(np.array([0.5 * 36.0, 0.0, 50.0]))[0] == pytest.approx(639.5)
    check(load_camera(written(tmp_path, BLENDER))[0], rendered(f))
    check(
        load_camera(
            written(tmp_path, BLENDER | {"resolution_x": 1280, "resolution_y": 960, "resolution_percentage": 50})
        )[0],
        rendered(f),
    )
    check(load_camera(written(tmp_path, BLENDER | {"sensor_fit": "VERTICAL"}))[0], rendered(480 * 50.0 / 24.0))
    shifted = written(tmp_path, BLENDER | {"shift_x": 0.05, "shift_y": -0.01})
    check(load_camera(shifted)[0], rendered(f, 319.5 - 32.0, 239.5 - 6.4))
    usd = {"focalLength": 24.0, "horizontalAperture": 20.955, "width": 640, "height": 480}
    check(load_camera(written(tmp_path, usd))[0], rendered(640 * 24.0 / 20.955))
    check(
        load_camera(written(tmp_path, {"camera_angle_x": math.pi / 2, "w": 640, "h": 480, "frames": []}))[0],
        rendered(320.0),
    )
    projection = np.diag([2.0, 2.0 * 640 / 480, 0.0, 0.0]).ravel().tolist()
    check(load_camera(written(tmp_path, ISAAC | {"cameraProjection": projection}))[0], rendered(640.0))


def test_what_renderers_may_say_besides(tmp_path: Path) -> None:
    angle = {"camera_angle_x": math.pi / 2, "frames": []}
    with pytest.raises(DiffDopeError, match='size beside a focal length.*, got none; add "width" and "height"'):
        load_camera(written(tmp_path, angle), width=640, height=480)
    bent_too = written(tmp_path, angle | {"w": 640, "h": 480, "k1": 0.1, "k2": -0.2, "p1": 0.001, "p2": 0.0})
    found = load_camera(bent_too)[0].distortion
    assert found is not None and found.coefficients == (0.1, -0.2, 0.001, 0.0)
    both = written(tmp_path, BLENDER | {"cam_K": np.ravel(K).tolist(), "width": 640, "height": 480})
    assert load_camera(both)[0] == PINHOLE  # what is said in pixels wins
    for wrong, words in (
        (BLENDER | {"pixel_aspect_x": 2.0}, "square pixels"), (BLENDER | {"lens": 0.0}, "lens: expected a positive"),
        (BLENDER | {"sensor_fit": "BOTH"}, "sensor_fit"),
        (angle | {"camera_angle_x": 4.0, "w": 640, "h": 480}, "radians"),
        (ISAAC | {"cameraModel": "ftheta", "cameraProjection": [1.0] * 16}, "cameraModel: expected pinhole"),
    ):  # fmt: skip
        with pytest.raises(DiffDopeError, match=words):
            load_camera(written(tmp_path, wrong))
