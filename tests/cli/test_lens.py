"""A picture through a lens on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.main import main
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.cameras import load_camera
from diffdope.scene.mesh import Mesh
from diffdope.viz.on_original import coverage_through_lens
from tests.cli.conftest import arguments

LENS = [-0.15, 0.03, 1e-3, -1e-3, 0.0]


def test_a_lens_is_removed_and_the_outline_drawn_where_the_lens_shows_it(inputs: Path) -> None:
    out = inputs.parent / "out"
    entry = json.loads((inputs / "camera.json").read_text())
    with Image.open(inputs / "rgb.png") as picture:
        size = picture.size
    (inputs / "camera.json").write_text(json.dumps(entry | {"dist_coeffs": LENS}))
    camera, _ = load_camera(inputs / "camera.json", width=size[0], height=size[1])
    assert main([*arguments(inputs), "--no-film"]) in (0, 1)
    notes = json.loads((out / "result.json").read_text())["notes"]
    assert any(note.startswith("lens distortion (opencv) was removed; poses refer to the pinhole") for note in notes)
    with Image.open(out / "overlay_original.png") as picture:
        assert picture.size == (camera.width, camera.height)


def test_the_silhouette_is_bent_as_points_are(inputs: Path) -> None:
    mesh = Mesh.load(inputs / "object.ply", unit="mm")
    camera = Camera(300, 300, 159.5, 119.5, 320, 240, LENS)  # type: ignore[arg-type]
    pose = Pose(np.eye(3), [0.15, 0.1, 0.5])
    u, v = camera.project(pose.apply(mesh.vertices_m))
    covered = coverage_through_lens(mesh, camera, pose) > 0.5
    rows, columns = np.nonzero(covered)
    box = columns.min(), columns.max(), rows.min(), rows.max()
    right, bottom = min(u.max(), 319), min(v.max(), 239)
    assert np.abs(np.array(box) - [u.min(), right, v.min(), bottom]).max() < 1.5


def test_the_size_of_k_can_be_given(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = json.loads((inputs / "camera.json").read_text())
    with Image.open(inputs / "rgb.png") as picture:
        size = picture.size
    half = load_camera(inputs / "camera.json", width=size[0], height=size[1])[0].resize(size[0] // 2, size[1] // 2)
    scale = {"depth_scale": entry["depth_scale"]}
    (inputs / "camera.json").write_text(json.dumps({"cam_K": half.K.ravel().tolist()} | scale))
    given = f"{size[0] // 2}x{size[1] // 2}"
    assert main([*arguments(inputs), "--no-film"]) == 2
    assert f"give --camera-size {given}" in capsys.readouterr().err
    assert main([*arguments(inputs), "--no-film", "--camera-size", given]) == 0
    assert main([*arguments(inputs), "--no-film", "--camera-size", "large"]) == 2
    assert "camera-size: expected WIDTHxHEIGHT such as 1280x720, got 'large'" in capsys.readouterr().err
