"""Depth along the ray that was said to be along the axis, and the other way round."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.main import main
from diffdope.geometry.camera import Camera
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from tests.cli.conftest import arguments

CAMERA = Camera(420.0, 420.0, 319.5, 239.5, 640, 480)
TRUTH = Pose(np.eye(3), np.array([0.0, 0.0, 0.6])).retract([0.18, 0.1, 0, 1.9, 0.3, 0.2])


@pytest.fixture
def corner(inputs: Path) -> Path:
    """The demo's object near a corner of a wide picture, with depth along the ray."""
    mesh = Mesh.load(inputs / "object.ply", unit="mm")
    drawn = Renderer(mesh, CAMERA).render(TRUTH.R_m2c, TRUTH.t_m2c)
    inside = drawn.coverage[0] > 0.5
    lengths = np.linalg.norm(CAMERA.back_project(np.ones((480, 640))), axis=-1)
    rgb = np.where(inside[..., None], drawn.rgb[0], 0.5)
    depth = np.where(inside, drawn.depth[0], 0.9)
    Image.fromarray(np.round(255 * rgb).astype(np.uint8)).save(inputs / "rgb.png")
    Image.fromarray(np.round(1e4 * depth * lengths).astype(np.uint16)).save(inputs / "depth.png")
    Image.fromarray(inside).save(inputs / "mask.png")
    start = perturb(TRUTH, angle_rad=0.1, distance_m=0.004, rng=np.random.default_rng(0))
    R, t = start.to_bop()
    (inputs / "init.json").write_text(json.dumps({"cam_R_m2c": R, "cam_t_m2c": t}))
    (inputs / "camera.json").write_text(json.dumps({"cam_K": CAMERA.K.ravel().tolist(), "depth_scale": 0.1}))
    return inputs


def notes_and_error(inputs: Path) -> tuple[str, float]:
    entry = json.loads((inputs.parent / "out" / "result.json").read_text())
    found = Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
    return " ".join(entry["notes"]), 1e3 * found.distance_to(TRUTH)


def test_the_wrong_kind_is_told(corner: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments(corner), "--no-film"]) == 1
    notes, off = notes_and_error(corner)
    assert "depth fits better as distances along the ray" in notes and "give --depth-kind ray" in notes
    assert main([*arguments(corner, depth_kind="ray"), "--no-film"]) == 0
    notes, right = notes_and_error(corner)
    assert "fits better" not in notes
    assert right < 1.0 and right < off


def test_the_right_kind_is_not_doubted(corner: Path) -> None:
    lengths = np.linalg.norm(CAMERA.back_project(np.ones((480, 640))), axis=-1)
    with Image.open(corner / "depth.png") as image:
        ray = np.asarray(image, np.float64)
    Image.fromarray(np.round(ray / lengths).astype(np.uint16)).save(corner / "depth.png")
    assert main([*arguments(corner), "--no-film"]) == 0
    notes, off = notes_and_error(corner)
    assert "fits better" not in notes and off < 1.0
    main([*arguments(corner, depth_kind="ray"), "--no-film"])
    assert "along the optical axis" in notes_and_error(corner)[0]
