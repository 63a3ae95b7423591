"""Disparities of two cameras as depth, Middlebury's calib.txt and PFM files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.io.cameras import load_camera
from diffdope.io.capture import read_capture
from diffdope.io.images import read_depth
from diffdope.io.pfm import read_pfm

FX, BASELINE_MM, DOFFS = 400.0, 120.0, 30.0
DEPTH = 0.8 + 0.002 * np.arange(64)[None, :] + 0.001 * np.arange(48)[:, None]  # metres
CALIB = """cam0=[400 0 20; 0 400 23; 0 0 1]
cam1=[400 0 50; 0 400 23; 0 0 1]
doffs=30
baseline=120
width=64
height=48
ndisp=80
vmin=20
"""


def camera_file(folder: Path, **more: Any) -> Path:
    entry = {"fx": FX, "fy": FX, "cx": 31.5, "cy": 23.5, "width": 64, "height": 48, **more}
    (folder / "camera.json").write_text(json.dumps(entry))
    return folder / "camera.json"


def pfm(path: Path, values: np.ndarray, order: str = "<", scale: float = 1.0) -> Path:
    head = f"Pf\n{values.shape[1]} {values.shape[0]}\n{-scale if order == '<' else scale}\n".encode()
    path.write_bytes(head + values[::-1].astype(f"{order}f4").tobytes())
    return path


def disparity(offset: float = 0.0) -> np.ndarray:
    return FX * 1e-3 * BASELINE_MM / DEPTH - offset


def depth_of(camera: Path, path: Path, **how: Any) -> np.ndarray:
    captured = read_capture(camera, depth=path, depth_kind="disparity", **how)
    assert captured.depth is not None and captured.depth_scale is None
    return captured.depth


@pytest.mark.parametrize("order", ["<", ">"])
def test_floats_are_pixels(order: str, tmp_path: Path) -> None:
    holed = disparity()
    holed[3, 5], holed[4, 6], holed[5, 7] = np.inf, 0.0, -1.0
    path = pfm(tmp_path / "disp.pfm", holed, order)
    found = depth_of(camera_file(tmp_path), path, depth_baseline_mm=BASELINE_MM)
    wanted = DEPTH.copy()
    wanted[3, 5] = wanted[4, 6] = wanted[5, 7] = 0.0
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("per_unit", [1 / 256, 1 / 16])
def test_units_of_integers_are_stated(per_unit: float, tmp_path: Path) -> None:
    stored = np.rint(disparity() / per_unit).astype(np.uint16)
    stored[3, 5] = 0
    Image.fromarray(stored).save(tmp_path / "disp.png")
    camera = camera_file(tmp_path, depth_scale=1.0)  # of depth, which this is none
    found = depth_of(camera, tmp_path / "disp.png", depth_baseline_mm=BASELINE_MM, depth_scale_mm=per_unit)
    assert found[3, 5] == 0.0
    seen = found > 0
    assert seen.sum() == found.size - 1
    # A disparity rounded to a unit is off by half of it at most, and the distance by that share.
    assert (np.abs(found / DEPTH - 1.0)[seen] <= 0.51 * per_unit / disparity()[seen]).all()
    with pytest.raises(DiffDopeError, match=r"depth-scale: expected pixels per unit.*1/256"):
        depth_of(camera, tmp_path / "disp.png", depth_baseline_mm=BASELINE_MM)


def test_middlebury_says_the_baseline(tmp_path: Path) -> None:
    (tmp_path / "calib.txt").write_text(CALIB)
    path = pfm(tmp_path / "disp0.pfm", disparity(DOFFS))
    np.testing.assert_allclose(depth_of(tmp_path / "calib.txt", path, camera_id=0), DEPTH, rtol=1e-6)
    left, _ = load_camera(tmp_path / "calib.txt", camera_id=0)
    right, _ = load_camera(tmp_path / "calib.txt", camera_id=1)
    assert (left.cx, right.cx, left.width, left.height) == (20.0, 50.0, 64, 48)
    with pytest.raises(DiffDopeError, match=r"camera_id.*--camera-id"):
        load_camera(tmp_path / "calib.txt")
    same = CALIB.replace("0 50;", "0 20;").replace("doffs=30", "doffs=0")
    (tmp_path / "calib.txt").write_text(same)
    assert load_camera(tmp_path / "calib.txt")[0].cx == 20.0
    (tmp_path / "calib.txt").write_text(same.replace("baseline=120", "baseline=?"))
    with pytest.raises(DiffDopeError, match="no baseline"):
        load_camera(tmp_path / "calib.txt")


def test_pictures_of_half_the_size_have_half_the_disparity(tmp_path: Path) -> None:
    (tmp_path / "calib.txt").write_text(CALIB)
    half = 0.5 * disparity(DOFFS).reshape(24, 2, 32, 2).mean(axis=(1, 3))
    path = pfm(tmp_path / "disp0.pfm", half)
    found = depth_of(tmp_path / "calib.txt", path, camera_id=0, camera_size=(64, 48))
    np.testing.assert_allclose(found, DEPTH.reshape(24, 2, 32, 2).mean(axis=(1, 3)), rtol=1e-4)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "depth-baseline: expected millimetres between the two cameras.*calib"),
        ({"depth_baseline_mm": 0.0}, "depth-baseline"),
        ({"depth_baseline_mm": 120.0, "depth_kind": "axis", "depth_scale_mm": 1.0}, "--depth-kind disparity beside"),
    ],
)
def test_a_disparity_needs_a_baseline(how: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = pfm(tmp_path / "disp.pfm", disparity())
    with pytest.raises(DiffDopeError, match=words):
        read_capture(camera_file(tmp_path), **{"depth": path, "depth_kind": "disparity", **how})


def test_a_lens_is_refused_unless_pictures_were_rectified(tmp_path: Path) -> None:
    path = pfm(tmp_path / "disp.pfm", disparity())
    camera = camera_file(tmp_path, distortion_model="plumb_bob", D=[0.1, 0.0, 0.0, 0.0, 0.0])
    with pytest.raises(DiffDopeError, match="without distortion.*--rectified"):
        depth_of(camera, path, depth_baseline_mm=BASELINE_MM)
    np.testing.assert_allclose(depth_of(camera, path, depth_baseline_mm=BASELINE_MM, rectified=True), DEPTH, rtol=1e-6)


def test_a_pfm_may_hold_metres_if_that_is_said(tmp_path: Path) -> None:
    path = pfm(tmp_path / "depth.pfm", DEPTH)
    with pytest.raises(DiffDopeError, match=r"whether \.pfm holds disparities.*--depth-kind disparity"):
        read_depth(path)
    captured = read_capture(camera_file(tmp_path), depth=path, depth_scale_mm=1000.0)
    assert captured.depth is not None and captured.depth_scale == 1.0
    np.testing.assert_allclose(captured.depth, DEPTH, rtol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("scale", [0.003922, 255.0])
def test_numbers_of_a_pfm_are_pixels_whatever_its_scale(scale: float, order: str, tmp_path: Path) -> None:
    # The scale is that of a picture's range. OpenCV divides by it, and has depth 255 times too near.
    path = pfm(tmp_path / "disp.pfm", disparity(), order, scale)
    np.testing.assert_allclose(depth_of(camera_file(tmp_path), path, depth_baseline_mm=BASELINE_MM), DEPTH, rtol=1e-6)


def test_pfm_files_that_are_none(tmp_path: Path) -> None:
    whole = pfm(tmp_path / "whole.pfm", DEPTH).read_bytes()
    spoilt = {
        "cut off": whole[:-3], "64 x 48 numbers, got more": whole + b"0", "an empty file": b"",
        "three": whole.replace(b"Pf", b"PF", 1), "something else": b"P5\n64 48\n255\n" + whole[20:],
        "a PFM file": whole.replace(b"64 48", b"64 -8", 1),
    }  # fmt: skip
    for words, content in spoilt.items():
        (tmp_path / "spoilt.pfm").write_bytes(content)
        with pytest.raises(DiffDopeError, match=words):
            read_pfm("depth", tmp_path / "spoilt.pfm")
